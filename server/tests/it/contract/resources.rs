//! What the ids in the routes' paths name, made as clients make it, and a good body for every route.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use runtime::Settings;
use runtime::http::parameters::Kind;
use runtime::http::rfc3339;
use runtime::http::routes::{FILES, Route};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::routes;
use crate::harness::dodo::Dodo;
use crate::harness::{Answer, Client, Retrace};

/// A member beside the one whose key the tests have.
const PEER: &str = "bob";
/// A file to import.
const LINES: &str = "{\"input\":1}\n";
const SPAN: &str = "00f067aa0ba902b7";
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// An installation that lacks nothing which a route needs.
pub async fn start(dodo: &Dodo, tweak: impl FnOnce(&mut Settings)) -> Retrace {
    Retrace::with(|settings| {
        settings.dodo_url = format!("{}/", dodo.url);
        settings.dodo_api_key = "a key of tests".into();
        settings.dodo_webhook_secret = SECRET.into();
        settings.dodo_products = "pro=pdt_pro".into();
        tweak(settings);
    })
    .await
}

pub struct Resources {
    pub client: Client,
    /// By the part of a path that stands before the id.
    ids: HashMap<&'static str, String>,
    /// An exported one.
    tape: String,
}

impl Resources {
    pub async fn made(retrace: &Retrace) -> Resources {
        let bob = retrace.key_of("local", PEER).await;
        let ids = [("spans", SPAN), ("labels", "production")].map(|(part, id)| (part, id.to_owned()));
        let mut made = Resources { client: retrace.client.clone(), ids: ids.into(), tape: String::new() };
        for (part, path) in [
            ("traces", "/api/v1/traces"),
            ("skills", "/api/v1/skills"),
            ("prompts", "/api/v1/prompts"),
            ("memory", "/api/v1/memory"),
            ("datasets", "/api/v1/datasets"),
            ("items", "/api/v1/datasets/{id}/items"),
            ("comments", "/api/v1/comments"),
            ("assignments", "/api/v1/assignments"),
            ("all", "/api/v1/api-keys/all"),
            ("tapes", "/api/v1/tapes"),
        ] {
            let answer = made.ask(&made.client, route("POST", path), &[]).await.expect(201);
            made.ids.insert(part, text(&answer.json()[if part == "tapes" { "slug" } else { "id" }]));
        }
        let export = made.path(route("GET", "/api/v1/tapes/{slug}/export"));
        made.tape = made.client.get(&export).await.expect(200).text;
        let told = json!({"trace_id": made.ids["traces"], "body": "Look, @local"});
        let told = bob.post("/api/v1/comments", &told).await.expect(201);
        let list = made.client.get_after("/api/v1/notifications", &told.position()).await.expect(200).json();
        made.ids.insert("notifications", text(&list["notifications"][0]["id"]));
        retrace.settled().await;
        let failures = made.client.get("/api/v1/insights/failures").await.expect(200).json();
        made.ids.insert("failures", text(&failures["clusters"][0]["id"]));
        made
    }

    /// The route's path with ids of what is there, and the parameters that it needs.
    pub fn path(&self, route: &Route) -> String {
        let named = |part: &str| self.ids.get(part).cloned().unwrap_or_else(|| panic!("nothing is made in {part}"));
        format!("{}{}", with_ids(route.path, named), self.query(route))
    }

    pub fn id(&self, part: &str) -> &str {
        &self.ids[part]
    }

    fn query(&self, route: &Route) -> String {
        // One pair or the other is needed.
        if route.path == "/api/v1/traces/diff" {
            return format!("?a={0}&b={0}", self.ids["traces"]);
        }
        let needed: Vec<String> =
            self.needed(route).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        if needed.is_empty() { String::new() } else { format!("?{}", needed.join("&")) }
    }

    pub fn needed(&self, route: &Route) -> Vec<(&'static str, String)> {
        let needed = route.query.iter().copied().flatten().filter(|parameter| parameter.is_needed);
        let value = |name: &str, kind| match kind {
            Kind::Whole(least, ..) => least.to_string(),
            _ if name == "trace_id" => self.ids["traces"].clone(),
            _ => panic!("{} needs {name}", route.path),
        };
        needed.map(|parameter| (parameter.name, value(parameter.name, parameter.kind))).collect()
    }

    /// Asks a route as it is meant to be asked.
    pub async fn ask(&self, client: &Client, route: &Route, headers: &[(&str, &str)]) -> Answer {
        self.ask_at(client, route, &self.path(route), headers).await
    }

