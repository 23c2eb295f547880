//! What REST answers about a history's traces, beside what the fold over the log says.

use schemas::Money;
use serde_json::{Value, json};
use verify::resources::Resources;
use verify::{Fold, TraceView};

use super::bodies::{MODELS, NAMES};
use super::history::{TENANTS, USERS};
use super::models;
use super::play::Play;
use super::{commands, costs, export, failures, savings, usage};
use crate::harness::{Client, Random, same, without};

/// The first difference, in words.
pub async fn compare(play: &Play<'_>, fold: &Fold, resources: &Resources, random: &mut Random) -> Result<(), String> {
    play.answers.compare(resources)?;
    for tenant in 0..TENANTS {
        let users: Vec<_> = USERS.iter().zip(&play.clients).filter(|((of, _), _)| *of == tenant).collect();
        let client = users[0].1;
        let states: Vec<_> = play.traces.iter().map(|id| fold.trace(&play.tenants[tenant], id)).collect();
        for (id, state) in play.traces.iter().zip(&states) {
            let path = format!("/api/v1/traces/{id}");
            let expected = state.visible().map(verify::json::trace);
            get(client, &path, expected.as_ref()).await?;
            for ((_, name), client) in &users {
                let verdict = state.visible().map(|view| json!({"feedback": view.feedback.get(*name).map(feedback)}));
                get(client, &format!("{path}/feedback"), verdict.as_ref()).await?;
            }
            if let Some(view) = state.visible().filter(|view| view.status.as_str() == "failed") {
                root_cause(client, &path, view).await?;
            }
            if let Some(trace) = expected.filter(|_| random.percent(25)) {
                by_page(client, &path, &trace).await?;
            }
        }
        let views: Vec<&TraceView> = states.iter().filter_map(|state| state.visible()).collect();
        list(client, &views, &Filter::none(), random).await?;
        list(client, &views, &Filter::draw(random), random).await?;
        costs::compare(client, &views, random).await?;
        models::compare(client, &views, random).await?;
        savings::compare(client, &views, random).await?;
        failures::compare(client, &views, random).await?;
        export::compare(client, &views, random).await?;
        usage::compare(client, fold, &play.tenants[tenant], &play.traces).await?;
        commands::compare(client, &play.tenants[tenant], resources).await?;
    }
    Ok(())
}

