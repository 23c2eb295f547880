//! The same call again: the same model, the same prompt, the same parameters, with an answer each time.

use std::collections::HashMap;

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;

use super::Asked;
use super::saving::{Saving, quoted};
use crate::stores::down;

/// Calls that were made again; those that cost the most.
const MOST: u64 = 100_000;

#[derive(Row, Deserialize)]
struct Repeated {
    name: String,
    model: String,
    hash: u64,
    calls: u64,
    input: i64,
    output: i64,
    cached: i64,
    paid: i128,
    dearest: i128,
}

pub async fn find(asked: &Asked<'_>) -> Result<Vec<Saving>, Problem> {
    let columns = "name, toString(model) AS model, arrayJoin(arrayFilter(call -> call.1 != 0 AND call.2 = 0, arrayZip( \
                   call_hash, call_failed, call_cost, call_input_tokens, call_output_tokens, call_cache_read_tokens))) \
                   AS call";
    let outer = "name, model, call.1 AS hash, count() AS calls, sum(call.4) AS input, sum(call.5) AS output, \
                 sum(call.6) AS cached, sum(call.3) AS paid, max(call.3) AS dearest";
    let rest = format!(
        "GROUP BY name, model, hash HAVING calls > 1 AND paid > dearest ORDER BY paid - dearest DESC, hash LIMIT {MOST}"
    );
    let found: Vec<Repeated> =
        asked.repeated_calls(outer, columns, "hash", "model != ''", &rest).fetch_all().await.map_err(down)?;
    // In the order of waste: the first of a feature and model is its example.
    let mut savings: Vec<(u64, Saving)> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for row in found {
        let place = *places.entry((row.name.clone(), row.model.clone())).or_insert_with(|| {
            let (kind, feature, model) = ("duplicate_calls", row.name.clone(), row.model.clone());
            savings.push((row.hash, Saving { kind, feature, model, ..Saving::default() }));
            savings.len() - 1
        });
        let (_, saving) = &mut savings[place];
        saving.calls += row.calls as i64;
        saving.input_tokens += row.input;
        saving.output_tokens += row.output;
        saving.cache_read_tokens += row.cached;
        saving.current += row.paid;
        // One of them had to be made.
        saving.projected += row.dearest;
        *saving.more.distinct_calls.get_or_insert(0) += 1;
    }
    let mut told = Vec::new();
    for (hash, mut saving) in savings {
        if !asked.is_worth_saying(&saving) {
            continue;
        }
        let distinct = saving.more.distinct_calls.unwrap_or(0);
        saving.message = format!(
            "{} of {} calls of \"{}\" in {} were made before, with the same prompt and parameters. Keep the answers.",
            saving.calls - distinct,
            saving.calls,
            saving.model,
            quoted(&saving.feature)
        );
        saving.examples = asked.examples(&saving, &format!("has(call_hash, {hash})")).await?;
        told.push(saving);
    }
    Ok(told)
}
