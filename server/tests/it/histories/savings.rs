//! What `/analytics/cost-intelligence` answers, beside what the fold's traces used: features, models, and the two kinds of
//! waste that need no prices.

use std::collections::BTreeMap;

use retrace_server::commands::verify::TEXTS;
use serde_json::{Value, json};
use verify::{CallView, TraceView};

use super::bodies::{MODELS, NAMES};
use crate::harness::{Client, Random, same};

const FROM: i64 = 1_761_955_200_000_000;
const DAY_US: f64 = 86_400e6;

/// Calls, input, output, cached; current and projected cost.
type Waste = [i128; 6];

pub async fn compare(client: &Client, views: &[&TraceView], random: &mut Random) -> Result<(), String> {
    let name = random.percent(30).then(|| *random.pick(&NAMES));
    let to = FROM + (DAY_US as i64) * 30 * (1 + random.below(20) as i64);
    let filter = name.map(|name| format!("&name={}", name.replace(' ', "%20"))).unwrap_or_default();
    let time = |micros| traffic::rfc3339(micros);
    let path = format!("/api/v1/analytics/cost-intelligence?from={}&to={}&limit=200{filter}", time(FROM), time(to));
    let answer = client.get(&path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    let found = answer.json();
    let asked: Vec<&TraceView> = views
        .iter()
        .filter(|view| (FROM..to).contains(&view.started_at))
        .filter(|view| name.is_none_or(|name| view.name.as_deref() == Some(name)))
        .copied()
        .collect();
    same(&features(&asked), &sorted(&found["byFeature"], "name"), &format!("GET {path} .byFeature"))?;
    same(&models(&asked), &sorted(&found["modelEfficiency"], "model"), &format!("GET {path} .modelEfficiency"))?;
    let mut expected = retries(&asked);
    expected.extend(duplicates(&asked));
    let month = |waste: &Waste| (waste[4] - waste[5]) as f64 * 30.0 * DAY_US / (to - FROM) as f64;
    // What is less than a unit of money a month is not said.
    expected.retain(|_, waste| month(waste) >= 1.0);
    let of = |evidence: &Value, name: &str| evidence[name].as_f64().unwrap_or(f64::NAN);
    let recommendations = found["recommendations"].as_array().cloned().unwrap_or_default();
    let told = recommendations.iter().filter(|told| told["type"] == "retry_waste" || told["type"] == "duplicate_calls");
    let mut count = 0;
    for told in told {
        let evidence = &told["evidence"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = (text(&told["type"]), text(&evidence["feature"]), text(&evidence["model"]));
        let Some(waste) = expected.get(&key) else { return Err(format!("GET {path}: {told} is not expected")) };
        let names = ["calls", "input_tokens", "output_tokens", "cache_read_tokens", "current_cost", "projected_cost"];
        for (place, name) in names.into_iter().enumerate() {
            let expected = if place < 4 { json!(waste[place] as i64) } else { money(waste[place]) };
            same(&expected, &evidence[name], &format!("GET {path} {key:?} .{name}"))?;
        }
        if of(evidence, "savings_in_period") <= 0.0 {
            return Err(format!("GET {path}: {told} saves nothing"));
        }
        count += 1;
    }
    if count == expected.len() {
        Ok(())
    } else {
        Err(format!("GET {path}: {count} of {expected:?}: {recommendations:?}"))
    }
}

fn features(views: &[&TraceView]) -> Value {
    let mut features: BTreeMap<String, (i128, u64, Vec<i64>)> = BTreeMap::new();
    for view in views {
        let (cost, count, durations) = features.entry(view.name.clone().unwrap_or_default()).or_default();
        *cost += view.total_cost.0;
        *count += 1;
        durations.extend(view.total_duration_us);
    }
    let shown = features.into_iter().map(|(name, (cost, count, durations))| {
        let mean = (!durations.is_empty()).then(|| durations.iter().sum::<i64>() / durations.len() as i64);
        json!({"name": name, "totalCost": money(cost), "avgCost": money(cost / i128::from(count)), "count": count,
            "avgDuration": mean.map(|mean| mean as f64 / 1e3)})
    });
    shown.collect()
}

fn models(views: &[&TraceView]) -> Value {
    let mut models: BTreeMap<String, [i128; 6]> = BTreeMap::new();
    for view in views {
        for (model, used) in view.by_model() {
            let sums = [used.cost.0, used.tokens, used.calls, used.unpriced_calls, used.timed_calls, used.duration_us];
            models.entry(model).or_default().iter_mut().zip(sums).for_each(|(sum, used)| *sum += used);
        }
    }
    models.remove("");
    let shown = models.into_iter().map(|(model, [cost, tokens, calls, unpriced, timed, duration])| {
        json!({"model": model, "avgCostPerCall": money(cost / calls), "avgTokens": tokens as f64 / calls as f64,
            "count": calls as i64, "unpriced_calls": unpriced as i64,
            "avgDuration": (timed > 0).then(|| (duration / timed) as f64 / 1e3)})
    });
    shown.collect()
}

type Found = BTreeMap<(String, String, String), Waste>;

fn add(found: &mut Found, kind: &str, view_name: &str, model: &str, waste: Waste) {
    let key = (kind.to_owned(), view_name.to_owned(), model.to_owned());
    found.entry(key).or_default().iter_mut().zip(waste).for_each(|(sum, part)| *sum += part);
}

fn of(call: &CallView) -> [i128; 4] {
    [1, call.input_tokens.into(), call.output_tokens.into(), call.cache_read_tokens.into()]
}

fn retries(views: &[&TraceView]) -> Found {
    let mut found = Found::new();
    for view in views {
        for model in MODELS {
            let calls = view.calls(model, TEXTS);
            for (place, call) in calls.iter().enumerate() {
                let again = calls[place + 1..].iter().any(|later| later.hash == call.hash);
                if call.failed && call.hash != 0 && call.cost.0 > 0 && again {
                    let [one, input, output, cached] = of(call);
                    let name = view.name.as_deref().unwrap_or_default();
                    add(&mut found, "retry_waste", name, model, [one, input, output, cached, call.cost.0, 0]);
                }
            }
        }
    }
    found
}

fn duplicates(views: &[&TraceView]) -> Found {
    let mut same: BTreeMap<(String, &str, u64), Vec<CallView>> = BTreeMap::new();
    for view in views {
        for model in MODELS {
            for call in view.calls(model, TEXTS) {
                if !call.failed && call.hash != 0 {
                    same.entry((view.name.clone().unwrap_or_default(), model, call.hash)).or_default().push(call);
                }
            }
        }
    }
    let mut found = Found::new();
    for ((name, model, _), calls) in same {
        let paid: i128 = calls.iter().map(|call| call.cost.0).sum();
        let dearest = calls.iter().map(|call| call.cost.0).max().unwrap_or(0);
        if calls.len() > 1 && paid > dearest {
            let sum = |place: usize| calls.iter().map(|call| of(call)[place]).sum();
            add(&mut found, "duplicate_calls", &name, model, [sum(0), sum(1), sum(2), sum(3), paid, dearest]);
        }
    }
    found
}

fn sorted(list: &Value, by: &str) -> Value {
    let mut list = list.as_array().cloned().unwrap_or_default();
    list.sort_by_key(|item| item[by].as_str().unwrap_or_default().to_owned());
    Value::Array(list)
}

fn money(units: i128) -> Value {
    json!(schemas::Money(units).to_string().parse::<f64>().unwrap())
}