/// What a model said last.
async fn root_cause(client: &Client, path: &str, view: &TraceView) -> Result<(), String> {
    let path = format!("{path}/root-cause");
    let answer = client.get(&path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    let verdict = answer.json()["verdict"].take();
    let said: Option<Value> = view.root_cause.as_deref().map(|text| serde_json::from_str(text).unwrap());
    let expected = said.map_or(Value::Null, |said| {
        let analysis = ["root_cause", "failed_step", "contributing_factors", "suggested_fix", "confidence"];
        let analysis: serde_json::Map<_, _> =
            analysis.iter().map(|name| ((*name).to_owned(), said[name].clone())).collect();
        let found_at = runtime::http::micros_rfc3339(said["found_at"].as_i64().unwrap());
        json!({"engine": said["engine"], "model": said["model"], "found_at": found_at, "question": said["question"],
            "failed_span_id": said["failed_span_id"], "analysis": analysis})
    });
    same(&expected, &verdict, &format!("GET {path} .verdict"))
}

/// The spans, two a page.
async fn by_page(client: &Client, path: &str, trace: &Value) -> Result<(), String> {
    let (mut cursor, mut spans) = (String::new(), Vec::new());
    loop {
        let path = format!("{path}/spans?limit=2{cursor}");
        let page = client.get(&path).await;
        let mut body = page.json();
        if page.status != 200 || body["total"] != trace["span_count"] {
            return Err(format!("GET {path}: {} {}", page.status, page.text));
        }
        spans.extend(body["spans"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    same(&trace["spans"], &Value::Array(spans), &format!("GET {path}/spans"))
}

async fn get(client: &Client, path: &str, expected: Option<&Value>) -> Result<(), String> {
    let answer = client.get(path).await;
    match (answer.status.as_u16(), expected) {
        (404, None) => Ok(()),
        (200, Some(expected)) => same(expected, &answer.json(), &format!("GET {path}")),
        (status, _) => Err(format!("GET {path}: {status} {}, expected {expected:?}", answer.text)),
    }
}

fn feedback(view: &verify::FeedbackView) -> Value {
    let time = runtime::http::micros_rfc3339;
    json!({"value": view.value, "note": view.note, "created_at": time(view.created_at), "updated_at": time(view.updated_at)})
}

/// A condition of the list, as its query and as what it means.
struct Filter {
    query: String,
    takes: Box<dyn Fn(&TraceView) -> bool + Send + Sync>,
}

impl Filter {
    fn new(query: String, takes: impl Fn(&TraceView) -> bool + Send + Sync + 'static) -> Filter {
        Filter { query, takes: Box::new(takes) }
    }

    fn none() -> Filter {
        Filter::new(String::new(), |_| true)
    }

    fn draw(random: &mut Random) -> Filter {
        let text = |field: &Option<String>, value: &str| field.as_deref() == Some(value);
        match random.below(12) {
            0 => {
                let status = *random.pick(&["running", "completed", "failed"]);
                Filter::new(format!("status={status}"), move |view| view.status.as_str() == status)
            }
            1 => Filter::new("project_id=p".into(), move |view| text(&view.project_id, "p")),
            2 => Filter::new("environment=e".into(), move |view| text(&view.environment, "e")),
            3 => Filter::new("project_id=q&status=completed".into(), move |view| {
                text(&view.project_id, "q") && view.status.as_str() == "completed"
            }),
            4 => {
                let name = *random.pick(&NAMES[..2]);
                Filter::new(format!("name={name}"), move |view| text(&view.name, name))
            }
            5 => Filter::new("session_id=s1&user_id=u1".into(), move |view| {
                text(&view.session_id, "s1") && text(&view.user_id, "u1")
            }),
            6 => {
                let model = *random.pick(&MODELS[..3]);
                Filter::new(format!("model={model}"), move |view| view.models.iter().any(|found| found == model))
            }
            7 => Filter::new("tag=b".into(), |view| view.tags.iter().any(|tag| tag == "b")),
            8 => Filter::new("from=2025-11-19T00:00:00Z&to=2025-11-19T12:00:00Z".into(), |view| {
                (1_763_510_400_000_000..1_763_553_600_000_000).contains(&view.started_at)
            }),
            9 => Filter::new("min_cost=0.0000048".into(), |view| view.total_cost >= Money::parse("0.0000048").unwrap()),
            10 => Filter::new("min_duration_ms=2.5".into(), |view| view.total_duration_us.unwrap_or(0) >= 2_500),
            _ => Filter::new("q=WRITER%20%C3%96".into(), |view| {
                view.name.as_ref().is_some_and(|name| name.to_lowercase().contains("writer") && name.contains('ö'))
            }),
        }
    }
}

async fn list(client: &Client, views: &[&TraceView], filter: &Filter, random: &mut Random) -> Result<(), String> {
    let mut expected: Vec<&TraceView> = views.iter().copied().filter(|view| (filter.takes)(view)).collect();
    let sort = *random.pick(&["started_at", "total_cost", "total_tokens", "total_duration_ms"]);
    expected.sort_by_key(|view| (place(view, sort), view.id.clone()));
    let descending = random.percent(50);
    if descending {
        expected.reverse();
    }
    let sign = if descending { "-" } else { "" };
    let (limit, mut cursor, mut found) = (random.between(1, 2), String::new(), Vec::new());
    loop {
        let path = format!("/api/v1/traces?{}&sort={sign}{sort}&limit={limit}{cursor}", filter.query);
        let page = client.get(path.trim_end_matches('&')).await;
        let mut body = page.json();
        if page.status != 200 || body["total"] != json!(expected.len()) || !body["total_is"].is_null() {
            return Err(format!("GET {path}: expected {} in all, found {} {}", expected.len(), page.status, page.text));
        }
        found.extend(body["traces"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<Value> = expected.into_iter().map(listed).collect();
    same(
        &Value::Array(expected),
        &Value::Array(found),
        &format!("GET /api/v1/traces?{}&sort={sign}{sort}", filter.query),
    )
}

fn place(view: &TraceView, sort: &str) -> i128 {
    match sort {
        "started_at" => view.started_at.into(),
        "total_cost" => view.total_cost.0,
        "total_tokens" => view.total_tokens,
        // One without a duration stands where none has passed.
        _ => view.total_duration_us.unwrap_or(0).into(),
    }
}

/// A trace without what lists leave out.
fn listed(view: &TraceView) -> Value {
    without(verify::json::trace(view), &["input", "output", "spans"])
}
