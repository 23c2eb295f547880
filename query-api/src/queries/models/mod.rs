//! `GET /models`: the models that calls name, with what they were used for and the price that is in force for them.

pub mod documents;

use std::cmp::Reverse;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::http::parameters::MODELS_QUERY;
use runtime::position::Topic;

use documents::{ModelOut, ModelsOut};

use crate::numbers::Number;
use crate::params::Params;
use crate::period::Period;
use crate::prices::{Found, found};
use crate::spending::{Filters, Group, Line, Order, by_group};
use crate::state::AppState;
use crate::times::now;

/// More than this are not looked at: the ones with the fewest unpriced calls and the lowest cost are left out.
const MOST_MODELS: u64 = 10_000;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<ModelsOut>, Problem> {
    let mut params = Params::new(pairs, MODELS_QUERY);
    let period = Period::read(&mut params);
    let filters = Filters::read(&mut params);
    let priced = params.one_of("priced").map(|text| text == "true");
    let limit = params.whole("limit") as usize;
    params.finish()?;
    for topic in [Topic::Telemetry, Topic::Workspace] {
        state.freshness.after(&state.signer, &headers, topic).await?;
    }
    let tenant = state.clickhouse.of(&principal).await?;
    let mut lines = by_group(&tenant, &period, &filters, Group::Model, Order::Unpriced, MOST_MODELS).await?;
    // What no model accounts for.
    lines.retain(|line| !line.key.is_empty());
    let prices = state.prices.in_force(&state.postgres, &principal).await?;
    let now = now();
    let priced_lines = lines.into_iter().map(|line| (found(&prices, &line.key, now), line));
    let mut models: Vec<(Line, Found)> = priced_lines.map(|(price, line)| (line, price)).collect();
    models.retain(|(_, price)| priced.is_none_or(|priced| priced == price.is_ok()));
    models.sort_by_cached_key(|(line, price)| {
        let sums = line.sums();
        let unpriced = if price.is_err() { sums.unpriced_calls } else { 0 };
        (price.is_ok(), Reverse(unpriced), Reverse(sums.cost), line.key.clone())
    });
    let count = models.len();
    models.truncate(limit);
    Ok(Json(ModelsOut {
        from: micros_rfc3339(period.from),
        to: micros_rfc3339(period.to),
        models: models.into_iter().map(|(line, price)| shown(line, price)).collect(),
        count,
    }))
}

fn shown(line: Line, price: Found) -> ModelOut {
    let sums = line.sums();
    ModelOut {
        model: line.key,
        calls: sums.calls,
        traces: sums.uses,
        tokens: sums.tokens,
        input_tokens: sums.input_tokens,
        output_tokens: sums.output_tokens,
        cost: Number::money(sums.cost),
        unpriced_calls: sums.unpriced_calls,
        reason: price.as_ref().err().copied(),
        price: price.ok(),
    }
}
