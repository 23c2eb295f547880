//! What `/models` answers, beside what the fold's traces used.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use verify::TraceView;

use crate::harness::{Client, Random, same};

pub async fn compare(client: &Client, views: &[&TraceView], random: &mut Random) -> Result<(), String> {
    let project = random.percent(40).then_some("p");
    let asked = |view: &&&TraceView| project.is_none_or(|project| view.project_id.as_deref() == Some(project));
    let mut models: BTreeMap<String, [i128; 6]> = BTreeMap::new();
    for view in views.iter().filter(asked) {
        for (model, used) in view.by_model() {
            let sums = models.entry(model).or_default();
            let used = [used.cost.0, used.calls, 1, used.input_tokens, used.output_tokens, used.unpriced_calls];
            sums.iter_mut().zip(used).for_each(|(sum, used)| *sum += used);
        }
    }
    models.remove("");
    let expected = models.iter().map(|(model, [cost, calls, traces, input, output, unpriced])| {
        let cost: f64 = schemas::Money(*cost).to_string().parse().unwrap();
        json!({"model": model, "cost": cost, "calls": *calls as i64, "traces": *traces as i64,
            "tokens": (input + output) as i64, "input_tokens": *input as i64, "output_tokens": *output as i64,
            "unpriced_calls": *unpriced as i64})
    });
    let filter = project.map(|project| format!("&project_id={project}")).unwrap_or_default();
    let path = format!("/api/v1/models?from=2025-11-01T00:00:00Z{filter}");
    let answer = client.get(&path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    let mut found = answer.json()["models"].as_array().cloned().unwrap_or_default();
    // Which table a tenant has by now is not the fold's matter; that there is a price, or a reason, is this answer's.
    for model in found.iter_mut().filter_map(Value::as_object_mut) {
        let price = model.remove("price").unwrap_or_default();
        if price.is_null() == model.remove("reason").is_none() {
            return Err(format!("GET {path}: neither a price nor a reason, or both: {}", answer.text));
        }
    }
    found.sort_by_key(|model| model["model"].as_str().unwrap_or_default().to_owned());
    same(&Value::Array(expected.collect()), &Value::Array(found), &format!("GET {path} .models"))
}
