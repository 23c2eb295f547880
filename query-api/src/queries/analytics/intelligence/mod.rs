//! `GET /analytics/cost-intelligence`: what features and models cost, and what would cost less.
//!
//! [`usage`] reads what was used, each kind of waste is found in a file of its own, and [`saving`] says what is worth saying.

mod caching;
mod documents;
mod downgrade;
mod duplicates;
mod long_context;
mod reading;
mod retries;
mod saving;
mod usage;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::http::parameters::COST_INTELLIGENCE_QUERY;
use runtime::position::Topic;
use runtime::{Problem, Settings};

pub use documents::{CostIntelligenceOut, Evidence, FeatureCosts, ModelEfficiency, Recommendation};

use crate::numbers::Number;
use crate::params::Params;
use crate::period::Period;
use crate::prices::InForce;
use crate::spending::{Filters, Group, Line, Order, by_group};
use crate::state::AppState;
use crate::stores::Tenant;
use crate::trace_filters;

const MOST_MODELS: u64 = 1_000;

/// What is worth saying.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub min_calls: i64,
    /// Per month, in units of money.
    pub min_saving: i128,
    /// An answer with at most so many tokens is short.
    pub short_answer_tokens: u32,
    /// For how long a provider keeps a prompt.
    pub cache_seconds: u32,
}

impl Bounds {
    pub fn of(settings: &Settings) -> Bounds {
        Bounds {
            min_calls: i64::from(settings.savings_min_calls),
            min_saving: i128::from(settings.savings_min_cents_per_month) * 10_000_000_000,
            short_answer_tokens: settings.savings_short_answer_tokens,
            cache_seconds: settings.savings_cache_seconds.max(1),
        }
    }
}

/// What the kinds of waste are looked for in.
struct Asked<'a> {
    tenant: &'a Tenant,
    period: &'a Period,
    /// Of the rows by model.
    filters: &'a Filters,
    /// Of the traces.
    traces: &'a trace_filters::Filters,
    prices: &'a InForce<'a>,
    bounds: Bounds,
}

pub async fn cost_intelligence(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<CostIntelligenceOut>, Problem> {
    let mut params = Params::new(pairs, COST_INTELLIGENCE_QUERY);
    let period = Period::read(&mut params);
    let filters = Filters::read(&mut params);
    let traces = trace_filters::Filters::in_common(&params);
    let limit = params.whole("limit") as usize;
    params.finish()?;
    for topic in [Topic::Telemetry, Topic::Workspace] {
        state.freshness.after(&state.signer, &headers, topic).await?;
    }
    let tenant = &state.clickhouse.of(&principal).await?;
    let prices = &state.prices.in_force(&state.postgres, &principal).await?;
    let asked = &Asked { tenant, period: &period, filters: &filters, traces: &traces, prices, bounds: state.savings };
    let models = by_group(tenant, &period, &filters, Group::Model, Order::Dearest, MOST_MODELS);
    let (uses, features, models) = tokio::try_join!(usage::uses(asked), usage::features(asked), models)?;
    // One after the other: each takes the processors there are.
    let mut savings = downgrade::find(asked, &uses, &features, &models);
    savings.extend(caching::find(asked, &uses).await?);
    savings.extend(retries::find(asked).await?);
    savings.extend(long_context::find(asked, &uses).await?);
    savings.extend(duplicates::find(asked).await?);
    let spent: i128 = models.iter().map(|line| line.sums().cost).sum();
    Ok(Json(CostIntelligenceOut {
        from: micros_rfc3339(period.from),
        to: micros_rfc3339(period.to),
        by_feature: features.iter().take(limit).map(usage::Feature::shown).collect(),
        model_efficiency: models.iter().filter(|line| !line.key.is_empty()).take(limit).map(efficiency).collect(),
        recommendations: saving::recommendations(asked, savings, spent, limit),
    }))
}

fn efficiency(line: &Line) -> ModelEfficiency {
    let sums = line.sums();
    ModelEfficiency {
        model: line.key.clone(),
        avg_cost_per_call: Number::money(mean(sums.cost, sums.calls)),
        avg_tokens: sums.tokens as f64 / sums.calls.max(1) as f64,
        avg_duration: (sums.timed_calls > 0).then(|| Number::milliseconds(sums.duration_us / sums.timed_calls)),
        count: sums.calls,
        unpriced_calls: sums.unpriced_calls,
    }
}

fn mean(sum: i128, count: i64) -> i128 {
    sum / i128::from(count.max(1))
}
