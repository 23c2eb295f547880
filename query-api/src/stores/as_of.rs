//! Several tables of a tenant in one statement, as they were when the projection had applied the log up to one position.
//!
//! A flush writes table after table, and a statement that starts in its middle sees a part of it. Rows from behind the
//! checkpoint are therefore left out before `FINAL` chooses the newest of each key. Only a merge that has already put
//! such a row in the place of its predecessor can make this wrong; [`AsOf::not_overtaken`] finds that out.

use std::collections::HashMap;

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use runtime::Problem;
use runtime::position::{Position, Record, Topic};
use schemas::topics;
use serde::Deserialize;

use super::{Tenant, down};

/// The offset in a version ([`topics::row_version`]).
const OFFSET: u64 = 0xffff_ffff_ffff;
/// What [`AsOf::not_overtaken`] throws.
const OVERTAKEN: &str = "rows of the position are gone";

pub struct AsOf {
    client: Client,
    generation: i32,
    tenant: String,
    /// Of each partition, the first offset that is left out.
    next: Vec<u64>,
}

#[derive(Row, Deserialize)]
struct Applied {
    partition: u16,
    next: u64,
}

impl Tenant {
    /// At the position that is applied by now.
    pub async fn as_of_now(&self) -> Result<AsOf, Problem> {
        let sql = format!(
            "SELECT partition, max(next_offset) AS next FROM checkpoints_g{} WHERE topic = ? GROUP BY partition",
            self.generation
        );
        let query = self.client.query(&sql).bind(topics::TELEMETRY).with_setting("max_threads", "1");
        let applied: HashMap<i32, u64> = query
            .fetch_all::<Applied>()
            .await
            .map_err(down)?
            .into_iter()
            .map(|row| (i32::from(row.partition), row.next))
            .collect();
        Ok(AsOf {
            client: self.client.clone(),
            generation: self.generation,
            tenant: self.tenant.clone(),
            next: (0..topics::PARTITIONS).map(|partition| applied.get(&partition).copied().unwrap_or(0)).collect(),
        })
    }
}

impl AsOf {
    pub fn position(&self) -> Position {
        let applied = (0..).zip(&self.next).filter(|(_, next)| **next > 0);
        let record = |(partition, next): (i32, &u64)| Record {
            topic: Topic::Telemetry,
            partition,
            offset: i64::try_from(*next - 1).unwrap_or(i64::MAX),
        };
        Position { records: applied.map(record).collect() }
    }

    /// What follows `FROM`: the tenant's rows of a table at the position. More conditions on the key may follow after
    /// `AND`, others after `WHERE`.
    pub fn rows(&self, table: &str) -> String {
        format!("{} AND {}", self.any_rows(table), self.is_applied("version"))
    }

    /// As [`Self::rows`], of a table whose rows are named by their content: the position does not matter.
    pub fn any_rows(&self, table: &str) -> String {
        format!("{table}_g{} FINAL PREWHERE tenant = {{tenant:String}}", self.generation)
    }

    fn is_applied(&self, version: &str) -> String {
        let next: Vec<String> = self.next.iter().map(u64::to_string).collect();
        format!(
            "bitAnd({version}, {OFFSET}) < [{}][1 + xxh3(concat(tenant, '\\0', trace_id)) % {}]",
            next.join(","),
            self.next.len()
        )
    }

    /// A condition that fails the statement if rows of these tables may be missing: where a row from behind the position
    /// lies in a part that a merge or a mutation has made, unless its trace is from behind the position as a whole. It
    /// belongs into the outermost query, so that it looks at the parts after all others do.
    pub fn not_overtaken(&self, tables: &[&str]) -> String {
        let of_tenant = |table: &str| format!("{table}_g{} WHERE tenant = {{tenant:String}}", self.generation);
        let behind = format!("NOT ({})", self.is_applied("version"));
        let (traces, created) = (of_tenant("traces"), self.is_applied("created_version"));
        let looks: Vec<String> = tables
            .iter()
            .map(|table| {
                format!(
                    "SELECT trace_id FROM {} AND {behind} AND NOT match(_part, '^[^_]+_[0-9]+_[0-9]+_0$')",
                    of_tenant(table)
                )
            })
            .collect();
        format!(
            "(SELECT throwIf(count() > 0, '{OVERTAKEN}') FROM ({}) \
             WHERE trace_id NOT IN (SELECT trace_id FROM {traces} AND {behind} AND NOT ({created}))) = 0",
            looks.join(" UNION ALL ")
        )
    }

    pub fn query(&self, sql: &str) -> Query {
        self.client.query(sql).param("tenant", &self.tenant)
    }
}

/// Whether a statement failed because of [`AsOf::not_overtaken`]: another one, at a newer position, may do better.
pub fn is_overtaken(cause: &clickhouse::error::Error) -> bool {
    matches!(cause, clickhouse::error::Error::BadResponse(text) if text.contains(OVERTAKEN))
}
