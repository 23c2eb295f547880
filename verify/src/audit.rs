//! The audit's rows beside the log's own chains, hashed again from the first record on.
//!
//! It shares the hash of one write with the projection, which is part of the contract, and nothing else.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, bail};
use clickhouse::{Client, Row};
use schemas::audit::{self, BEGINNING, Hash};
use schemas::sealing::hex;
use schemas::topics;
use serde::Deserialize;

use crate::log::{LogReader, Record, log_created};
use crate::rows::CheckpointRow;
use crate::verify::Report;

const TABLE: &str = "audit_log";
const HEADS: &str = "kept heads of the audit";

#[derive(Clone, Debug, PartialEq, Row, Deserialize)]
struct AuditRow {
    tenant: String,
    topic: String,
    partition: u16,
    at_offset: u64,
    nth: u64,
    event_id: String,
    kind: String,
    subject: String,
    time: i64,
    actor: String,
    request_id: String,
    client: String,
    facts: String,
    #[serde(with = "serde_bytes")]
    content_hash: Vec<u8>,
    #[serde(with = "serde_bytes")]
    previous: Vec<u8>,
    #[serde(with = "serde_bytes")]
    hash: Vec<u8>,
}

/// The end of a chain as somebody has kept it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    tenant: String,
    head: KeptHead,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct KeptHead {
    topic: String,
    partition: i32,
    offset: i64,
    count: u64,
    hash: String,
}

/// What `GET /api/v1/audit-logs/heads` has answered.
pub fn kept(answer: &str) -> serde_json::Result<Vec<Kept>> {
    #[derive(Deserialize)]
    struct Answer {
        tenant: String,
        heads: Vec<KeptHead>,
    }
    let Answer { tenant, heads } = serde_json::from_str(answer)?;
    Ok(heads.into_iter().map(|head| Kept { tenant: tenant.clone(), head }).collect())
}

