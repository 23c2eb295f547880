//! Which writes are shown: those that the filters select, without commands that were refused and without repetitions, in
//! the order of time.

use std::collections::HashMap;

use clickhouse::Row;
use runtime::Problem;
use runtime::auth::Principal;
use schemas::topics;
use serde::Deserialize;
use uuid::Uuid;

use super::asked::Asked;
use crate::cursor::Cursor;
use crate::state::AppState;
use crate::stores::{Tenant, down};
use crate::times::moment;

/// Rows of a look at the least.
const LOOK: usize = 1_000;

/// Where a write stands, in the order of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Microseconds since 1970.
    pub time: i64,
    pub topic: String,
    pub partition: u16,
    pub at_offset: u64,
}

/// A write to be shown.
pub struct Found {
    pub place: Place,
    /// Of its resource after it, where the fold of the workspace has made one.
    pub version: Option<i64>,
}

#[derive(Row, Deserialize)]
struct FoundRow {
    time: i64,
    topic: String,
    partition: u16,
    at_offset: u64,
    event_id: String,
}

#[derive(Row, Deserialize)]
struct First {
    event_id: String,
    first: u64,
}

impl Place {
    pub fn cursor(&self) -> Cursor {
        Cursor { value: self.time.to_string(), id: format!("{}/{}/{}", self.topic, self.partition, self.at_offset) }
    }

    /// Of a cursor that is signed, so that it can only be one of ours.
    pub fn of(cursor: &Cursor) -> Option<Place> {
        let mut parts = cursor.id.split('/');
        Some(Place {
            time: cursor.value.parse().ok()?,
            topic: parts.next()?.to_owned(),
            partition: parts.next()?.parse().ok()?,
            at_offset: parts.next()?.parse().ok()?,
        })
    }
}

/// At most `limit` writes, and the last of them where there are more.
pub async fn find(
    state: &AppState,
    principal: &Principal,
    tenant: &Tenant,
    asked: &Asked,
) -> Result<(Vec<Found>, Option<Place>), Problem> {
    let decided = decided_upto(state, principal).await?;
    let mut found: Vec<Found> = Vec::new();
    let mut after = asked.after.clone();
    loop {
        let most = (asked.limit + 1 - found.len()).max(LOOK);
        let rows = look(tenant, asked, after.as_ref(), decided, most).await?;
        let is_last = rows.len() < most;
        after = rows.last().map(FoundRow::place);
        found.extend(accepted(state, principal, tenant, rows).await?);
        if is_last || found.len() > asked.limit {
            break;
        }
    }
    let is_more = found.len() > asked.limit;
    found.truncate(asked.limit);
    let last = found.last().filter(|_| is_more).map(|found| found.place.clone());
    Ok((found, last))
}

/// Of the tenant's commands, the first whose outcome may not be known yet.
async fn decided_upto(state: &AppState, principal: &Principal) -> Result<i64, Problem> {
    let partition = topics::tenant_partition(&principal.tenant, topics::PARTITIONS);
    let checkpoints = state.postgres.checkpoints().await?;
    Ok(checkpoints.into_iter().find(|(of, _)| *of == partition).map_or(0, |(_, next)| next))
}

async fn look(
    tenant: &Tenant,
    asked: &Asked,
    after: Option<&Place>,
    decided: i64,
    most: usize,
) -> Result<Vec<FoundRow>, Problem> {
    let (filtered, values) = asked.filters.condition();
    let mut condition = format!("(topic != '{}' OR at_offset < {decided}) AND {filtered}", topics::WORKSPACE);
    if let Some(Place { time, partition, at_offset, .. }) = after {
        let time = moment(*time);
        condition.push_str(&format!(
            " AND time >= {time} AND (time, topic, partition, at_offset) > ({time}, ?, {partition}, {at_offset})"
        ));
    }
    let query = tenant.scan(
        "time, topic, partition, at_offset, event_id",
        "audit_log",
        &condition,
        &format!("ORDER BY time, topic, partition, at_offset LIMIT {most}"),
    );
    let query =
        values.into_iter().chain(after.map(|place| place.topic.as_str())).fold(query, |query, value| query.bind(value));
    // A row never changes: what the index leaves out can be no newer version of one that it finds.
    query.with_setting("use_skip_indexes_if_final", "1").fetch_all().await.map_err(down)
}

async fn accepted(
    state: &AppState,
    principal: &Principal,
    tenant: &Tenant,
    rows: Vec<FoundRow>,
) -> Result<Vec<Found>, Problem> {
    let commands: Vec<Uuid> =
        rows.iter().filter(|row| row.topic == topics::WORKSPACE).filter_map(FoundRow::id).collect();
    let outcomes = if commands.is_empty() {
        HashMap::new()
    } else {
        state.postgres.of(principal).await?.outcomes(&commands).await?
    };
    let first = first_of(tenant, &rows).await?;
    let found = rows.into_iter().filter_map(|row| {
        let outcome = row.id().filter(|_| row.topic == topics::WORKSPACE).and_then(|id| outcomes.get(&id));
        let is_refused = outcome.is_some_and(|(status, _)| *status >= 400);
        let is_repeated = first.get(&row.event_id).is_some_and(|first| row.at_offset > *first);
        let version = outcome.and_then(|(_, version)| *version);
        (!is_refused && !is_repeated).then(|| Found { place: row.place(), version })
    });
    Ok(found.collect())
}

/// What can be in the log twice has an id that is derived, from its Idempotency-Key, its webhook or the version that it
/// changes: where each was first.
async fn first_of(tenant: &Tenant, rows: &[FoundRow]) -> Result<HashMap<String, u64>, Problem> {
    let is_derived = |row: &&FoundRow| {
        row.topic == topics::WORKSPACE && row.id().is_some_and(|id| id.get_version() == Some(uuid::Version::Sha1))
    };
    let derived: Vec<&str> = rows.iter().filter(is_derived).map(|row| row.event_id.as_str()).collect();
    let mut first = HashMap::new();
    for events in derived.chunks(LOOK) {
        let query = tenant.scan(
            "event_id, min(at_offset) AS first",
            "audit_log",
            &format!("topic = '{}' AND event_id IN ?", topics::WORKSPACE),
            "GROUP BY event_id",
        );
        let found: Vec<First> = query.bind(events).fetch_all().await.map_err(down)?;
        first.extend(found.into_iter().map(|row| (row.event_id, row.first)));
    }
    Ok(first)
}

impl FoundRow {
    fn place(&self) -> Place {
        Place { time: self.time, topic: self.topic.clone(), partition: self.partition, at_offset: self.at_offset }
    }

    fn id(&self) -> Option<Uuid> {
        Uuid::try_parse(&self.event_id).ok()
    }
}
