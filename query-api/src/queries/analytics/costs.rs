//! `GET /analytics/costs`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use clickhouse::Row;
use jiff::ZonedDateTime;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::position::Topic;
use serde::Deserialize;

use super::documents::{CostsOut, DayCosts, Figures, GroupCosts, Groups, IntervalCosts, ModelCosts, Previous};
use super::filters::Filters;
use super::source::{Group, scans};
use crate::numbers::Number;
use crate::params::Params;
use crate::period::{Interval, Intervals, Period, rfc3339};
use crate::state::AppState;
use crate::stores::{Tenant, down};

const PARAMETERS: &[&str] = &[
    "from",
    "to",
    "timezone",
    "interval",
    "group_by",
    "limit",
    "compare",
    "project_id",
    "environment",
    "name",
    "user_id",
    "session_id",
    "model",
    "tag",
];

const GROUPS: [(&str, Group); 7] = [
    ("model", Group::Model),
    ("name", Group::Name),
    ("user", Group::User),
    ("session", Group::Session),
    ("project", Group::Project),
    ("environment", Group::Environment),
    ("tag", Group::Tag),
];

/// More models than this are in `others` of `group_by=model`, and not in `byModel`.
const MOST_MODELS: u64 = 1_000;

const SUMS: &str = "sum(traces) AS traces, sum(uses) AS uses, sum(calls) AS calls, \
                    sum(unpriced_calls) AS unpriced_calls, sum(input_tokens) AS input_tokens, \
                    sum(output_tokens) AS output_tokens, sum(tokens) AS tokens, sum(cost) AS cost";

#[derive(Clone, Copy, Default)]
struct Sums {
    traces: i64,
    uses: i64,
    calls: i64,
    unpriced_calls: i64,
    input_tokens: i64,
    output_tokens: i64,
    tokens: i64,
    cost: i128,
}

/// The sums of one interval or group, as every query here answers them.
#[derive(Clone, Row, Deserialize)]
struct Line {
    key: String,
    /// How many keys there are, whatever the limit.
    keys: u64,
    traces: i64,
    uses: i64,
    calls: i64,
    unpriced_calls: i64,
    input_tokens: i64,
    output_tokens: i64,
    tokens: i64,
    cost: i128,
}

impl Line {
    fn sums(&self) -> Sums {
        Sums {
            traces: self.traces,
            uses: self.uses,
            calls: self.calls,
            unpriced_calls: self.unpriced_calls,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            tokens: self.tokens,
            cost: self.cost,
        }
    }
}

impl Sums {
    fn plus(self, other: Sums) -> Sums {
        self.combined(other, 1)
    }

    fn minus(self, other: Sums) -> Sums {
        self.combined(other, -1)
    }

    fn combined(self, other: Sums, sign: i64) -> Sums {
        Sums {
            traces: self.traces + sign * other.traces,
            uses: self.uses + sign * other.uses,
            calls: self.calls + sign * other.calls,
            unpriced_calls: self.unpriced_calls + sign * other.unpriced_calls,
            input_tokens: self.input_tokens + sign * other.input_tokens,
            output_tokens: self.output_tokens + sign * other.output_tokens,
            tokens: self.tokens + sign * other.tokens,
            cost: self.cost + i128::from(sign) * other.cost,
        }
    }

    /// `by_model`: the rows are those of one model, so that each is a trace.
    fn figures(self, by_model: bool) -> Figures {
        Figures {
            cost: Number::money(self.cost),
            tokens: self.tokens,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            calls: self.calls,
            unpriced_calls: self.unpriced_calls,
            traces: if by_model { self.uses } else { self.traces },
        }
    }
}

struct Asked {
    period: Period,
    filters: Filters,
    days: Intervals,
    series: Option<Intervals>,
    group_by: Option<(String, Group)>,
    limit: u64,
    compare: bool,
}

impl Asked {
    fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, PARAMETERS);
        let period = Period::read(&mut params);
        let filters = Filters::read(&mut params);
        let days = period.cut(Interval::Day, &mut params);
        let series = Interval::read(&mut params).map(|interval| period.cut(interval, &mut params));
        let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        let group_by = params
            .one_of("group_by", &names)
            .and_then(|asked| GROUPS.iter().find(|(name, _)| *name == asked).map(|(_, group)| (asked, *group)));
        let limit = params.whole("limit", 1, MOST_MODELS, 100);
        let compare = params.one_of("compare", &["previous"]).is_some();
        params.finish()?;
        Ok(Asked { period, filters, days, series, group_by, limit, compare })
    }
}

