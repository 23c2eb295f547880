//! What is recorded, trace by trace: the days that have traces from the totals, their traces from the list, and of these
//! the spans. Each is one look-up in the order of its table, so that memory is bounded by a day's ids and a trace's spans.

use anyhow::Context;
use clickhouse::query::Query;
use clickhouse::{Client, Row};
use runtime::Settings;
use schemas::Money;
use schemas::prices::Usage;
use serde::Deserialize;
use sqlx::PgPool;

use super::change::Call;
use crate::cli::RepriceOptions;

const DAY: i64 = 86_400;
/// Traces whose spans are looked up at once.
pub const PAGE: usize = 500;

/// A tenant's traces that started on a day (of UTC).
#[derive(Row, Deserialize)]
pub struct Day {
    pub tenant: String,
    /// Seconds since 1970.
    start: u32,
}

/// A trace with the total that it reports.
pub struct Trace {
    pub id: String,
    pub reported_cost: Option<Money>,
    pub calls: Vec<Call>,
}

#[derive(Row, Deserialize)]
struct Reported {
    trace_id: String,
    reported_cost: Option<i128>,
}

#[derive(Row, Deserialize)]
struct Span {
    trace_id: String,
    model: Option<String>,
    started_at: Option<i64>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
    reported_cost: Option<i128>,
    cost: Option<i128>,
}

pub struct Source {
    client: Client,
    pool: PgPool,
}

impl Source {
    pub fn new(settings: &Settings, pool: PgPool) -> Source {
        Source { client: migrations::clickhouse::client(settings).with_setting("readonly", "2"), pool }
    }

    /// A rebuild may switch generations meanwhile.
    async fn generation(&self) -> anyhow::Result<i32> {
        let live = sqlx::query_scalar("SELECT generation FROM generations WHERE projection = 'traces' AND live");
        live.fetch_one(&self.pool).await.context("Postgres cannot be read")
    }

    /// In the order of tenants and time.
    pub async fn days(&self, asked: &RepriceOptions) -> anyhow::Result<Vec<Day>> {
        let (mut conditions, mut values) = (vec!["true".to_owned()], Vec::new());
        for (column, value) in [("tenant", &asked.tenant), ("project_id", &asked.project)] {
            conditions.extend(value.as_ref().map(|_| format!("{column} = ?")));
            values.extend(value);
        }
        conditions.extend(asked.from.map(|from| format!("start + {DAY} > {}", from.unix_timestamp())));
        conditions.extend(asked.to.map(|to| format!("start <= {}", to.unix_timestamp())));
        let sql = format!(
            "SELECT tenant, start FROM cost_totals_g{} FINAL WHERE cube = {} AND grain = {DAY} AND {}
             GROUP BY tenant, start HAVING sum(uses) > 0 ORDER BY tenant, start",
            self.generation().await?,
            u8::from(asked.project.is_some()),
            conditions.join(" AND ")
        );
        let query = values.into_iter().fold(self.client.query(&sql), Query::bind);
        query.fetch_all().await.context("ClickHouse cannot be read")
    }

    /// The ids of a day's traces.
    pub async fn traces(&self, asked: &RepriceOptions, day: &Day) -> anyhow::Result<Vec<String>> {
        let start = i64::from(day.start) * 1_000_000;
        let from = asked.from.map_or(start, |from| micros(from).max(start));
        let to = asked.to.map_or(i64::MAX, micros).min(start + DAY * 1_000_000);
        let time = |micros: i64| format!("fromUnixTimestamp64Micro({micros}, 'UTC')");
        let sql = format!(
            "SELECT trace_id FROM trace_list_g{} FINAL
             WHERE tenant = ? AND started_at >= {} AND started_at < {} AND {} ORDER BY started_at, trace_id",
            self.generation().await?,
            time(from),
            time(to),
            if asked.project.is_some() { "project_id = ?" } else { "true" }
        );
        let query = asked.project.iter().fold(self.client.query(&sql).bind(&day.tenant), Query::bind);
        query.fetch_all().await.context("ClickHouse cannot be read")
    }

    /// Hands over those of the traces that have spans, one after the other; no more than a page of them at once.
    pub async fn spans(
        &self,
        tenant: &str,
        ids: &[String],
        mut each: impl FnMut(Trace) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let generation = self.generation().await?;
        let of = |columns: &str, table: &str, order: &str| {
            let sql = format!(
                "SELECT {columns} FROM {table}_g{generation} FINAL WHERE tenant = ? AND trace_id IN ? ORDER BY {order}"
            );
            self.client.query(&sql).bind(tenant).bind(ids)
        };
        let reported: Vec<Reported> = of("?fields", "traces", "trace_id").fetch_all().await?;
        let mut reported = reported.into_iter().peekable();
        let mut spans = of("?fields", "spans", "trace_id, span_id").fetch::<Span>()?;
        let mut trace: Option<Trace> = None;
        while let Some(span) = spans.next().await.context("ClickHouse cannot be read")? {
            if trace.as_ref().is_none_or(|trace| trace.id != span.trace_id) {
                trace.take().map(&mut each).transpose()?;
                while reported.next_if(|row| row.trace_id < span.trace_id).is_some() {}
                let row = reported.next_if(|row| row.trace_id == span.trace_id);
                let reported_cost = row.and_then(|row| row.reported_cost).map(Money);
                trace = Some(Trace { id: span.trace_id.clone(), reported_cost, calls: Vec::new() });
            }
            if let Some(trace) = &mut trace {
                trace.calls.push(span.call());
            }
        }
        trace.map(each).transpose().map(drop)
    }
}

impl Span {
    fn call(self) -> Call {
        Call {
            model: self.model,
            started_at: self.started_at,
            usage: Usage {
                input: self.input_tokens,
                output: self.output_tokens,
                cache_read: self.cache_read_tokens,
                cache_write: self.cache_write_tokens,
            },
            reported_cost: self.reported_cost.map(Money),
            cost: self.cost.map(Money),
        }
    }
}

fn micros(time: time::OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos().div_euclid(1000)) as i64
}