    pub async fn ask_at(&self, client: &Client, route: &Route, path: &str, headers: &[(&str, &str)]) -> Answer {
        let body = match route.body {
            Some("TapeLines") => Some(self.tape.clone()),
            Some(_) if is_file(route) => Some(LINES.to_owned()),
            Some(schema) => Some(self.example(schema).await.to_string()),
            None => None,
        };
        let content_type = if is_file(route) { "application/x-ndjson" } else { "application/json" };
        let headers = [headers, &[("content-type", content_type)][..]].concat();
        client.send(method(route), path, &headers, body.map(String::into_bytes)).await
    }

    /// A good body; what must be unique in it is.
    pub async fn example(&self, schema: &str) -> Value {
        let trace = self.ids.get("traces");
        match schema {
            "TraceIn" => trace_of(SPAN),
            "HaltIn" => json!({"reason": "Budget exceeded"}),
            "TapeIn" => json!({"trace_id": trace, "title": unique("tape")}),
            "TapePatch" => json!({"title": unique("tape")}),
            "GoldenIn" => json!({"golden": true}),
            "FeedbackIn" => json!({"value": 1, "note": "Good"}),
            "RootCauseIn" => json!({"traceId": trace}),
            "SkillIn" | "SkillPatch" => {
                json!({"name": unique("skill"), "tags": ["a"], "definition": {"tools": ["search"]}})
            }
            "SkillRestoreIn" | "PromptLabelIn" => json!({"version": 1}),
            "PromptIn" => json!({"name": unique("prompt"), "content": "Hello {{name}}", "labels": ["production"]}),
            "PromptVersionIn" => {
                json!({"messages": [{"role": "user", "content": "Hello"}], "message": unique("change")})
            }
            "MemoryIn" => json!({"key": unique("key"), "value": "v", "scope": "global"}),
            "MemorySearchIn" => json!({"query": "v"}),
            "DatasetIn" => json!({"name": unique("dataset")}),
            "DatasetPatch" => json!({"description": unique("description")}),
            "DatasetItemIn" | "DatasetItemPatch" => json!({"input": unique("input")}),
            "CommentIn" => json!({"trace_id": trace, "body": unique("Why?")}),
            "CommentPatch" => json!({"body": unique("Because.")}),
            // Of a trace that nobody has yet.
            "AssignmentIn" => {
                let made = self.client.post("/api/v1/traces", &trace_of(SPAN)).await.expect(201).json();
                json!({"trace_id": made["id"], "assignee_id": PEER})
            }
            "AssignmentPatch" => json!({"status": "in_progress", "note": unique("note")}),
            "NotificationsReadIn" => json!({"ids": [self.ids["notifications"]]}),
            "NamedApiKeyIn" => json!({"name": unique("key"), "scopes": ["read"]}),
            "NamedApiKeyPatch" => json!({"name": unique("key"), "scopes": ["read"]}),
            "CheckoutIn" => json!({"plan": "pro", "return_url": "/paid"}),
            other => panic!("there is no example of {other}"),
        }
    }
}

/// A run that has failed a moment ago.
fn trace_of(span: &str) -> Value {
    let before = |seconds| rfc3339(OffsetDateTime::now_utc() - Duration::seconds(seconds));
    let span = json!({
        "id": span, "span_type": "tool_call", "name": "search", "error": "Connection refused", "started_at": before(20),
    });
    json!({
        "name": "run", "status": "failed", "error": "Connection refused", "tags": ["a"], "spans": [span],
        "started_at": before(20), "ended_at": before(10),
    })
}

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what} {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub fn route(method: &str, path: &str) -> &'static Route {
    let of = |route: &&Route| route.method == method && route.path == path;
    routes().find(of).unwrap_or_else(|| panic!("there is no route {method} {path}"))
}

pub fn method(route: &Route) -> Method {
    route.method.parse().unwrap()
}

pub fn is_file(route: &Route) -> bool {
    FILES.iter().any(|(name, _)| route.body == Some(name))
}

/// The parts of a path that its ids stand behind.
pub fn parts(path: &str) -> Vec<&str> {
    let parts: Vec<&str> = path.split('/').collect();
    parts.windows(2).filter(|pair| pair[1].starts_with('{')).map(|pair| pair[0]).collect()
}

pub fn with_ids(path: &str, id: impl Fn(&str) -> String) -> String {
    let mut made: Vec<String> = Vec::new();
    for part in path.split('/') {
        let is_id = part.starts_with('{');
        made.push(if is_id { id(made.last().unwrap()) } else { part.to_owned() });
    }
    made.join("/")
}

/// Names nothing that is there.
pub fn unknown(part: &str) -> String {
    match part {
        "spans" => "00f067aa0ba90000".to_owned(),
        "labels" => "nowhere".to_owned(),
        _ => Uuid::new_v4().to_string(),
    }
}