/// The chains of the log, of the partitions of one slice.
pub(crate) struct Chains {
    slice: (u32, u32),
    /// (topic, partition, tenant) → number and hash of the last write so far.
    heads: HashMap<(&'static str, i32, String), (u64, Hash)>,
    rows: BTreeMap<Place, AuditRow>,
    /// By topic and partition, the log's id and how far it was read.
    logs: BTreeMap<(&'static str, i32), (String, i64)>,
}

/// Topic, partition, offset.
type Place = (&'static str, i32, i64);

impl Chains {
    pub(crate) fn of_slice(slice: u32, slices: u32) -> Chains {
        let (heads, rows, logs) = (HashMap::new(), BTreeMap::new(), BTreeMap::new());
        Chains { slice: (slice, slices.max(1)), heads, rows, logs }
    }

    fn keeps(&self, partition: i32) -> bool {
        partition.unsigned_abs() % self.slice.1 == self.slice.0
    }

    /// Every record of a partition, in order. Records of other topics are nothing to it.
    pub(crate) fn apply(&mut self, record: &Record) {
        if !matches!(record.topic, topics::TELEMETRY | topics::WORKSPACE) || !self.keeps(record.partition) {
            return;
        }
        let (_, end) = self.logs.entry((record.topic, record.partition)).or_insert_with(|| {
            let log = log_created(record).map(|log| log.log_id);
            (log.unwrap_or_default(), 0)
        });
        *end = record.offset + 1;
        if let Some(row) = row(record, &mut self.heads) {
            self.rows.insert((record.topic, record.partition, record.offset), row);
        }
    }

    /// (number, previous, hash, facts) of each write.
    #[cfg(test)]
    pub(crate) fn told(self) -> Vec<(u64, Vec<u8>, Vec<u8>, String)> {
        self.rows.into_values().map(|row| (row.nth, row.previous, row.hash, row.facts)).collect()
    }

    /// A head that was kept beside the log.
    fn check(&self, Kept { tenant, head }: &Kept, report: &mut Report) {
        report.compared(HEADS);
        let topic = [topics::TELEMETRY, topics::WORKSPACE].into_iter().find(|topic| *topic == head.topic);
        let row = topic.and_then(|topic| self.rows.get(&(topic, head.partition, head.offset)));
        match row.filter(|row| row.tenant == *tenant) {
            None => report.difference(format!("{HEADS}: {head:?}: the log has no such write")),
            Some(row) if row.nth == head.count && hex(&row.hash) == head.hash => {}
            Some(row) => {
                let (nth, hash) = (row.nth, hex(&row.hash));
                report.difference(format!("{HEADS}: {head:?}: by the log it is write {nth} with the hash {hash}"));
            }
        }
    }
}

/// How far the projection was before the log was read.
pub(crate) async fn checkpoints(client: &Client, generation: &str) -> anyhow::Result<Vec<CheckpointRow>> {
    let sql = format!(
        "SELECT ?fields FROM audit_checkpoints_{generation} ORDER BY next_offset DESC LIMIT 1 BY topic, partition"
    );
    client.query(&sql).fetch_all().await.context("the audit's checkpoints cannot be read")
}

/// Compares the rows of a slice. A row never changes: whatever the log was read for must be right, and what lies before the
/// checkpoints must be there.
pub(crate) async fn compare(
    mut chains: Chains,
    checkpoints: &[CheckpointRow],
    (log, client, generation): (&LogReader, &Client, &str),
    kept: &[Kept],
    report: &mut Report,
) -> anyhow::Result<()> {
    for kept in kept.iter().filter(|kept| chains.keeps(kept.head.partition)) {
        chains.check(kept, report);
    }
    for topic in [topics::TELEMETRY, topics::WORKSPACE] {
        let mut next = HashMap::new();
        for row in checkpoints.iter().filter(|row| row.topic == topic && chains.keeps(row.partition.into())) {
            let (partition, upto) = (i32::from(row.partition), i64::try_from(row.next_offset)?);
            match chains.logs.get(&(topic, partition)) {
                Some((log, end)) if *log == row.log_id && upto <= *end => next.insert(partition, upto),
                _ => bail!("the audit's checkpoint of {topic}, partition {partition}, does not belong to this log"),
            };
        }
        let newest = rows(&mut chains, topic, client, generation, report).await?;
        for (place, missing) in chains.rows.iter().filter(|(place, _)| place.0 == topic) {
            if next.get(&place.1).is_some_and(|next| place.2 < *next) {
                report.difference(format!("{TABLE} {}: is missing", missing.place()));
            }
        }
        if newest.is_empty() {
            continue;
        }
        // Of records that were appended since.
        let ends = log.ends(topic)?;
        for (partition, offset) in newest {
            if ends.get(&partition).is_none_or(|end| offset >= *end) {
                report.difference(format!("{TABLE}: {topic} {partition} {offset}: a row is beyond the end of the log"));
            }
        }
    }
    Ok(())
}

/// Takes out of the chains what the store has of a topic. Answers the newest offsets that were not read of the log.
async fn rows(
    chains: &mut Chains,
    topic: &'static str,
    client: &Client,
    generation: &str,
    report: &mut Report,
) -> anyhow::Result<HashMap<i32, i64>> {
    let sql = format!("SELECT ?fields FROM {TABLE}_{generation} WHERE topic = ? ORDER BY partition, at_offset");
    let query = client.query(&sql).bind(topic).with_setting("max_threads", "1").with_setting("max_block_size", "1000");
    let mut cursor = query.fetch::<AuditRow>()?;
    let mut newest = HashMap::new();
    // A row may be there twice, one after the other: each must be right.
    let mut last: Option<AuditRow> = None;
    while let Some(found) = cursor.next().await.context("the audit's rows cannot be read")? {
        let (partition, offset) = (i32::from(found.partition), i64::try_from(found.at_offset).unwrap_or(i64::MAX));
        if !chains.keeps(partition) {
            continue;
        }
        if chains.logs.get(&(topic, partition)).is_none_or(|(_, end)| offset >= *end) {
            report.skip(TABLE);
            newest.insert(partition, offset);
            continue;
        }
        last = chains.rows.remove(&(topic, partition, offset)).or(last);
        report.compared(TABLE);
        match last.as_ref().filter(|row| row.partition == found.partition && row.at_offset == found.at_offset) {
            Some(expected) => expected.same(&found, report),
            None => report.difference(format!("{TABLE} {}: the log has no such write", found.place())),
        }
    }
    Ok(newest)
}

impl AuditRow {
    fn place(&self) -> String {
        format!("{} {} {} of {}", self.topic, self.partition, self.at_offset, self.tenant)
    }

    fn same(&self, found: &AuditRow, report: &mut Report) {
        let key = self.place();
        report.field(TABLE, &key, "tenant", &self.tenant, &found.tenant);
        report.field(TABLE, &key, "nth", &self.nth, &found.nth);
        report.field(TABLE, &key, "event_id", &self.event_id, &found.event_id);
        report.field(TABLE, &key, "kind", &self.kind, &found.kind);
        report.field(TABLE, &key, "subject", &self.subject, &found.subject);
        report.field(TABLE, &key, "time", &self.time, &found.time);
        report.field(TABLE, &key, "actor", &self.actor, &found.actor);
        report.field(TABLE, &key, "request_id", &self.request_id, &found.request_id);
        report.field(TABLE, &key, "client", &self.client, &found.client);
        report.field(TABLE, &key, "facts", &self.facts, &found.facts);
        report.field(TABLE, &key, "content_hash", &hex(&self.content_hash), &hex(&found.content_hash));
        report.field(TABLE, &key, "previous", &hex(&self.previous), &hex(&found.previous));
        report.field(TABLE, &key, "hash", &hex(&self.hash), &hex(&found.hash));
    }
}

/// What the audit says of a record; none where it is no write. A record that names no tenant cannot be anybody's.
fn row(record: &Record, heads: &mut HashMap<(&'static str, i32, String), (u64, Hash)>) -> Option<AuditRow> {
    let envelope = record.envelope.as_ref().ok().filter(|envelope| audit::is_write(&envelope.kind))?;
    let value = record.value.as_deref().unwrap_or_default();
    let content = audit::content_hash(envelope.client.as_deref(), value);
    let key = (record.topic, record.partition, envelope.tenant.clone());
    let (nth, last) = heads.entry(key).or_insert((0, BEGINNING));
    let previous = *last;
    *nth += 1;
    *last = audit::link(&previous, (record.topic, record.partition, record.offset), envelope, &content);
    Some(AuditRow {
        tenant: envelope.tenant.clone(),
        topic: record.topic.to_owned(),
        partition: record.partition as u16,
        at_offset: record.offset as u64,
        nth: *nth,
        event_id: envelope.id.to_string(),
        kind: envelope.kind.clone(),
        subject: envelope.subject.clone(),
        time: audit::micros(envelope),
        actor: envelope.actor.clone(),
        request_id: envelope.request_id.clone(),
        client: envelope.client.clone().unwrap_or_default(),
        facts: audit::facts(&envelope.kind, value),
        content_hash: content.to_vec(),
        previous: previous.to_vec(),
        hash: last.to_vec(),
    })
}

/// Rows of topics or partitions that the log does not have.
pub(crate) async fn strays(client: &Client, generation: &str, report: &mut Report) -> anyhow::Result<()> {
    let sql = format!("SELECT count() FROM {TABLE}_{generation} WHERE topic NOT IN ? OR partition >= ?");
    let known = [topics::TELEMETRY, topics::WORKSPACE];
    let count: u64 = client.query(&sql).bind(known.as_slice()).bind(topics::PARTITIONS).fetch_one().await?;
    if count > 0 {
        report.difference(format!("{TABLE}: {count} rows are of no partition of the log"));
    }
    Ok(())
}
