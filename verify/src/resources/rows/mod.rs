//! The rows of resources in Postgres, beside the fold. One file a noun.

mod api_keys;
mod collaboration;
mod datasets;
mod memory;
mod plans;
mod prompts;
mod skills;
mod tapes;

use std::collections::BTreeMap;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Outcome, Resources};
use crate::verify::Report;

type OutcomeRow = (Uuid, i16, Option<i64>, Option<Uuid>, Option<String>);

pub struct ResourceRows {
    outcomes: BTreeMap<Uuid, Outcome>,
    skills: skills::Rows,
    prompts: prompts::Rows,
    memory: memory::Rows,
    api_keys: api_keys::Rows,
    datasets: datasets::Rows,
    plans: plans::Rows,
    collaboration: collaboration::Rows,
    tapes: tapes::Rows,
}

impl ResourceRows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<ResourceRows> {
        let sql = format!("SELECT event_id, status, version, resource, reason FROM {schema}.command_outcomes");
        let outcomes: Vec<OutcomeRow> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *snapshot).await?;
        Ok(ResourceRows {
            outcomes: outcomes
                .into_iter()
                .map(|(event, status, version, resource, reason)| {
                    (event, Outcome { status, version, resource, reason })
                })
                .collect(),
            skills: skills::Rows::read(snapshot, schema).await?,
            prompts: prompts::Rows::read(snapshot, schema).await?,
            memory: memory::Rows::read(snapshot, schema).await?,
            api_keys: api_keys::Rows::read(snapshot, schema).await?,
            datasets: datasets::Rows::read(snapshot, schema).await?,
            plans: plans::Rows::read(snapshot, schema).await?,
            collaboration: collaboration::Rows::read(&mut *snapshot, schema).await?,
            tapes: tapes::Rows::read(snapshot, schema).await?,
        })
    }

    pub fn compare(&self, expected: &Resources, report: &mut Report) {
        for event in crate::workspace::both(&expected.outcomes, &self.outcomes) {
            report.compared("command_outcomes");
            let (expected, found) = (expected.outcomes.get(event), self.outcomes.get(event));
            report.field("command_outcomes", &event.to_string(), "row", &expected, &found);
        }
        self.skills.compare(&expected.skills, report);
        self.prompts.compare(&expected.prompts, report);
        self.memory.compare(&expected.memory, report);
        self.api_keys.compare(expected, report);
        self.datasets.compare(&expected.datasets, report);
        self.plans.compare(expected, report);
        self.collaboration.compare(&expected.collaboration, report);
        self.tapes.compare(&expected.tapes, report);
    }
}

/// A table's rows, each with its key.
async fn keyed<K, R>(snapshot: &mut PgConnection, schema: &str, table: &str) -> sqlx::Result<Vec<(K, R)>>
where
    K: for<'r> FromRow<'r, PgRow>,
    R: for<'r> FromRow<'r, PgRow>,
{
    let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {schema}.{table}"))).fetch_all(snapshot).await?;
    rows.iter().map(|row| Ok((K::from_row(row)?, R::from_row(row)?))).collect()
}

fn micros(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1000) as i64
}
