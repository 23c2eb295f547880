//! ClickHouse: every query of tenants' data is made by [`Tenant::select`] and its like, which write the tenant into it.

use std::sync::Arc;

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use runtime::Problem;
use runtime::auth::Principal;
use schemas::topics;
use serde::Deserialize;

use super::Generations;

#[derive(Clone)]
pub struct ClickHouse {
    client: Client,
    generations: Arc<Generations>,
}

/// The rows of one tenant, in one generation.
pub struct Tenant {
    pub(super) client: Client,
    pub(super) generation: i32,
    pub(super) tenant: String,
}

impl ClickHouse {
    pub fn new(client: Client, generations: Arc<Generations>) -> ClickHouse {
        let client = client.with_setting("readonly", "2").with_setting("max_execution_time", "30");
        ClickHouse { client, generations }
    }

    pub async fn of(&self, principal: &Principal) -> Result<Tenant, Problem> {
        self.of_projection("traces", principal).await
    }

    /// The caller's rows of the audit.
    pub async fn audit_of(&self, principal: &Principal) -> Result<Tenant, Problem> {
        self.of_projection("audit", principal).await
    }

    async fn of_projection(&self, projection: &str, principal: &Principal) -> Result<Tenant, Problem> {
        let generation = self.generations.live(projection).await?;
        Ok(Tenant { client: self.client.clone(), generation, tenant: principal.tenant.clone() })
    }

    /// Partition → next offset of the live generation.
    pub async fn checkpoints(&self) -> Result<Vec<(i32, i64)>, Problem> {
        self.checkpoints_in("traces", "checkpoints", topics::TELEMETRY).await
    }

    /// As [`Self::checkpoints`], of the audit, which folds several topics.
    pub async fn audit_checkpoints(&self, topic: &str) -> Result<Vec<(i32, i64)>, Problem> {
        self.checkpoints_in("audit", "audit_checkpoints", topic).await
    }

    async fn checkpoints_in(&self, projection: &str, table: &str, topic: &str) -> Result<Vec<(i32, i64)>, Problem> {
        #[derive(Row, Deserialize)]
        struct Checkpoint {
            partition: u16,
            next: u64,
        }
        let generation = self.generations.live(projection).await?;
        let sql = format!(
            "SELECT partition, max(next_offset) AS next FROM {table}_g{generation} WHERE topic = ? GROUP BY partition"
        );
        let query = self.client.query(&sql).bind(topic).with_setting("max_threads", "1");
        let rows = query.fetch_all::<Checkpoint>().await.map_err(down)?;
        Ok(rows.into_iter().map(|row| (i32::from(row.partition), row.next as i64)).collect())
    }
}

/// ClickHouse answers, but cannot do this now: worth a retry.
const OVERLOADED: &[&str] = &["TIMEOUT", "MEMORY_LIMIT", "TOO_MANY_SIMULTANEOUS_QUERIES", "are busy"];

pub fn down(cause: clickhouse::error::Error) -> Problem {
    match &cause {
        clickhouse::error::Error::BadResponse(text) if !OVERLOADED.iter().any(|sign| text.contains(sign)) => {
            Problem::internal(cause)
        }
        _ => Problem::store_down("ClickHouse", cause),
    }
}

impl Tenant {
    pub fn name(&self) -> &str {
        &self.tenant
    }

    /// `SELECT columns FROM table FINAL WHERE tenant = … AND (condition) rest`. `FINAL` leaves one row a key and no
    /// tombstones.
    pub fn scan(&self, columns: &str, table: &str, condition: &str, rest: &str) -> Query {
        let sql = format!(
            "SELECT {columns} FROM {table}_g{} FINAL WHERE tenant = ? AND ({condition}) {rest}",
            self.generation
        );
        self.client.query(&sql).bind(&self.tenant)
    }

