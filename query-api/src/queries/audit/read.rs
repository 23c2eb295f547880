//! A piece of the writes: their rows, what was before them, and from where and as whom they came.

use std::collections::{HashMap, HashSet};

use clickhouse::Row;
use runtime::Problem;
use schemas::topics;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::entry::Entry;
use super::find::Found;
use crate::state::AppState;
use crate::stores::{Tenant, down};

const GOLDEN: &str = "dev.retrace.golden.set.v1";
const FEEDBACK: &str = "dev.retrace.feedback.given.v1";

#[derive(Row, Deserialize)]
pub struct AuditRow {
    pub topic: String,
    pub partition: u16,
    pub at_offset: u64,
    pub event_id: String,
    pub kind: String,
    pub subject: String,
    pub time: i64,
    pub actor: String,
    pub request_id: String,
    pub client: String,
    pub facts: String,
    #[serde(with = "serde_bytes")]
    pub content_hash: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub previous: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub hash: Vec<u8>,
}

#[derive(Row, Deserialize)]
struct Before {
    partition: u16,
    at_offset: u64,
    before: String,
}

pub async fn read(state: &AppState, tenant: &Tenant, found: &[Found]) -> Result<Vec<Entry>, Problem> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let rows = rows(tenant, found).await?;
    let before = before(tenant, &rows).await?;
    let sealed = rows.iter().map(|row| (event(row), time(row), row.client.clone())).collect();
    let clients = state.clients.open(tenant.name(), sealed).await?;
    let versions: HashMap<(&str, u16, u64), Option<i64>> = found
        .iter()
        .map(|Found { place, version }| ((&*place.topic, place.partition, place.at_offset), *version))
        .collect();
    let entries = rows.into_iter().zip(clients).map(|(row, client)| {
        let version = versions.get(&(row.topic.as_str(), row.partition, row.at_offset)).copied().flatten();
        let is_told = row.topic == topics::TELEMETRY;
        let before = before.get(&(row.partition, row.at_offset)).filter(|_| is_told).cloned();
        Entry::new(row, client, version, before)
    });
    Ok(entries.collect())
}

async fn rows(tenant: &Tenant, found: &[Found]) -> Result<Vec<AuditRow>, Problem> {
    let places: Vec<(&str, u16, u64)> =
        found.iter().map(|Found { place, .. }| (&*place.topic, place.partition, place.at_offset)).collect();
    let query = tenant.select(
        "?fields",
        "audit_log",
        "(topic, partition, at_offset) IN ?",
        "ORDER BY time, topic, partition, at_offset",
    );
    query.bind(places).fetch_all().await.map_err(down)
}

/// What the same was said to be before: whether a trace was golden, and a user's verdict on it.
async fn before(tenant: &Tenant, rows: &[AuditRow]) -> Result<HashMap<(u16, u64), String>, Problem> {
    let told = rows.iter().filter(|row| row.kind == GOLDEN || row.kind == FEEDBACK);
    let subjects: HashSet<&str> = told.map(|row| row.subject.as_str()).collect();
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    // A trace's events are in one partition.
    let columns = format!(
        "partition, at_offset, lagInFrame(facts, 1, '') OVER (PARTITION BY kind, subject, if(kind = '{FEEDBACK}', actor, '') \
         ORDER BY at_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before"
    );
    let condition = format!("topic = '{}' AND kind IN ('{GOLDEN}', '{FEEDBACK}') AND subject IN ?", topics::TELEMETRY);
    let subjects: Vec<&str> = subjects.into_iter().collect();
    let query = tenant.scan(&columns, "audit_log", &condition, "").bind(subjects);
    let found: Vec<Before> = query.fetch_all().await.map_err(down)?;
    let is_told = |row: &Before| !row.before.is_empty();
    Ok(found.into_iter().filter(is_told).map(|row| ((row.partition, row.at_offset), row.before)).collect())
}

fn event(row: &AuditRow) -> Uuid {
    Uuid::try_parse(&row.event_id).unwrap_or_default()
}

fn time(row: &AuditRow) -> OffsetDateTime {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.time) * 1000);
    time.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