pub async fn costs(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<CostsOut>, Problem> {
    let asked = Asked::read(pairs)?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = &state.clickhouse.of(&principal).await?;
    let Asked { period, filters, .. } = &asked;
    let days = by_time(tenant, period, filters, &asked.days);
    let series = async {
        match &asked.series {
            Some(intervals) => by_time(tenant, period, filters, intervals).await.map(Some),
            None => Ok(None),
        }
    };
    let models = by_group(tenant, period, filters, Group::Model, MOST_MODELS);
    let groups = async {
        match asked.group_by {
            // They are read already.
            Some((_, Group::Model)) | None => Ok(None),
            Some((_, group)) => by_group(tenant, period, filters, group, asked.limit).await.map(Some),
        }
    };
    let previous = async {
        if !asked.compare {
            return Ok(None);
        }
        let period = period.previous();
        total(tenant, &period, filters).await.map(|sums| Some((period, sums)))
    };
    let (days, series, models, groups, previous) = tokio::try_join!(days, series, models, groups, previous)?;
    let groups = groups.or_else(|| {
        let listed = models.iter().take(asked.limit as usize).cloned();
        asked.group_by.as_ref().map(|_| listed.collect())
    });
    Ok(Json(answer(&asked, days, series, models, groups, previous)))
}

/// The sums of each interval, in their order.
async fn by_time(
    tenant: &Tenant,
    period: &Period,
    filters: &Filters,
    intervals: &Intervals,
) -> Result<Vec<Sums>, Problem> {
    let starts: Vec<i64> = intervals.starts.iter().map(|start| start.timestamp().as_second()).collect();
    // What lies before the first cut begins with the first interval.
    let cuts = intervals.starts.get(1..).unwrap_or_default();
    let listed = starts.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let columns = format!("toString(roundDown(toInt64(second), [{listed}])) AS key, toUInt64(0) AS keys, {SUMS}");
    let scans = scans(period, filters, Group::Environment, cuts);
    let query = tenant.scan_all(&columns, &scans, "GROUP BY key").bind(&filters.values);
    let lines: Vec<Line> = query.fetch_all().await.map_err(down)?;
    let found: HashMap<&str, Sums> = lines.iter().map(|line| (line.key.as_str(), line.sums())).collect();
    Ok(starts.iter().map(|start| found.get(start.to_string().as_str()).copied().unwrap_or_default()).collect())
}

async fn by_group(
    tenant: &Tenant,
    period: &Period,
    filters: &Filters,
    group: Group,
    limit: u64,
) -> Result<Vec<Line>, Problem> {
    let columns = format!("grouped AS key, count() OVER () AS keys, {SUMS}");
    let scans = scans(period, filters, group, &[]);
    // Totals whose traces have all gone are rows of zeros.
    let rest = format!("GROUP BY key HAVING uses != 0 ORDER BY cost DESC, key LIMIT {limit}");
    tenant.scan_all(&columns, &scans, &rest).bind(&filters.values).fetch_all().await.map_err(down)
}

async fn total(tenant: &Tenant, period: &Period, filters: &Filters) -> Result<Sums, Problem> {
    let scans = scans(period, filters, Group::Environment, &[]);
    let columns = format!("'' AS key, toUInt64(0) AS keys, {SUMS}");
    let line: Line = tenant.scan_all(&columns, &scans, "").bind(&filters.values).fetch_one().await.map_err(down)?;
    Ok(line.sums())
}

fn answer(
    asked: &Asked,
    days: Vec<Sums>,
    series: Option<Vec<Sums>>,
    models: Vec<Line>,
    groups: Option<Vec<Line>>,
    previous: Option<(Period, Sums)>,
) -> CostsOut {
    let Asked { period, filters, .. } = asked;
    let total = days.iter().copied().fold(Sums::default(), Sums::plus);
    let daily = asked.days.starts.iter().zip(&days).map(|(start, sums)| DayCosts {
        date: start.strftime("%Y-%m-%d").to_string(),
        cost: Number::money(sums.cost),
        tokens: sums.tokens,
        count: sums.figures(filters.by_model).traces,
    });
    let series = asked.series.as_ref().zip(series).map(|(intervals, sums)| {
        let figures = |(start, sums): (&ZonedDateTime, Sums)| IntervalCosts {
            start: rfc3339(start),
            figures: sums.figures(filters.by_model),
        };
        intervals.starts.iter().zip(sums).map(figures).collect()
    });
    let by_model = models.into_iter().map(|row| ModelCosts {
        cost: Number::money(row.cost),
        tokens: row.tokens,
        count: row.calls,
        unpriced_calls: row.unpriced_calls,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        traces: row.uses,
        model: none_if_empty(row.key),
    });
    CostsOut {
        from: micros_rfc3339(period.from),
        to: micros_rfc3339(period.to),
        timezone: period.zone.iana_name().unwrap_or("UTC").to_owned(),
        total: Number::money(total.cost),
        totals: total.figures(filters.by_model),
        by_model: by_model.collect(),
        daily: daily.collect(),
        series,
        groups: asked
            .group_by
            .as_ref()
            .zip(groups)
            .map(|((by, group), rows)| grouped(by, *group, filters, total, rows)),
        previous: previous.map(|(period, sums)| compared(&period, sums, total, filters)),
    }
}

fn grouped(by: &str, group: Group, filters: &Filters, total: Sums, rows: Vec<Line>) -> Groups {
    let by_model = filters.by_model || group == Group::Model;
    let count = rows.first().map_or(0, |row| row.keys);
    let listed = rows.iter().fold(Sums::default(), |sums, row| sums.plus(row.sums()));
    let others = (group != Group::Tag && count > rows.len() as u64).then(|| total.minus(listed).figures(by_model));
    let of = |row: Line| GroupCosts { figures: row.sums().figures(by_model), value: none_if_empty(row.key) };
    Groups { by: by.to_owned(), groups: rows.into_iter().map(of).collect(), count, others }
}

fn compared(period: &Period, before: Sums, now: Sums, filters: &Filters) -> Previous {
    let change = (now.cost - before.cost) as f64 / before.cost as f64 * 100.0;
    Previous {
        from: micros_rfc3339(period.from),
        to: micros_rfc3339(period.to),
        totals: before.figures(filters.by_model),
        change_percent: (before.cost != 0).then_some(change),
    }
}

fn none_if_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
