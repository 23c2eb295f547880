//! `GET /analytics/costs`.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use jiff::ZonedDateTime;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::http::parameters::COSTS_QUERY;
use runtime::position::Topic;

use super::documents::{CostsOut, DayCosts, Figures, GroupCosts, Groups, IntervalCosts, ModelCosts, Previous};
use crate::numbers::Number;
use crate::params::Params;
use crate::period::{Interval, Intervals, Period, rfc3339};
use crate::spending::{Filters, Group, Line, Order, Sums, by_group, by_time, total};
use crate::state::AppState;

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
        let mut params = Params::new(pairs, COSTS_QUERY);
        let period = Period::read(&mut params);
        let filters = Filters::read(&mut params);
        let days = period.cut(Interval::Day, &mut params);
        let series = Interval::read(&mut params).map(|interval| period.cut(interval, &mut params));
        let group_by = params
            .one_of("group_by")
            .and_then(|asked| GROUPS.iter().find(|(name, _)| *name == asked).map(|(_, group)| (asked, *group)));
        let limit = params.whole("limit");
        let compare = params.one_of("compare").is_some();
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
    let models = by_group(tenant, period, filters, Group::Model, Order::Dearest, MOST_MODELS);
    let groups = async {
        match asked.group_by {
            // They are read already.
            Some((_, Group::Model)) | None => Ok(None),
            Some((_, group)) => by_group(tenant, period, filters, group, Order::Dearest, asked.limit).await.map(Some),
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
        count: figures(*sums, filters.by_model).traces,
    });
    let series = asked.series.as_ref().zip(series).map(|(intervals, sums)| {
        let point = |(start, sums): (&ZonedDateTime, Sums)| IntervalCosts {
            start: rfc3339(start),
            figures: figures(sums, filters.by_model),
        };
        intervals.starts.iter().zip(sums).map(point).collect()
    });
    let by_model = models.into_iter().map(|row| {
        let sums = row.sums();
        ModelCosts {
            cost: Number::money(sums.cost),
            tokens: sums.tokens,
            count: sums.calls,
            unpriced_calls: sums.unpriced_calls,
            input_tokens: sums.input_tokens,
            output_tokens: sums.output_tokens,
            cache_read_tokens: sums.cache_read_tokens,
            cache_write_tokens: sums.cache_write_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            traces: sums.uses,
            model: none_if_empty(row.key),
        }
    });
    CostsOut {
        from: micros_rfc3339(period.from),
        to: micros_rfc3339(period.to),
        timezone: period.zone.iana_name().unwrap_or("UTC").to_owned(),
        total: Number::money(total.cost),
        totals: figures(total, filters.by_model),
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
    let others = (group != Group::Tag && count > rows.len() as u64).then(|| figures(total.minus(listed), by_model));
    let of = |row: Line| GroupCosts { figures: figures(row.sums(), by_model), value: none_if_empty(row.key) };
    Groups { by: by.to_owned(), groups: rows.into_iter().map(of).collect(), count, others }
}

fn compared(period: &Period, before: Sums, now: Sums, filters: &Filters) -> Previous {
    let change = (now.cost - before.cost) as f64 / before.cost as f64 * 100.0;
    Previous {
        from: micros_rfc3339(period.from),
        to: micros_rfc3339(period.to),
        totals: figures(before, filters.by_model),
        change_percent: (before.cost != 0).then_some(change),
    }
}

/// `by_model`: the rows are those of one model, so that each is a trace.
fn figures(sums: Sums, by_model: bool) -> Figures {
    Figures {
        cost: Number::money(sums.cost),
        tokens: sums.tokens,
        input_tokens: sums.input_tokens,
        output_tokens: sums.output_tokens,
        cache_read_tokens: sums.cache_read_tokens,
        cache_write_tokens: sums.cache_write_tokens,
        reasoning_tokens: sums.reasoning_tokens,
        calls: sums.calls,
        unpriced_calls: sums.unpriced_calls,
        traces: if by_model { sums.uses } else { sums.traces },
    }
}

fn none_if_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
