//! Keeps what the log said, and computes every answer from it from scratch.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemas::events::LogCreated;
use schemas::sealing::{self, Sealed};
use schemas::{Envelope, Event, topics};
use uuid::Uuid;

use crate::log::{Ends, Record};
use crate::prices::{Prices, hashes};
use crate::resources::{Command, Resources};
use crate::trace::Trace;
use crate::view::TraceState;

/// Tables are a few MB; a bomb is not unpacked.
const MAX_TABLE_BYTES: usize = 64 << 20;

struct Stored {
    partition: i32,
    offset: i64,
    id: Uuid,
    /// Of the envelope, in whole microseconds.
    time: i64,
    event: Event,
}

/// An event of the workspace topic.
struct Commanded {
    tenant: String,
    /// Whose keys its content is sealed under.
    subject: String,
    stored: Stored,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PublishedTable {
    pub scope: String,
    pub hash: String,
    pub text: String,
}

#[derive(Default)]
pub struct Fold {
    /// (which, of how many): only traces of one slice are kept; everything else always is.
    slice: Option<(u32, u32)>,
    /// (tenant, trace or resource, key id); none: erased.
    keys: HashMap<(String, String, [u8; 16]), Option<[u8; 32]>>,
    traces: BTreeMap<(String, String), Vec<Stored>>,
    workspace: Vec<Commanded>,
    prices: Prices,
    /// What the projection of a topic has refused: it counts only where a re-drive has put its copy.
    dead: BTreeSet<(&'static str, i32, i64)>,
    /// By topic and partition, what its first record says.
    pub logs: BTreeMap<(&'static str, i32), LogCreated>,
    /// How many events there were, and those that mean nothing to this version.
    pub events: u64,
    pub refused: Vec<String>,
}

impl Fold {
    pub fn new() -> Fold {
        Fold::default()
    }

    /// A fold of the traces whose hash modulo `slices` is `slice`.
    pub fn of_slice(slice: u32, slices: u32) -> Fold {
        Fold { slice: Some((slice, slices.max(1))), ..Fold::default() }
    }

    pub fn keeps(&self, tenant: &str, trace_id: &str) -> bool {
        self.slice.is_none_or(|(slice, slices)| {
            topics::aggregate_hash(tenant, trace_id) % u64::from(slices) == u64::from(slice)
        })
    }

    /// The keys topic must be read to an end that was taken after that of the events: keys precede what they seal.
    pub fn apply(&mut self, record: Record) {
        let place = (record.topic, record.partition, record.offset);
        if let Err(cause) = self.accept(record) {
            self.refused.push(format!("{} {} {}: {cause}", place.0, place.1, place.2));
        }
    }

    fn accept(&mut self, record: Record) -> Result<(), String> {
        if record.topic == topics::KEYS {
            return self.accept_key(&record.key, record.value.as_deref());
        }
        if record.topic == topics::DEAD_LETTER {
            let (projection, origin) = record.refusal.ok_or("the dead letter does not say what it is of")?;
            self.dead.extend(origin_of(&projection, &origin)?);
            return Ok(());
        }
        self.events += 1;
        let (partition, offset) = (record.partition, record.offset);
        if self.dead.contains(&(record.topic, partition, offset)) {
            return Err("a dead letter".to_owned());
        }
        let mut envelope = record.envelope?;
        let mut event = decode(&envelope, &record.value.ok_or("the record has no value")?)?;
        if let Event::Redriven(copy) = &event {
            if projection_of(record.topic) != Some(copy.projection.as_str()) {
                return Ok(());
            }
            envelope = copy.envelope().map_err(|cause| cause.to_string())?;
            event = decode(&envelope, &copy.value)?;
        }
        let (id, time) = (envelope.id, micros(&envelope));
        let trace_id = match &event {
            Event::LogCreated(created) => {
                self.logs.insert((record.topic, partition), created.clone());
                return Ok(());
            }
            Event::PriceTablePublished(published) => {
                self.prices.add(&published.hash, &table_text(&published.table)?)?;
                None
            }
            Event::Redriven(_) => return Err("a copy of a copy".to_owned()),
            Event::TraceRecorded(event) => Some(&event.trace_id),
            Event::ContentChunk(event) => Some(&event.trace_id),
            Event::TraceDeleted(event) => Some(&event.trace_id),
            Event::TraceRepriced(event) => Some(&event.trace_id),
            Event::GoldenSet(event) => Some(&event.trace_id),
            Event::FeedbackGiven(event) => Some(&event.trace_id),
            Event::RootCauseFound(event) => Some(&event.trace_id),
            _ => None,
        };
        match trace_id.cloned() {
            None => self.workspace.push(Commanded {
                tenant: envelope.tenant,
                subject: envelope.subject,
                stored: Stored { partition, offset, id, time, event },
            }),
            Some(trace_id) if self.keeps(&envelope.tenant, &trace_id) => {
                let events = self.traces.entry((envelope.tenant, trace_id)).or_default();
                events.push(Stored { partition, offset, id, time, event });
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn accept_key(&mut self, key: &[u8], secret: Option<&[u8]>) -> Result<(), String> {
        let (tenant, owner, id) = sealing::parse_key_record_key(key).ok_or("the key record's key cannot be read")?;
        if sealing::is_resource(owner) || self.keeps(tenant, owner) {
            let secret =
                secret.map(<[u8; 32]>::try_from).transpose().map_err(|_| "the sealing key has not 32 bytes")?;
            let held = self.keys.entry((tenant.to_owned(), owner.to_owned(), id)).or_insert(secret);
            // Erased is erased, whatever follows.
            *held = held.and(secret);
        }
        Ok(())
    }

    fn open(&self, tenant: &str, owner: &str, event: Uuid, sealed: &Sealed) -> Option<Vec<u8>> {
        let key = (tenant.to_owned(), owner.to_owned(), sealed.key_id.into_array());
        let secret = (*self.keys.get(&key)?)?;
        sealing::open(&secret, event, sealed).ok()
    }

    fn events_of(&self, tenant: &str, trace_id: &str) -> &[Stored] {
        self.traces.get(&(tenant.to_owned(), trace_id.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// (tenant, trace id) of every trace that has events, visible or not.
    pub fn traces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.traces.keys().map(|(tenant, trace_id)| (tenant.as_str(), trace_id.as_str()))
    }

    /// The fold of a trace's events up to and including an offset of its partition, or of all.
    pub fn trace_at(&self, tenant: &str, trace_id: &str, upto: Option<i64>) -> TraceState {
        let mut trace = Trace::default();
        self.play(tenant, trace_id, upto, &mut trace, |_, _, _| ());
        trace.state(trace_id, &self.prices)
    }

    /// Shows the state of a trace after each of its events, with the event and its time.
    pub(crate) fn each_state(
        &self,
        tenant: &str,
        trace_id: &str,
        upto: Option<i64>,
        mut each: impl FnMut(&Event, i64, &TraceState),
    ) {
        self.play(tenant, trace_id, upto, &mut Trace::default(), |event, time, trace| {
            each(event, time, &trace.state(trace_id, &self.prices));
        });
    }

    fn play(
        &self,
        tenant: &str,
        trace_id: &str,
        upto: Option<i64>,
        trace: &mut Trace,
        mut after: impl FnMut(&Event, i64, &Trace),
    ) {
        for stored in self.events_of(tenant, trace_id) {
            if upto.is_none_or(|upto| stored.offset <= upto) {
                let open = |sealed: &Sealed| self.open(tenant, trace_id, stored.id, sealed);
                trace.apply(&stored.event, stored.time, &open);
                after(&stored.event, stored.time, trace);
            }
        }
    }

    pub fn trace(&self, tenant: &str, trace_id: &str) -> TraceState {
        self.trace_at(tenant, trace_id, None)
    }

    /// Where a trace's events are.
    pub fn offsets(&self, tenant: &str, trace_id: &str) -> impl Iterator<Item = i64> {
        self.events_of(tenant, trace_id).iter().map(|stored| stored.offset)
    }

    pub fn deleted_at(&self, tenant: &str, trace_id: &str) -> Option<i64> {
        let mut events = self.events_of(tenant, trace_id).iter();
        events.find(|stored| matches!(stored.event, Event::TraceDeleted(_))).map(|stored| stored.offset)
    }

    /// Whether some of a trace's content is erased, so that what it was before its deletion cannot be computed.
    pub fn is_past_lost(&self, tenant: &str, trace_id: &str) -> bool {
        let deleted = self.deleted_at(tenant, trace_id).is_some();
        self.events_of(tenant, trace_id).iter().filter_map(|stored| sealed_part(&stored.event)).any(|sealed| {
            match self.keys.get(&(tenant.to_owned(), trace_id.to_owned(), sealed.key_id.into_array())) {
                Some(secret) => secret.is_none(),
                // Compaction takes tombstones in the end; without a deletion a missing key is another matter.
                None => deleted,
            }
        })
    }

    /// Price tables that events name and the log does not have: costs cannot be computed without them.
    pub fn unknown_price_tables(&self) -> BTreeSet<String> {
        let mut unknown = BTreeSet::new();
        for stored in self.traces.values().flatten() {
            let named = match &stored.event {
                Event::TraceRecorded(event) => &event.price_table,
                Event::TraceRepriced(event) => &event.price_table,
                _ => continue,
            };
            unknown.extend(hashes(named).filter(|hash| !self.prices.knows(hash)).map(str::to_owned));
        }
        unknown
    }

    /// The workspace's events before `ends`, or all, in log order within a tenant.
    fn workspace_before(&self, ends: Option<&Ends>) -> impl Iterator<Item = &Commanded> {
        let before = move |stored: &Stored| {
            ends.is_none_or(|ends| ends.get(&stored.partition).is_some_and(|end| stored.offset < *end))
        };
        self.workspace.iter().filter(move |commanded| before(&commanded.stored))
    }

    /// What the commands of the workspace have come to.
    pub fn resources(&self, ends: Option<&Ends>) -> Resources {
        let mut resources = Resources::default();
        for Commanded { tenant, subject, stored } in self.workspace_before(ends) {
            let open_as = |owner: &str, sealed: &Sealed| self.open(tenant, owner, stored.id, sealed);
            let command = Command { tenant, id: stored.id, time: stored.time, event: &stored.event, open_as: &open_as };
            resources.apply(&command, &|sealed| open_as(subject, sealed));
        }
        resources
    }

    /// By (scope, hash).
    pub fn price_tables(&self, ends: Option<&Ends>) -> BTreeMap<(String, String), PublishedTable> {
        let mut tables = BTreeMap::new();
        for commanded in self.workspace_before(ends) {
            if let Event::PriceTablePublished(event) = &commanded.stored.event
                && let Ok(text) = table_text(&event.table)
            {
                let (scope, hash) = (event.scope.clone(), event.hash.clone());
                tables.insert((scope.clone(), hash.clone()), PublishedTable { scope, hash, text });
            }
        }
        tables
    }
}

/// Whose topic it is: each has one projection so far.
fn projection_of(topic: &str) -> Option<&'static str> {
    match topic {
        topics::TELEMETRY => Some("traces"),
        topics::WORKSPACE => Some("workspace"),
        _ => None,
    }
}

/// Where the record stands that a projection has refused; `prefix.topic/partition/offset`.
fn origin_of(projection: &str, origin: &str) -> Result<Option<(&'static str, i32, i64)>, String> {
    let mut parts = origin.rsplitn(3, '/');
    let (offset, partition) = (parts.next().and_then(|t| t.parse().ok()), parts.next().and_then(|t| t.parse().ok()));
    let (Some(offset), Some(partition), Some(name)) = (offset, partition, parts.next()) else {
        return Err(format!("`{origin}` is no place in the log"));
    };
    let topic = [topics::TELEMETRY, topics::WORKSPACE].into_iter().find(|topic| name.ends_with(topic));
    Ok(topic.filter(|topic| projection_of(topic) == Some(projection)).map(|topic| (topic, partition, offset)))
}

fn decode(envelope: &Envelope, value: &[u8]) -> Result<Event, String> {
    let event = Event::decode(&envelope.kind, value).ok_or_else(|| format!("`{}` is not known", envelope.kind))?;
    event.map_err(|cause| cause.to_string())
}

fn sealed_part(event: &Event) -> Option<&Sealed> {
    match event {
        Event::TraceRecorded(event) => event.content.as_ref(),
        Event::ContentChunk(event) => Some(&event.content),
        Event::FeedbackGiven(event) => Some(&event.content),
        Event::RootCauseFound(event) => Some(&event.content),
        _ => None,
    }
}

fn micros(envelope: &Envelope) -> i64 {
    envelope.time.unix_timestamp_nanos().div_euclid(1000) as i64
}

pub(crate) fn table_text(packed: &[u8]) -> Result<String, String> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    let capacity = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(MAX_TABLE_BYTES).min(MAX_TABLE_BYTES);
    let text = zstd::bulk::decompress(packed, capacity)
        .map_err(|cause| format!("the price table cannot be unpacked: {cause}"))?;
    String::from_utf8(text).map_err(|_| "the price table is not text".to_owned())
}
