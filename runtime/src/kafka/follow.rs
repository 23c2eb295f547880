//! Follows a topic from given offsets on a thread of its own, in this process only: what must be known at once, such
//! as a revoked key, comes straight from the log.

use std::collections::HashSet;

use anyhow::Context;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset};
use schemas::Event;
use tokio_util::sync::CancellationToken;

use super::refusals::Refusals;
use super::{LogConsumer, Next, Received, follower_config};
use crate::Settings;

/// Applies every record from `from` (partition, next offset) on, until stopped, as the projection of the topic does.
/// Events of unknown kinds are skipped: by the header alone they cannot concern this version. `caught_up` is called once, when all that was there at the start
/// is applied.
pub fn follow(
    settings: &Settings,
    topic: &str,
    projection: &'static str,
    from: Vec<(i32, i64)>,
    stop: CancellationToken,
    mut apply: impl FnMut(&Received, Event) + Send + 'static,
    caught_up: impl FnOnce() + Send + 'static,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let mut config = follower_config(settings, "retrace-follower");
    // A snapshot that is ahead of the log was not made of it: then the log alone says what is in force.
    config.set("auto.offset.reset", "earliest");
    let consumer = LogConsumer::new(config).context("the follower cannot be created")?;
    let mut behind: HashSet<i32> = from.iter().map(|(partition, _)| *partition).collect();
    let mut caught_up = Some(caught_up);
    let settings = settings.clone();
    let (topic, plain) = (settings.topic(topic), topic.to_owned());
    consumer.assign(&topic, from.into_iter().map(|(partition, offset)| (partition, Offset::Offset(offset))))?;
    let thread = std::thread::Builder::new().name("follower".into()).spawn(move || {
        let Some(refused) = refusals(&settings, &plain, projection, &stop) else { return };
        while !stop.is_cancelled() {
            match consumer.poll() {
                Ok(None) => {}
                Ok(Some(Next::End(partition))) => {
                    behind.remove(&partition);
                    if behind.is_empty()
                        && let Some(caught_up) = caught_up.take()
                    {
                        caught_up();
                    }
                }
                Err(cause) => tracing::warn!(%cause, topic, "following the log"),
                Ok(Some(Next::Record(message))) if refused.has(message.partition(), message.offset()) => {}
                Ok(Some(Next::Record(message))) => match read(&message, projection) {
                    Ok(Some((record, event))) => apply(&record, event),
                    Ok(None) => {}
                    Err(cause) => tracing::warn!(cause, topic, offset = message.offset(), "unreadable record"),
                },
            }
        }
    })?;
    Ok(thread)
}

/// Waits for Kafka; nothing once stopped.
fn refusals(settings: &Settings, topic: &str, projection: &str, stop: &CancellationToken) -> Option<Refusals> {
    while !stop.is_cancelled() {
        match Refusals::read(settings, topic, projection) {
            Ok(refusals) => return Some(refusals),
            Err(cause) => tracing::warn!(cause = format!("{cause:#}"), topic, "following the log"),
        }
    }
    None
}

fn read(message: &BorrowedMessage<'_>, projection: &str) -> Result<Option<(Received, Event)>, String> {
    let record = Received::read(message).map_err(|cause| cause.to_string())?;
    let decode = |record: &Received| {
        Event::decode(&record.envelope.kind, &record.value).transpose().map_err(|cause| cause.to_string())
    };
    match decode(&record)? {
        Some(Event::Redriven(copy)) if copy.projection != projection => Ok(None),
        Some(Event::Redriven(copy)) => {
            let copied = record.of_copy(copy)?;
            Ok(decode(&copied)?.map(|event| (copied, event)))
        }
        event => Ok(event.map(|event| (record, event))),
    }
}
