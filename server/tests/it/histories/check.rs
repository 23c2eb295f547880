//! What REST answers about a history's traces, beside what the fold over the log says.
//!
//! All rows of all projections are compared with the fold as well (`Installation::play`): whatever a history, a crash or a
//! rebalance does to what is kept shows there, for every history. What is proved here is that it is shown as it is. That is
//! the work of statements, each of which answers for itself whatever others were asked; so every history reads its
//! traces and their spans, its feedback and verdicts and its resources in full, by one of the ways to read them, and draws
//! of the ways and of the sums over traces those that it asks for: of four sums each tenant two, with parameters of its own.
//! A statement that is wrong is wrong for many states, of which thousands of histories ask every one of them many times;
//! a history that failed is played again in copies that draw anew ([`super::shrink`]).

use schemas::Money;
use serde_json::{Value, json};
use verify::resources::Resources;
use verify::{Fold, TraceState, TraceView};

use super::bodies::{MODELS, NAMES};
use super::history::{TENANTS, TRACES, USERS};
use super::models;
use super::play::Play;
use super::{commands, costs, export, failures, plans, savings, usage};
use crate::harness::{Client, Random, same, without};

/// Sums over the traces of a tenant.
#[derive(Clone, Copy)]
enum Sums {
    Costs,
    Models,
    Savings,
    Failures,
}

const SUMS: [Sums; 4] = [Sums::Costs, Sums::Models, Sums::Savings, Sums::Failures];

/// A tenant of a play, with what the fold has of its traces.
struct Tenant<'a> {
    play: &'a Play<'a>,
    name: &'a str,
    /// By name.
    users: Vec<(&'static str, Client)>,
    states: Vec<TraceState>,
}

impl<'a> Tenant<'a> {
    fn of(play: &'a Play<'a>, fold: &Fold, tenant: usize) -> Tenant<'a> {
        let name = play.tenants[tenant].as_str();
        let users = (0..USERS.len()).filter(|user| USERS[*user].0 == tenant);
        Tenant {
            play,
            name,
            users: users.map(|user| (USERS[user].1, play.client(user))).collect(),
            states: play.traces.iter().map(|id| fold.trace(name, id)).collect(),
        }
    }

    /// Whose reads show what is no user's own.
    fn client(&self) -> &Client {
        &self.users[0].1
    }

    /// With the path of each.
    fn traces(&self) -> impl Iterator<Item = (String, Option<&TraceView>)> {
        let paths = self.play.traces.iter().map(|id| format!("/api/v1/traces/{id}"));
        paths.zip(self.states.iter().map(TraceState::visible))
    }

    fn views(&self) -> Vec<&TraceView> {
        self.states.iter().filter_map(TraceState::visible).collect()
    }
}

/// The first difference, in words.
pub async fn compare(play: &Play<'_>, fold: &Fold, resources: &Resources, random: &mut Random) -> Result<(), String> {
    play.answers.compare(resources)?;
    let (first, by_day) = (random.below(SUMS.len()), random.below(TENANTS));
    for number in 0..TENANTS {
        let tenant = Tenant::of(play, fold, number);
        let (client, views) = (tenant.client(), tenant.views());
        traces(&tenant, random).await?;
        feedback(&tenant, random).await?;
        for (path, view) in tenant.traces() {
            let Some(view) = view else { continue };
            // It is kept beside the trace, and shown nowhere else.
            if view.status.as_str() == "failed" && (view.root_cause.is_some() || random.percent(15)) {
                root_cause(client, &path, view).await?;
            }
            if random.percent(8) {
                by_page(client, &path, &verify::json::trace(view)).await?;
            }
        }
        let filter = if random.percent(30) { Filter::none() } else { Filter::draw(random) };
        list(client, &views, &filter, random).await?;
        for nth in 0..SUMS.len() / TENANTS {
            match SUMS[(first + number * TENANTS + nth) % SUMS.len()] {
                Sums::Costs => costs::compare(client, &views, random).await?,
                Sums::Models => models::compare(client, &views, random).await?,
                Sums::Savings => savings::compare(client, &views, random).await?,
                Sums::Failures => failures::compare(client, &views, random).await?,
            }
        }
        usage::compare(client, fold, (tenant.name, &play.traces[..]), by_day == number).await?;
        workspace(&tenant, resources, random).await?;
    }
    Ok(())
}

/// The workspace alone.
pub async fn compare_workspace(
    play: &Play<'_>,
    fold: &Fold,
    resources: &Resources,
    random: &mut Random,
) -> Result<(), String> {
    for number in 0..TENANTS {
        workspace(&Tenant::of(play, fold, number), resources, random).await?;
    }
    Ok(())
}

async fn workspace(tenant: &Tenant<'_>, resources: &Resources, random: &mut Random) -> Result<(), String> {
    let (client, views) = (tenant.client(), tenant.views());
    let visible: Vec<&str> = views.iter().map(|view| view.id.as_str()).collect();
    let compared = commands::Compared {
        tenant: tenant.name,
        traces: &tenant.play.traces,
        visible: &visible,
        users: &tenant.users,
        resources,
    };
    commands::compare(&compared, random).await?;
    plans::compare(client, tenant.name, resources).await?;
    tenant.play.answers.compare_keys(client, tenant.name, resources).await
}

/// All that they say, and that there are no others: one by one, or from a file.
async fn traces(tenant: &Tenant<'_>, random: &mut Random) -> Result<(), String> {
    let (client, views) = (tenant.client(), tenant.views());
    if random.percent(60) {
        return export::compare(client, &views, export::Asked::ALL).await;
    }
    for (path, view) in tenant.traces() {
        get(client, &path, view.map(verify::json::trace).as_ref()).await?;
    }
    if random.percent(15) { export::compare(client, &views, export::Asked::draw(random)).await } else { Ok(()) }
}

/// All that is there, and one at random that need not be.
async fn feedback(tenant: &Tenant<'_>, random: &mut Random) -> Result<(), String> {
    let drawn = random.percent(30).then(|| (random.below(tenant.users.len()), random.below(TRACES)));
    for (user, (name, client)) in tenant.users.iter().enumerate() {
        for (trace, (path, view)) in tenant.traces().enumerate() {
            let verdict = view.and_then(|view| view.feedback.get(*name));
            if verdict.is_some() || drawn == Some((user, trace)) {
                let expected = view.map(|_| json!({"feedback": verdict.map(shown_feedback)}));
                get(client, &format!("{path}/feedback"), expected.as_ref()).await?;
            }
        }
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

fn shown_feedback(view: &verify::FeedbackView) -> Value {
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
    let (limit, mut cursor, mut found) = (*random.pick(&[1, 2, 2]), String::new(), Vec::new());
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
