//! The workspace projection against the fold. Rows and checkpoints change in one transaction, so that one snapshot of
//! them is compared with the fold up to exactly its checkpoints.

use std::collections::BTreeMap;

use anyhow::Context;
use schemas::topics;
use sqlx::{AssertSqlSafe, PgPool};

use crate::fold::{Fold, table_text};
use crate::log::Ends;
use crate::resources::ResourceRows;
use crate::verify::{Checkpoint, Report};

pub struct Workspace {
    pub checkpoints: Vec<Checkpoint>,
    next: Ends,
    /// By (scope, hash).
    tables: BTreeMap<(String, String), Vec<u8>>,
    resources: ResourceRows,
}

impl Workspace {
    pub async fn read(pool: &PgPool, generation: &str) -> anyhow::Result<Workspace> {
        let schema = format!("workspace_{generation}");
        let mut snapshot = pool.begin().await.context("Postgres cannot be reached")?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *snapshot).await?;
        let checkpoints: Vec<(String, i32, i64, String, i32)> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT topic, partition_id, next_offset, log_id, partitions FROM {schema}.checkpoints"
        )))
        .fetch_all(&mut *snapshot)
        .await?;
        let tables: Vec<(String, String, Vec<u8>)> =
            sqlx::query_as(AssertSqlSafe(format!("SELECT scope, hash, body FROM {schema}.price_tables")))
                .fetch_all(&mut *snapshot)
                .await?;
        let resources = ResourceRows::read(&mut snapshot, &schema).await?;
        snapshot.commit().await?;
        let checkpoints: Vec<Checkpoint> = checkpoints
            .into_iter()
            .filter(|row| row.0.ends_with(topics::WORKSPACE))
            .map(|(_, partition, next, log_id, partitions)| Checkpoint { partition, next, log_id, partitions })
            .collect();
        Ok(Workspace {
            next: checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.next)).collect(),
            checkpoints,
            resources,
            tables: tables.into_iter().map(|(scope, hash, body)| ((scope, hash), body)).collect(),
        })
    }

    pub fn compare(&self, fold: &Fold, report: &mut Report) {
        self.resources.compare(&fold.resources(Some(&self.next)), report);
        let expected = fold.price_tables(Some(&self.next));
        for name in both(&expected, &self.tables) {
            report.compared("price_tables");
            // The body may be kept packed, as the event has it, or as text.
            let found = self
                .tables
                .get(name)
                .map(|body| table_text(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned()));
            let expected = expected.get(name).map(|table| table.text.clone());
            report.field("price_tables", &format!("{name:?}"), "body", &expected, &found);
        }
    }
}

/// The names in either map.
pub(crate) fn both<'a, K: Ord, A, B>(one: &'a BTreeMap<K, A>, other: &'a BTreeMap<K, B>) -> Vec<&'a K> {
    one.keys().chain(other.keys().filter(|name| !one.contains_key(name))).collect()
}
