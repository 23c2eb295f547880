//! `GET /insights/failures`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::position::Topic;

use super::asked::Asked;
use super::counts::{self, EXAMPLES, Name, Point, Seen};
use super::documents::{FailureCluster, FailurePoint, FailuresOut};
use super::patterns::{Pattern, Patterns};
use crate::period::rfc3339;
use crate::state::AppState;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<FailuresOut>, Problem> {
    let asked = Asked::read(pairs)?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = &state.clickhouse.of(&principal).await?;
    let (patterns, seen) = tokio::try_join!(Patterns::of(tenant), counts::by_signature(tenant, &asked))?;
    let total_failed = seen.values().map(|seen| seen.count).sum();
    let mut found: Vec<(&Pattern, Seen)> = patterns.all.iter().map(|pattern| (pattern, sum(pattern, &seen))).collect();
    found.retain(|(_, seen)| seen.count > 0);
    found.sort_by(|(a, seen_a), (b, seen_b)| (seen_b.count, &a.text).cmp(&(seen_a.count, &b.text)));
    let cluster_count = found.len() as u64;
    found.truncate(asked.limit);
    let listed: Vec<&Pattern> = found.iter().map(|(pattern, _)| *pattern).collect();
    let (mut names, mut trend) = if listed.is_empty() {
        Default::default()
    } else {
        let (names, trend) =
            tokio::try_join!(counts::names(tenant, &asked, &listed), counts::trend(tenant, &asked, &listed))?;
        (by_cluster(names, |name| name.cluster), by_cluster(trend, |point| point.cluster))
    };
    let clusters = found.into_iter().zip(0..).map(|((pattern, seen), place)| {
        let (names, trend) = (names.remove(&place).unwrap_or_default(), trend.remove(&place).unwrap_or_default());
        cluster(&asked, pattern, seen, total_failed, names, trend)
    });
    Ok(Json(FailuresOut {
        project_id: asked.project_id.clone(),
        from: micros_rfc3339(asked.period.from),
        to: micros_rfc3339(asked.period.to),
        clusters: clusters.collect(),
        cluster_count,
        total_failed,
        truncated: patterns.truncated,
    }))
}

fn sum(pattern: &Pattern, seen: &HashMap<u64, Seen>) -> Seen {
    pattern.signatures.iter().filter_map(|hash| seen.get(hash)).fold(Seen::default(), |sum, seen| sum.plus(*seen))
}

fn by_cluster<T>(rows: Vec<T>, place: impl Fn(&T) -> i32) -> HashMap<i32, Vec<T>> {
    let mut found: HashMap<i32, Vec<T>> = HashMap::new();
    for row in rows {
        found.entry(place(&row)).or_default().push(row);
    }
    found
}

fn cluster(
    asked: &Asked,
    pattern: &Pattern,
    seen: Seen,
    total_failed: u64,
    names: Vec<Name>,
    trend: Vec<Point>,
) -> FailureCluster {
    let counted: HashMap<i64, u64> = trend.iter().map(|point| (point.start, point.count)).collect();
    let points = asked.intervals.starts.iter().map(|start| FailurePoint {
        start: rfc3339(start),
        count: counted.get(&start.timestamp().as_second()).copied().unwrap_or(0),
    });
    FailureCluster {
        id: pattern.id.clone(),
        pattern: pattern.text.clone(),
        count: seen.count,
        share: seen.count as f64 / total_failed as f64,
        // The newest intervals come first.
        example_trace_ids: trend.iter().flat_map(|point| point.examples.clone()).take(EXAMPLES as usize).collect(),
        first_seen: micros_rfc3339(seen.first),
        last_seen: micros_rfc3339(seen.last),
        affected_names: names.into_iter().map(|name| name.named).collect(),
        is_new: seen.is_new(),
        regressed: seen.has_regressed(),
        trend: points.collect(),
    }
}
