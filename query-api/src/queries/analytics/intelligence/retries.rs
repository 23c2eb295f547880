//! Failed calls that were paid, and made again within the trace.

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;

use super::Asked;
use super::saving::{Saving, quoted};
use crate::stores::down;

#[derive(Row, Deserialize)]
struct Retried {
    name: String,
    model: String,
    retried: u64,
    input: i64,
    output: i64,
    cached: i64,
    paid: i128,
    examples: Vec<String>,
}

pub async fn find(asked: &Asked<'_>) -> Result<Vec<Saving>, Problem> {
    // Places of failed calls after which the same call comes again.
    let places = "arrayFilter(place -> call_failed[place] = 1 AND call_hash[place] != 0 AND call_cost[place] > 0 \
                  AND has(arraySlice(call_hash, place + 1), call_hash[place]), arrayEnumerate(call_hash))";
    let sum = |column: &str| format!("sum(arraySum(arrayMap(place -> {column}[place], {places})))");
    let columns = format!(
        "name, toString(model) AS model, sum(length({places})) AS retried, {} AS input, {} AS output, {} AS cached, \
         {} AS paid, arrayDistinct([argMaxIf(trace_id, cost, notEmpty({places})), minIf(trace_id, notEmpty({places})), \
         maxIf(trace_id, notEmpty({places}))]) AS examples",
        sum("call_input_tokens"),
        sum("call_output_tokens"),
        sum("call_cache_read_tokens"),
        sum("call_cost"),
    );
    let rest = "GROUP BY name, model HAVING retried > 0 ORDER BY paid DESC, name, model LIMIT 1000";
    let condition = "model != '' AND length(call_hash) > 1 AND has(call_failed, 1)";
    let found: Vec<Retried> = asked.calls(&columns, condition, rest).fetch_all().await.map_err(down)?;
    let saving = |row: Retried| Saving {
        kind: "retry_waste",
        message: format!(
            "{} failed calls of \"{}\" in {} were paid and then made again. See why they fail, or stop paying for them.",
            row.retried,
            row.model,
            quoted(&row.name)
        ),
        feature: row.name,
        model: row.model,
        calls: row.retried as i64,
        input_tokens: row.input,
        output_tokens: row.output,
        cache_read_tokens: row.cached,
        current: row.paid,
        examples: row.examples,
        ..Saving::default()
    };
    Ok(found.into_iter().map(saving).collect())
}
