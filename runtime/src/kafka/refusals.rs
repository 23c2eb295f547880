//! What a projection has refused. A record counts where it stood or where a re-drive has put its copy, never at both: so
//! whoever folds a topic knows its dead letters beforehand.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::{Message, Offset};
use schemas::topics;

use super::{LogConsumer, Next, consumer_config, headers_of};
use crate::Settings;

/// The headers of a dead letter.
pub const PROJECTION: &str = "retrace_projection";
pub const ORIGIN: &str = "retrace_origin";
pub const EVENT_ID: &str = "retrace_event_id";
pub const REASON: &str = "retrace_reason";
/// Of the letter that says where the copy is.
pub const REDRIVEN: &str = "retrace_redriven";

const PATIENCE: Duration = Duration::from_secs(10);

/// A dead letter, or the note that it was re-driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub projection: String,
    /// Topic (with its prefix), partition and offset of the record.
    pub origin: Place,
    pub event_id: String,
    pub reason: String,
    pub redriven: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let malformed = || format!("`{text}` is no place in the log: expected topic/partition/offset");
        let mut parts = text.rsplitn(3, '/');
        let mut next = || parts.next().ok_or_else(malformed);
        let (offset, partition, topic) = (next()?, next()?, next()?);
        Ok(Place {
            topic: topic.to_owned(),
            partition: partition.parse().map_err(|_| malformed())?,
            offset: offset.parse().map_err(|_| malformed())?,
        })
    }
}

/// Every dead letter, in the order of each partition. Blocks on Kafka.
pub fn letters(settings: &Settings) -> anyhow::Result<Vec<Letter>> {
    let consumer = LogConsumer::new(consumer_config(settings, "retrace-refusals"))?;
    let topic = settings.topic(topics::DEAD_LETTER);
    let mut open: HashSet<i32> = (0..topics::PARTITIONS).collect();
    consumer.assign(&topic, open.iter().map(|partition| (*partition, Offset::Beginning)))?;
    let mut letters = Vec::new();
    let mut heard = Instant::now();
    while !open.is_empty() {
        match consumer.poll().with_context(|| format!("{topic} cannot be read"))? {
            Some(Next::Record(message)) => {
                heard = Instant::now();
                match letter(&headers_of(&message)) {
                    Ok(letter) => letters.push(letter),
                    Err(cause) => {
                        let (partition, offset) = (message.partition(), message.offset());
                        tracing::warn!(cause, topic, partition, offset, "this is no dead letter");
                    }
                }
            }
            Some(Next::End(partition)) => drop(open.remove(&partition)),
            None if heard.elapsed() > PATIENCE => bail!("{topic} did not answer in {} s", PATIENCE.as_secs()),
            None => {}
        }
    }
    Ok(letters)
}

fn letter(headers: &[(&str, &[u8])]) -> Result<Letter, String> {
    let text = |name: &str| {
        let (_, value) = headers.iter().find(|(key, _)| *key == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let needed = |name: &str| text(name).ok_or_else(|| format!("it has no header `{name}`"));
    Ok(Letter {
        projection: needed(PROJECTION)?,
        origin: needed(ORIGIN)?.parse()?,
        event_id: text(EVENT_ID).unwrap_or_default(),
        reason: text(REASON).unwrap_or_default(),
        redriven: text(REDRIVEN).map(|place| place.parse()).transpose()?,
    })
}

/// The places of one topic that one projection has refused.
#[derive(Clone, Debug, Default)]
pub struct Refusals(HashSet<(i32, i64)>);

impl Refusals {
    pub fn read(settings: &Settings, topic: &str, projection: &str) -> anyhow::Result<Refusals> {
        let topic = settings.topic(topic);
        let ours = |letter: &Letter| letter.projection == projection && letter.origin.topic == topic;
        let places = letters(settings)?.into_iter().filter(ours);
        Ok(Refusals(places.map(|letter| (letter.origin.partition, letter.origin.offset)).collect()))
    }

    pub fn has(&self, partition: i32, offset: i64) -> bool {
        self.0.contains(&(partition, offset))
    }
}
