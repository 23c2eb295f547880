//! `GET /insights/anomalies/backtest`: what would have been reported, moment by moment.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use insights::anomalies::{Bounds, Kind, Verdict, Window, detect};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::BACKTEST_QUERY;
use runtime::position::Topic;

use super::super::ended::{Ended, Range, in_ranges};
use super::detect::{anomaly, history};
use super::documents::{BacktestGaps, BacktestOut, Episode};
use super::evidence::Evidence;
use super::windows::{HOUR, METRICS, Place, places, window_hours};
use crate::params::Params;
use crate::state::AppState;
use crate::times::{now, time_of};
use crate::trace_filters::Filters;

const MOST_MOMENTS: i64 = 1_000;
const HISTORY_DAYS: i64 = 28;
const NOTE: &str =
    "Traces are taken as they are now: what ended, changed or arrived after a moment is in its answer too.";

struct Asked {
    filters: Filters,
    zone: TimeZone,
    window_hours: u16,
    step_hours: u16,
    /// Whole hours, in seconds.
    from: i64,
    to: i64,
}

impl Asked {
    fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, BACKTEST_QUERY);
        let zone = crate::period::zone(&mut params);
        let hour = |micros: i64| micros.div_euclid(1_000_000 * HOUR) * HOUR;
        let to = hour(params.time("to").unwrap_or_else(now));
        let from = params.time("from").map_or(to - 7 * 24 * HOUR, hour);
        let (window_hours, step_hours) = (window_hours(&mut params), params.whole("step_hours") as u16);
        if from > to {
            params.fault("from is after to".to_owned());
        } else if (to - from) / (i64::from(step_hours) * HOUR) >= MOST_MOMENTS {
            params.fault(format!("from and to are more than {MOST_MOMENTS} steps apart"));
        }
        let filters = Filters::in_common(&params);
        params.finish()?;
        Ok(Asked { filters, zone, window_hours, step_hours, from, to })
    }

    fn moments(&self) -> impl Iterator<Item = i64> {
        (self.from..=self.to).step_by(usize::from(self.step_hours) * HOUR as usize)
    }
}

pub async fn backtest(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<BacktestOut>, Problem> {
    let asked = Asked::read(pairs)?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = &state.clickhouse.of(&principal).await?;
    let history = history(tenant, &asked.filters).await?.unwrap_or(i64::MAX);
    // One hour more on either side of daylight saving.
    let first = asked.from - HISTORY_DAYS * 24 * HOUR - (i64::from(asked.window_hours) + 1) * HOUR;
    let hours: Vec<Range> =
        (first..asked.to).step_by(HOUR as usize).map(|from| Range { from, to: from + HOUR }).collect();
    let mut ended = in_ranges(tenant, &asked.filters, &hours, &METRICS, None).await?.remove("").unwrap_or_default();
    ended.resize(hours.len(), Ended::default());
    let answer =
        tokio::task::spawn_blocking(move || Hours { first, ended, windows: HashMap::new() }.answer(&asked, history));
    answer.await.map_err(Problem::internal)?.map(Json)
}

/// Every hour's traces, and windows that were put together from them.
struct Hours {
    first: i64,
    ended: Vec<Ended>,
    windows: HashMap<i64, Ended>,
}

impl Hours {
    fn window(&mut self, place: &Place) -> Window {
        let hour = |seconds: i64| ((seconds - self.first) / HOUR).clamp(0, self.ended.len() as i64) as usize;
        let (from, to) = (hour(place.range.from), hour(place.range.to));
        let ended = &self.ended;
        let whole = self.windows.entry(place.range.to).or_insert_with(|| {
            let mut whole = Ended::default();
            ended[from..to].iter().for_each(|hour| whole.merge(hour));
            whole
        });
        place.window(whole)
    }

    fn answer(mut self, asked: &Asked, history: i64) -> Result<BacktestOut, Problem> {
        let mut answer = BacktestOut {
            from: time_of(asked.from),
            to: time_of(asked.to),
            window_hours: asked.window_hours,
            step_hours: asked.step_hours,
            evaluated: 0,
            insufficient_data: BacktestGaps::default(),
            episodes: Vec::new(),
            note: NOTE,
        };
        // Detector → the place of the episode that the moment before belonged to.
        let mut open: BTreeMap<Kind, usize> = BTreeMap::new();
        for moment in asked.moments() {
            let at = Timestamp::from_second(moment).map_err(Problem::internal)?.to_zoned_datetime(asked.zone.clone());
            let places = places(&at, asked.window_hours, history);
            let windows: Vec<Window> = places.iter().map(|place| self.window(place)).collect();
            let Some((current, baseline)) = windows.split_first() else { continue };
            answer.evaluated += 1;
            for detection in detect(baseline, current, &Bounds::default()) {
                let kind = detection.kind;
                if let Verdict::InsufficientData(_) = detection.verdict {
                    *answer.insufficient_data.of(kind) += 1;
                }
                let (Some(found), Verdict::Judged(finding)) =
                    (anomaly(&detection, Evidence::default()), &detection.verdict)
                else {
                    open.remove(&kind);
                    continue;
                };
                let time = time_of(moment);
                let episode = Episode {
                    kind: found.kind,
                    severity: found.severity,
                    metric: found.metric,
                    detected_at: time.clone(),
                    until: time.clone(),
                    baseline: found.baseline,
                    current: found.current,
                    change_percent: found.change_percent,
                    p_value: finding.p_value,
                };
                match open.get(&kind).and_then(|place| answer.episodes.get_mut(*place)) {
                    None => {
                        open.insert(kind, answer.episodes.len());
                        answer.episodes.push(episode);
                    }
                    Some(held) if episode.p_value < held.p_value => {
                        *held = Episode { detected_at: held.detected_at.clone(), ..episode };
                    }
                    Some(held) => held.until = time,
                }
            }
        }
        Ok(answer)
    }
}

impl BacktestGaps {
    fn of(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::CostSpike => &mut self.cost_spike,
            Kind::LatencySpike => &mut self.latency_spike,
            Kind::ErrorSpike => &mut self.error_spike,
            Kind::VolumeDrop => &mut self.volume_drop,
        }
    }
}
