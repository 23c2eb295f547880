//! A dead letter's record once more: its copy is appended to the partition it came from, where the projection applies it,
//! and the letters get a note of where that is.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Message, Offset};
use runtime::Settings;
use runtime::kafka::refusals::{self, Letter, Place};
use runtime::kafka::{LogConsumer, Next, consumer_config, headers_of};
use schemas::events::{RecordHeader, Redriven};
use schemas::{Envelope, Event, ids, topics};

use crate::dead_letter;

const PATIENCE: Duration = Duration::from_secs(10);

/// Where the copy is. Interrupted before the note, it is made again: an event twice is an event.
pub async fn redrive(settings: &Settings, letter: &Letter) -> anyhow::Result<Place> {
    let (asked, wanted) = (settings.clone(), letter.clone());
    let copy = tokio::task::spawn_blocking(move || copy(&asked, &wanted)).await??;
    let producer = dead_letter::producer(settings)?;
    let inner = copy.envelope().ok();
    let event = Event::Redriven(copy);
    let envelope = Envelope {
        id: ids::event_id(),
        kind: event.kind().to_owned(),
        source: "/retrace/redrive".to_owned(),
        time: time::OffsetDateTime::now_utc(),
        subject: inner.as_ref().map_or_else(|| letter.origin.to_string(), |inner| inner.subject.clone()),
        tenant: inner.map(|inner| inner.tenant).unwrap_or_default(),
        actor: "system".to_owned(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    };
    let headers = envelope.headers();
    let headers = headers.iter().map(|(key, value)| (*key, value.as_str()));
    let offset = send(&producer, &letter.origin.topic, letter.origin.partition, headers, &event.encode()?).await?;
    let place = Place { offset, ..letter.origin.clone() };
    let (origin, copied) = (letter.origin.to_string(), place.to_string());
    let note = [
        (refusals::PROJECTION, letter.projection.as_str()),
        (refusals::ORIGIN, origin.as_str()),
        (refusals::EVENT_ID, letter.event_id.as_str()),
        (refusals::REASON, letter.reason.as_str()),
        (refusals::REDRIVEN, copied.as_str()),
    ];
    send(&producer, &settings.topic(topics::DEAD_LETTER), letter.origin.partition, note.into_iter(), &[]).await?;
    Ok(place)
}

async fn send<'a>(
    producer: &FutureProducer,
    topic: &str,
    partition: i32,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    value: &[u8],
) -> anyhow::Result<i64> {
    let headers =
        headers.fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
    let record: FutureRecord<'_, (), [u8]> =
        FutureRecord::to(topic).partition(partition).payload(value).headers(headers);
    let sent = producer.send(record, PATIENCE).await.map_err(|(cause, _)| cause);
    Ok(sent.with_context(|| format!("{topic} did not take the record"))?.offset)
}

/// Of a copy that was refused as well, what it is a copy of.
fn copy(settings: &Settings, letter: &Letter) -> anyhow::Result<Redriven> {
    let Place { topic, partition, offset } = &letter.origin;
    let consumer = LogConsumer::new(consumer_config(settings, "retrace-redrive"))?;
    consumer.assign(topic, [(*partition, Offset::Offset(*offset))])?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match consumer.poll().with_context(|| format!("{topic} cannot be read"))? {
            Some(Next::Record(message)) if message.offset() == *offset => {
                let headers = headers_of(&message).into_iter();
                let headers = headers.map(|(key, value)| RecordHeader { key: key.to_owned(), value: value.to_vec() });
                let copy = Redriven {
                    projection: letter.projection.clone(),
                    origin_offset: *offset,
                    headers: headers.collect(),
                    value: message.payload().unwrap_or_default().to_vec(),
                };
                return Ok(match Event::decode(&kind(&copy), &copy.value) {
                    Some(Ok(Event::Redriven(first))) => Redriven { origin_offset: *offset, ..first },
                    _ => copy,
                });
            }
            Some(_) => bail!("{} is not in the log", letter.origin),
            None if Instant::now() > deadline => bail!("{topic} did not answer in {} s", PATIENCE.as_secs()),
            None => {}
        }
    }
}

fn kind(copy: &Redriven) -> String {
    copy.envelope().map(|envelope| envelope.kind).unwrap_or_default()
}