    /// As [`Self::scan`], of rows that the condition finds by their key, of which alone it may speak: rows of other keys are
    /// put aside before `FINAL` merges what is left. Threads beside the first would only cost.
    pub fn select(&self, columns: &str, table: &str, condition: &str, rest: &str) -> Query {
        let sql = format!(
            "SELECT {columns} FROM {table}_g{} FINAL PREWHERE tenant = ? AND ({condition}) {rest}",
            self.generation
        );
        self.client.query(&sql).bind(&self.tenant).with_setting("max_threads", "1")
    }

    /// As [`Self::scan`], of all rows that are there: also those that a merge will take.
    pub fn any(&self, columns: &str, table: &str) -> Query {
        let sql = format!("SELECT {columns} FROM {table}_g{} WHERE tenant = ?", self.generation);
        self.client.query(&sql).bind(&self.tenant)
    }

    /// As [`Self::scan`], over the rows of several scans of `(columns, table, condition)`.
    pub fn scan_all(&self, columns: &str, scans: &[(String, &str, String)], rest: &str) -> Scans {
        let parts: Vec<String> = scans
            .iter()
            .map(|(columns, table, condition)| {
                format!("SELECT {columns} FROM {table}_g{} FINAL WHERE tenant = ? AND ({condition})", self.generation)
            })
            .collect();
        let sql = format!("SELECT {columns} FROM ({}) {rest}", parts.join(" UNION ALL "));
        let query = self.client.query(&sql);
        Scans { query, tenant: self.tenant.clone(), scans: scans.len() }
    }

    /// As [`Self::scan_all`] over one scan, of rows whose `key` the scan has more than once as `repeated`. Those are found
    /// first, by the key alone: few of many are left to be grouped by more.
    pub fn scan_repeated(
        &self,
        columns: &str,
        (inner, table, condition): (&str, &str, &str),
        (key, repeated): (&str, &str),
        rest: &str,
    ) -> Scans {
        let from = format!("FROM {table}_g{} FINAL WHERE tenant = ? AND ({condition})", self.generation);
        let sql = format!(
            "SELECT {columns} FROM (SELECT {inner} {from}) WHERE {key} IN (SELECT repeated FROM \
             (SELECT {repeated} AS repeated {from}) GROUP BY repeated HAVING count() > 1) {rest}"
        );
        Scans { query: self.client.query(&sql), tenant: self.tenant.clone(), scans: 2 }
    }

    /// As [`Self::scan`], of traces that the other table has rows about; `beside` is what these are summed up to.
    pub fn scan_beside(
        &self,
        columns: &str,
        table: &str,
        condition: &str,
        (beside, other): (&str, &str),
        rest: &str,
    ) -> Query {
        let g = self.generation;
        let sql = format!(
            "WITH others AS (SELECT trace_id, {beside} FROM {other}_g{g} FINAL WHERE tenant = ? GROUP BY trace_id) \
             SELECT {columns} FROM (SELECT * FROM {table}_g{g} FINAL WHERE tenant = ? AND ({condition})) AS traces \
             INNER JOIN others USING (trace_id) {rest}"
        );
        self.client.query(&sql).bind(&self.tenant).bind(&self.tenant)
    }

    /// The number of rows of a scan, counted up to a bound.
    pub fn count(&self, table: &str, condition: &str, at_most: u64) -> Query {
        let sql = format!(
            "SELECT count() FROM (SELECT 1 FROM {table}_g{} FINAL WHERE tenant = ? AND ({condition}) LIMIT {at_most})",
            self.generation
        );
        self.client.query(&sql).bind(&self.tenant)
    }
}

/// A query over several scans, each of which gets the tenant and the same values.
pub struct Scans {
    query: Query,
    tenant: String,
    scans: usize,
}

impl Scans {
    pub fn bind(self, values: &[String]) -> Query {
        (0..self.scans)
            .fold(self.query, |query, _| values.iter().fold(query.bind(&self.tenant), |query, value| query.bind(value)))
    }
}
