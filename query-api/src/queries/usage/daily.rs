//! `GET /usage/daily`: the last 30 days, zeros included.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;

use super::counted::{Day, by_day};
use super::documents::{DailyUsageOut, DayUsage};
use crate::numbers::Number;
use crate::state::AppState;

const DAYS: i64 = 30;
const EPOCH: Date = date(1970, 1, 1);

pub async fn daily(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<DailyUsageOut>, Problem> {
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let today = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date();
    let first = today.saturating_sub((DAYS - 1).days());
    let counted = by_day(&tenant, &first.to_string()).await?;
    let mut counted: HashMap<Date, Day> =
        counted.into_iter().map(|day| (EPOCH.saturating_add(i64::from(day.day).days()), day)).collect();
    let days = first.series(1.day()).take(DAYS as usize).map(|date| shown(date, counted.remove(&date))).collect();
    Ok(Json(DailyUsageOut { days }))
}

fn shown(date: Date, counted: Option<Day>) -> DayUsage {
    let date = date.to_string();
    match counted {
        Some(Day { traces, spans, tokens, cost, .. }) => {
            DayUsage { date, traces, spans, tokens, cost: Number::money(cost) }
        }
        None => DayUsage { date, traces: 0, spans: 0, tokens: 0, cost: Number::money(0) },
    }
}
