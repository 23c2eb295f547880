//! What is the matter at a moment.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use clickhouse::Row;
use insights::anomalies::{Bounds, Detection, Kind, Verdict, Window, detect};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;
use serde::Deserialize;

use super::super::ended::in_ranges;
use super::documents::{AnomaliesOut, AnomalyOut, EvidenceOut, Insufficient, MissingOut};
use super::evidence::{self, Evidence};
use super::windows::{Asked, METRICS, places};
use crate::state::AppState;
use crate::stores::{Tenant, down};
use crate::times::time_of;
use crate::trace_filters::Filters;

pub async fn anomalies(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<AnomaliesOut>, Problem> {
    let asked = Asked::read(pairs)?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = &state.clickhouse.of(&principal).await?;
    let at = asked.at.to_zoned_datetime(asked.zone.clone());
    let history = history(tenant, &asked.filters).await?.unwrap_or(i64::MAX);
    let places = places(&at, asked.window_hours, history);
    let mut ranges: Vec<_> = places.iter().map(|place| place.range).collect();
    ranges.reverse();
    let mut ended = in_ranges(tenant, &asked.filters, &ranges, &METRICS, None).await?.remove("").unwrap_or_default();
    ended.resize(ranges.len(), Default::default());
    let windows: Vec<Window> =
        places.iter().zip(ended.iter().rev()).map(|(place, ended)| place.window(ended)).collect();
    let Some((current, baseline)) = windows.split_first() else { return Err(Problem::internal("no window")) };
    let detections = detect(baseline, current, &Bounds::default());
    let found: Vec<Kind> =
        detections.iter().filter(|found| found.severity().is_some()).map(|found| found.kind).collect();
    let mut evidence = evidence::read(tenant, &asked.filters, &ranges, &found).await?;
    let mut answer = AnomaliesOut {
        anomalies: Vec::new(),
        window_hours: asked.window_hours,
        baseline_traces: baseline.iter().map(|window| window.traces).sum(),
        recent_traces: current.traces,
        from: time_of(places[0].range.from),
        to: time_of(places[0].range.to),
        insufficient_data: Vec::new(),
    };
    for detection in &detections {
        answer.insufficient_data.extend(insufficient(detection));
        let evidence = evidence.remove(&detection.kind).unwrap_or_default();
        answer.anomalies.extend(anomaly(detection, evidence));
    }
    answer.anomalies.sort_by_key(|anomaly| std::cmp::Reverse(anomaly.rank));
    Ok(Json(answer))
}

/// When the first of these traces started, in seconds.
pub async fn history(tenant: &Tenant, filters: &Filters) -> Result<Option<i64>, Problem> {
    #[derive(Row, Deserialize)]
    struct First {
        first: i64,
    }
    let columns = "toInt64(toUnixTimestamp(started_at)) AS first";
    let query = tenant.scan(columns, "trace_list", &filters.and("true"), "ORDER BY started_at LIMIT 1");
    let first = filters.bind(query).fetch_optional::<First>().await.map_err(down)?;
    Ok(first.map(|row| row.first))
}

fn insufficient(detection: &Detection) -> Option<Insufficient> {
    let Verdict::InsufficientData(missing) = &detection.verdict else { return None };
    Some(Insufficient {
        kind: detection.kind.name(),
        missing: missing
            .iter()
            .map(|missing| MissingOut { what: evidence::need(missing.need), needed: missing.needed, has: missing.has })
            .collect(),
    })
}

pub fn anomaly(detection: &Detection, evidence: Evidence) -> Option<AnomalyOut> {
    let severity = detection.severity()?;
    let Verdict::Judged(finding) = &detection.verdict else { return None };
    let unit = unit(detection.kind);
    Some(AnomalyOut {
        kind: detection.kind.name(),
        severity: severity.name(),
        metric: detection.kind.metric(),
        baseline: finding.baseline * unit,
        current: finding.current * unit,
        change_percent: finding.change_percent,
        evidence: EvidenceOut {
            p_value: finding.p_value,
            ratio: finding.ratio,
            expected_from: finding.expected.0 * unit,
            expected_to: finding.expected.1 * unit,
            baseline_windows: detection.samples.baseline_windows as u64,
            windows_set_aside: detection.samples.set_aside as u64,
            baseline_traces: detection.samples.baseline_traces,
            current_traces: detection.samples.current_traces,
            worst_name: evidence.worst_name,
            example_trace_ids: evidence.examples,
        },
        rank: severity,
    })
}

/// From the histograms' unit to the answer's: US dollars, milliseconds.
pub fn unit(kind: Kind) -> f64 {
    match kind {
        Kind::CostSpike => 1e-12,
        Kind::LatencySpike => 1e-3,
        Kind::ErrorSpike | Kind::VolumeDrop => 1.0,
    }
}
