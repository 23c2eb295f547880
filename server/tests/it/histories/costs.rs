//! What `/analytics/costs` answers, beside sums over the fold's traces.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use verify::TraceView;

use super::bodies::{BASE, MODELS, NAMES};
use crate::harness::{Client, Random, same};

/// Zones by what they are ahead of UTC in the days of the histories.
const ZONES: [(&str, i64); 4] =
    [("UTC", 0), ("Europe/Berlin", 3_600), ("Asia/Kathmandu", 20_700), ("America/Los_Angeles", -28_800)];
const FROM: [&str; 4] =
    ["2025-11-01T00:00:00Z", "2025-11-18T23:59:30Z", "2025-11-19T00:00:00Z", "2025-11-18T23:59:59.999999Z"];
const GROUPS: [&str; 7] = ["model", "name", "user", "session", "project", "environment", "tag"];

type Takes = fn(&TraceView, &str) -> bool;

/// cost, tokens, input, output, calls, unpriced calls, traces, cache read, cache write, reasoning
type Sums = [i128; 10];

struct Asked {
    query: String,
    offset: i64,
    from: i64,
    model: Option<&'static str>,
    group: &'static str,
    takes: Box<dyn Fn(&TraceView) -> bool + Send + Sync>,
}

impl Asked {
    fn draw(random: &mut Random) -> Asked {
        let (zone, offset) = *random.pick(&ZONES);
        let from = *random.pick(&FROM);
        let group = *random.pick(&GROUPS);
        let model = random.percent(30).then(|| *random.pick(&MODELS[..3]));
        let filters: [(&str, &str, Takes); 6] = [
            ("project_id", "p", |view, value| view.project_id.as_deref() == Some(value)),
            ("environment", "e", |view, value| view.environment.as_deref() == Some(value)),
            ("name", NAMES[0], |view, value| view.name.as_deref() == Some(value)),
            ("user_id", "u1", |view, value| view.user_id.as_deref() == Some(value)),
            ("session_id", "s1", |view, value| view.session_id.as_deref() == Some(value)),
            ("tag", "b", |view, value| view.tags.iter().any(|tag| tag == value)),
        ];
        let chosen: Vec<_> = filters.into_iter().filter(|_| random.percent(12)).collect();
        let mut query = format!("from={from}&timezone={zone}&group_by={group}");
        for (name, value, _) in &chosen {
            query.push_str(&format!("&{name}={value}"));
        }
        query.extend(model.map(|model| format!("&model={model}")));
        let time = time::OffsetDateTime::parse(from, &time::format_description::well_known::Rfc3339).unwrap();
        Asked {
            query,
            offset,
            from: (time.unix_timestamp_nanos() / 1000) as i64,
            model,
            group,
            takes: Box::new(move |view| chosen.iter().all(|(_, value, takes)| takes(view, value))),
        }
    }

    /// What the traces used, by model, as far as it is asked for.
    fn used<'v>(&self, view: &'v TraceView) -> Vec<(String, Sums, &'v TraceView)> {
        if view.started_at < self.from || !(self.takes)(view) {
            return Vec::new();
        }
        let models = view.by_model();
        let asked = models.into_iter().enumerate().filter(|(_, (model, _))| self.model.is_none_or(|one| one == model));
        let sums = asked.map(|(place, (model, used))| {
            let traces = i128::from(place == 0 || self.model.is_some());
            let sums = [
                used.cost.0,
                used.tokens,
                used.input_tokens,
                used.output_tokens,
                used.calls,
                used.unpriced_calls,
                traces,
                used.cache_read_tokens,
                used.cache_write_tokens,
                used.reasoning_tokens,
            ];
            (model, sums, view)
        });
        sums.collect()
    }
}

