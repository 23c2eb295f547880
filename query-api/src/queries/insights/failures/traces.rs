//! `GET /insights/failures/{id}/traces`: the failed traces of a cluster.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use clickhouse::Row;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::http::parameters::FAILED_TRACES_QUERY;
use runtime::position::Topic;
use serde::Deserialize;

use super::counts::MOST_STATEMENT;
use super::documents::{FailedTrace, FailedTraces};
use super::patterns::Patterns;
use crate::cursor::Cursor;
use crate::numbers::Number;
use crate::params::Params;
use crate::period::Period;
use crate::state::AppState;
use crate::stores::down;
use crate::times::moment;
use crate::trace_filters::Filters;

#[derive(Row, Deserialize)]
struct Listed {
    trace_id: String,
    name: String,
    project_id: Option<String>,
    environment: Option<String>,
    user_id: Option<String>,
    session_id: Option<String>,
    started_at: i64,
    total_cost: i128,
    total_tokens: i64,
    failure: String,
}

pub async fn traces(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<FailedTraces>, Problem> {
    let mut params = Params::new(pairs, FAILED_TRACES_QUERY);
    let period = Period::read(&mut params);
    let filters = Filters::in_common(&params);
    let limit = params.whole("limit") as usize;
    let purpose = format!("failures\0{id}\0{}", filters.fingerprint());
    let cursor = Cursor::asked(&mut params, &state.signer, &purpose);
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let pattern = Patterns::of(&tenant).await?.find(&id).ok_or_else(|| Problem::not_found("Failure cluster"))?;
    let hashes: Vec<String> = pattern.signatures.iter().map(u64::to_string).collect();
    let window = format!(
        "status = 'failed' AND started_at >= {} AND started_at < {} AND xxh3(failure) IN ({})",
        moment(period.from),
        moment(period.to),
        hashes.join(",")
    );
    let mut condition = filters.and(&window);
    if cursor.is_some() {
        condition.push_str(" AND (started_at, trace_id) < (fromUnixTimestamp64Micro(?, 'UTC'), ?)");
    }
    let rest = format!("ORDER BY started_at DESC, trace_id DESC LIMIT {}", limit + 1);
    let mut query = filters.bind(tenant.scan("?fields", "trace_list", &condition, &rest));
    if let Some(cursor) = &cursor {
        query = query.bind(cursor.value.parse::<i64>().unwrap_or(0)).bind(&cursor.id);
    }
    let mut rows: Vec<Listed> = query.with_setting("max_query_size", MOST_STATEMENT).fetch_all().await.map_err(down)?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| {
        let cursor = Cursor { value: row.started_at.to_string(), id: row.trace_id.clone() };
        cursor.write(&state.signer, &purpose)
    });
    let traces = rows.into_iter().map(Listed::answer).collect();
    Ok(Json(FailedTraces { id, pattern: pattern.text, traces, next_cursor }))
}

impl Listed {
    fn answer(self) -> FailedTrace {
        FailedTrace {
            id: self.trace_id,
            name: Some(self.name).filter(|name| !name.is_empty()),
            project_id: self.project_id,
            environment: self.environment,
            user_id: self.user_id,
            session_id: self.session_id,
            started_at: micros_rfc3339(self.started_at),
            total_cost: Number::money(self.total_cost),
            total_tokens: self.total_tokens,
            error_signature: self.failure,
        }
    }
}
