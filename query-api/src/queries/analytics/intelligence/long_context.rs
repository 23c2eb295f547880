//! Calls that pay more because their input is longer than a mark.

use std::collections::BTreeSet;
use std::fmt::Write;

use clickhouse::Row;
use runtime::Problem;
use schemas::prices::{Price, Usage};
use serde::Deserialize;

use super::Asked;
use super::saving::{More, Saving, quoted};
use super::usage::Use;
use crate::stores::down;

/// Calls above a model's mark, and below its next.
#[derive(Row, Deserialize)]
struct Long {
    name: String,
    model: String,
    mark: i64,
    calls: u64,
    input: i64,
    output: i64,
    cached: i64,
}

pub async fn find(asked: &Asked<'_>, uses: &[Use]) -> Result<Vec<Saving>, Problem> {
    let models: BTreeSet<&str> = uses.iter().map(|used| used.model.as_str()).collect();
    let prices = models.into_iter().filter_map(|model| Some((model, asked.prices.price(model, asked.period.to)?.1)));
    let tiered: Vec<(&str, &Price)> = prices.filter(|(_, price)| price.tiers().next().is_some()).collect();
    if tiered.is_empty() {
        return Ok(Vec::new());
    }
    let mut marks = String::new();
    for (model, price) in &tiered {
        let of_model: Vec<String> = price.tiers().map(|(mark, _)| mark.to_string()).collect();
        // A model's name is a client's text.
        let _ = write!(marks, "toString(model) = unhex('{}'), [{}], ", hex(model), of_model.join(", "));
    }
    let columns = format!(
        "name, toString(model) AS model, multiIf({marks}CAST([], 'Array(Int64)')) AS marks, arrayJoin(arrayFilter(call -> \
         call.1 > 0, arrayMap((input, output, cached) -> (arrayMax(arrayPushBack(arrayFilter(mark -> input > mark, marks), \
         0)), input, output, cached), call_input_tokens, call_output_tokens, call_cache_read_tokens))) AS call"
    );
    let outer = "name, model, toInt64(call.1) AS mark, count() AS calls, sum(call.2) AS input, sum(call.3) AS output, \
                 sum(call.4) AS cached";
    let rest = "GROUP BY name, model, mark ORDER BY input DESC, name, model, mark LIMIT 1000";
    let found: Vec<Long> = asked.each_call(outer, &columns, "model != ''", rest).fetch_all().await.map_err(down)?;
    let mut savings = Vec::new();
    for row in found {
        let Some((_, price)) = tiered.iter().find(|(model, _)| *model == row.model) else { continue };
        let Some(mut saving) = saving(&row, price).filter(|saving| asked.is_worth_saying(saving)) else { continue };
        saving.examples = asked.examples(&saving, &format!("arrayMax(call_input_tokens) > {}", row.mark)).await?;
        savings.push(saving);
    }
    Ok(savings)
}

fn saving(row: &Long, price: &Price) -> Option<Saving> {
    let usage =
        Usage { input: Some(row.input), output: Some(row.output), cache_read: Some(row.cached), cache_write: None };
    Some(Saving {
        kind: "long_context",
        feature: row.name.clone(),
        model: row.model.clone(),
        calls: row.calls as i64,
        input_tokens: row.input,
        output_tokens: row.output,
        cache_read_tokens: row.cached,
        current: price.rates(row.mark + 1).cost(usage)?.0,
        projected: price.rates(0).cost(usage)?.0,
        message: format!(
            "{} calls of \"{}\" in {} have more than {} input tokens and pay a higher price for all of them. Shorten them.",
            row.calls,
            row.model,
            quoted(&row.name),
            row.mark
        ),
        more: More { above_input_tokens: Some(row.mark), ..More::default() },
        ..Saving::default()
    })
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