pub async fn compare(client: &Client, views: &[&TraceView], random: &mut Random) -> Result<(), String> {
    let asked = Asked::draw(random);
    let used: Vec<_> = views.iter().flat_map(|view| asked.used(view)).collect();
    let (mut total, mut models, mut days, mut groups) = (Sums::default(), Map::new(), Map::new(), Map::new());
    for (model, sums, view) in &used {
        add(&mut total, sums);
        // Of a model, every row is a trace that used it.
        let mut uses = *sums;
        uses[6] = 1;
        add(models.entry(model.clone()).or_default(), &uses);
        add(days.entry(date(view.started_at, asked.offset)).or_default(), sums);
        for value in values(asked.group, view, model) {
            add(groups.entry(value).or_default(), if asked.group == "model" { &uses } else { sums });
        }
    }
    let path = format!("/api/v1/analytics/costs?{}", asked.query.replace(' ', "%20"));
    let answer = client.get(&path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    let found = answer.json();
    same(&money(total[0]), &found["total"], &format!("GET {path} .total"))?;
    same(&figures(&total), &found["totals"], &format!("GET {path} .totals"))?;
    let of_models = models.iter().map(|(model, sums)| {
        let figures = figures(sums);
        json!({"model": none_if_empty(model), "cost": figures["cost"], "tokens": figures["tokens"], "count": figures["calls"],
            "unpriced_calls": figures["unpriced_calls"],
            "cache_read_tokens": figures["cache_read_tokens"], "cache_write_tokens": figures["cache_write_tokens"],
            "reasoning_tokens": figures["reasoning_tokens"],
            "input_tokens": figures["input_tokens"], "output_tokens": figures["output_tokens"], "traces": figures["traces"]})
    });
    same(
        &sorted(of_models.collect(), "model"),
        &sorted(array(&found["byModel"]), "model"),
        &format!("GET {path} .byModel"),
    )?;
    let of_groups = groups.iter().map(|(value, sums)| {
        let mut figures = figures(sums);
        figures["value"] = none_if_empty(value);
        figures
    });
    let found_groups = sorted(array(&found["groups"]["groups"]), "value");
    same(&sorted(of_groups.collect(), "value"), &found_groups, &format!("GET {path} .groups"))?;
    same_days(&days, &array(&found["daily"]), &path)
}

type Map = BTreeMap<String, Sums>;

/// Days with traces are as expected, all others are there and zero.
fn same_days(expected: &Map, found: &[Value], path: &str) -> Result<(), String> {
    let spent: Vec<Value> = found.iter().filter(|day| day["count"] != 0 || day["tokens"] != 0).cloned().collect();
    let expected = expected
        .iter()
        .map(|(date, sums)| json!({"date": date, "cost": money(sums[0]), "tokens": sums[1] as i64, "count": sums[6] as i64}))
        .filter(|day| day["count"] != 0 || day["tokens"] != 0);
    same(&expected.collect(), &Value::Array(spent), &format!("GET {path} .daily"))?;
    let dates: Vec<&str> = found.iter().filter_map(|day| day["date"].as_str()).collect();
    let gaps = dates.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    let whole = !dates.is_empty() && dates.len() as i64 >= (now() - BASE) / 86_400_000_000;
    if gaps > 0 || !whole { Err(format!("GET {path} .daily: {dates:?}")) } else { Ok(()) }
}

fn now() -> i64 {
    (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000) as i64
}

fn values(group: &str, view: &TraceView, model: &str) -> Vec<String> {
    let one = |text: &Option<String>| vec![text.clone().unwrap_or_default()];
    match group {
        "model" => vec![model.to_owned()],
        "tag" if !view.tags.is_empty() => view.tags.clone(),
        "tag" => vec![String::new()],
        "name" => one(&view.name),
        "user" => one(&view.user_id),
        "session" => one(&view.session_id),
        "project" => one(&view.project_id),
        _ => one(&view.environment),
    }
}

fn add(to: &mut Sums, from: &Sums) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

fn date(micros: i64, offset: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(micros.div_euclid(1_000_000) + offset).unwrap();
    time.date().to_string()
}

fn money(units: i128) -> Value {
    json!(schemas::Money(units).to_string().parse::<f64>().unwrap())
}

fn figures(sums: &Sums) -> Value {
    let [_, tokens, input, output, calls, unpriced, traces, cache_read, cache_write, reasoning] =
        sums.map(|sum| sum as i64);
    json!({"cost": money(sums[0]), "tokens": tokens, "input_tokens": input, "output_tokens": output, "calls": calls,
        "unpriced_calls": unpriced, "cache_read_tokens": cache_read, "cache_write_tokens": cache_write,
        "reasoning_tokens": reasoning,
        "traces": traces})
}

fn none_if_empty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn sorted(mut values: Vec<Value>, by: &str) -> Value {
    values.sort_by_key(|value| value[by].to_string());
    Value::Array(values)
}
