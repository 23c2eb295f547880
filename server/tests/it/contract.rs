//! The contract, drawn from the route table and the OpenAPI document: what they say of a route is tried on it, so that a
//! new one is tried by itself.

mod conflicts;
mod faults;
mod resources;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use reqwest::{Method, Url};
use runtime::auth::{Role, Scope, Scopes};
use runtime::http::routes::{self, Class, Needs, Route, methods_of};
use serde_json::{Value, json};

use self::faults::{Bodies, strangers_of};
use self::resources::{Resources, SECRET, is_file, method, parts, unknown, with_ids};
use crate::harness::dodo::{Dodo, Webhook, subscription};
use crate::harness::{Client, Retrace, eventually};

/// Requests under way at once.
const CONCURRENT: usize = 8;
const PORTAL: &str = "/api/v1/billing/portal";
/// A trace may be changed before it is begun, so that its id need not be known.
const BEGINS: (&str, &str) = ("PATCH", "/api/v1/traces/{id}");

/// Needs a program at the other end: `live` tries it.
const LIVE: (&str, &str) = ("POST", "/api/v1/traces/{id}/replay");
const HALT: &str = "/api/v1/traces/{id}/halt";

/// All that a client may ask.
fn routes() -> impl Iterator<Item = &'static Route> {
    routes::routes()
        .filter(|route| route.path.starts_with("/api/v1/") && route.class != Class::Internal)
        .filter(|route| (route.method, route.path) != LIVE)
}

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// Whether one of the faults is of this field.
fn says(error: &str, field: &str) -> bool {
    error.split("; ").any(|fault| fault.starts_with(field))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_guarded() {
    let retrace = Retrace::start().await;
    credentials_must_hold(&retrace.client).await;
    paths_say_which_methods_they_have(&retrace.client).await;
    an_id_of_another_form_names_nothing(&retrace.client).await;
    what_a_role_or_a_scope_does_not_allow_is_forbidden(&retrace).await;
}

async fn credentials_must_hold(client: &Client) {
    let guarded = routes().filter(|route| !route.class.is_open());
    let each = stream::iter(guarded).for_each_concurrent(CONCURRENT, |route| async move {
        let path = with_ids(route.path, unknown);
        let credentials: [(&str, &[(&str, &str)]); 5] = [
            ("", &[]),
            ("rt_unknown", &[]),
            ("sk-other", &[]),
            ("", &[("authorization", "Basic abc")]),
            ("", &[("authorization", "Bearer not.a.jwt")]),
        ];
        for (key, headers) in credentials {
            let answer = client.with_key(key).send(method(route), &path, headers, None).await;
            assert_eq!(answer.status, 401, "{} with {key:?} {headers:?}: {}", name(route), answer.text);
        }
    });
    each.await;
}

async fn paths_say_which_methods_they_have(client: &Client) {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for path in routes().map(|route| route.path).collect::<BTreeSet<_>>() {
        let allowed = methods_of(path);
        for method in methods.iter().filter(|method| !allowed.contains(&method.as_str())) {
            let answer = client.send(method.clone(), &with_ids(path, unknown), &[], None).await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
            assert_eq!(answer.headers["allow"], allowed.join(", "), "{method} {path}");
        }
    }
}

async fn an_id_of_another_form_names_nothing(client: &Client) {
    let of_one = routes().filter(|route| !parts(route.path).is_empty() && route.body.is_none());
    for route in of_one {
        let path = with_ids(route.path, |_| "not%20an%20id".to_owned());
        let answer = client.send(method(route), &path, &[], None).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{}: {}", name(route), answer.text);
    }
}

async fn what_a_role_or_a_scope_does_not_allow_is_forbidden(retrace: &Retrace) {
    for role in Role::ALL {
        let client = retrace.key_as("local", role.as_str(), role.as_str()).await;
        may(&client, role.as_str(), |needs| role.allows(needs), |_| "").await;
    }
    for scope in Scope::ALL {
        let asked = json!({"name": scope.as_str(), "scopes": [scope.as_str()]});
        let made = retrace.client.post("/api/v1/api-keys/all", &asked).await.expect(201).json();
        let client = retrace.client.with_key(made["key"].as_str().unwrap());
        may(&client, scope.as_str(), |needs| scope.allows(needs), Scopes::for_what).await;
    }
}

/// Tries all that the caller may not do, and reads what it may. `says`: what a refusal names.
async fn may(client: &Client, who: &str, allows: impl Fn(Needs) -> bool, says: fn(Needs) -> &'static str) {
    let tried = routes().filter(|route| !allows(route.needs) || route.method == "GET");
    let allows = &allows;
    let each = stream::iter(tried).for_each_concurrent(CONCURRENT, |route| async move {
        let answer = client.send(method(route), &with_ids(route.path, unknown), &[], None).await;
        let told = || format!("{who}: {}: {}", name(route), answer.text);
        assert_eq!(answer.status == 403, !allows(route.needs), "{}", told());
        assert!(answer.status != 403 || answer.error().contains(says(route.needs)), "{}", told());
    });
    each.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_as_the_document_says() {
    let dodo = Dodo::start().await;
    let retrace = resources::start(&dodo, |_| {}).await;
    let mut made = Resources::made(&retrace).await;
    let (mut deletions, mut others): (Vec<&Route>, Vec<&Route>) = routes().partition(|route| route.method == "DELETE");
    // What is bought is managed in the portal.
    others.sort_by_key(|route| route.path == PORTAL);
    // What is within goes first, and the key that asks for it last.
    deletions.sort_by_key(|route| (route.needs == Needs::OwnKeys, Reverse(route.path.len())));
    for route in others.into_iter().chain(deletions) {
        if route.class == Class::Webhook {
            buy(&dodo, &made.client).await;
            continue;
        }
        if route.path == HALT {
            // What has ended cannot be ended.
            let runs = made.client.post("/api/v1/traces", &json!({"status": "running"})).await.expect(201).json();
            let path = HALT.replace("{id}", runs["id"].as_str().unwrap());
            made.ask_at(&made.client, route, &path, &[]).await.expect(200);
            continue;
        }
        if route.path == PORTAL {
            eventually("the subscription", async || made.ask(&made.client, route, &[]).await.status == 200).await;
        }
        // The harness holds it against the schema.
        let answer = made.ask(&made.client, route, &[]).await;
        assert!(answer.status.is_success(), "{}: {} {}", name(route), answer.status, answer.text);
        if (route.method, route.path) == ("POST", "/api/v1/api-keys") {
            made.client = made.client.with_key(answer.json()["key"].as_str().unwrap());
        }
    }
    retrace.assert_exact().await;
}

/// What Dodo Payments tells after a checkout.
async fn buy(dodo: &Dodo, client: &Client) {
    let calls = dodo.calls();
    let checkout = calls.iter().find(|call| call.path == "/checkouts").expect("a checkout came before");
    let data = subscription("sub_1", &checkout.body["metadata"], json!({}));
    Webhook::new("msg_1", SECRET, "subscription.active", "2026-01-14T13:26:02Z", &data).send(client).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_foreign_is_as_unknown_as_what_is_not_there() {
    let dodo = Dodo::start().await;
    let retrace = resources::start(&dodo, |_| {}).await;
    let made = &Resources::made(&retrace).await;
    let stranger = &retrace.key_as("elsewhere", "eve", "owner").await;
    let about_one = || routes().filter(|route| !parts(route.path).is_empty());
    let tried = about_one().filter(|route| (route.method, route.path) != BEGINS);
    let each = stream::iter(tried).for_each_concurrent(CONCURRENT, |route| async move {
        let path = made.path(route);
        let told = |what: &str, text: &str| format!("{} {what}: {text}", name(route));
        // A label that is not there can be set.
        for missing in parts(route.path).into_iter().filter(|part| *part != "labels") {
            let path = path.replace(made.id(missing), &unknown(missing));
            let answer = made.ask_at(&made.client, route, &path, &[]).await;
            assert_eq!(answer.status, 404, "{}", told(missing, &answer.text));
        }
        if route.class.is_open() {
            return;
        }
        let foreign = made.ask_at(stranger, route, &path, &[]).await;
        assert_eq!(foreign.status, 404, "{}", told("of another tenant", &foreign.text));
        let path = parts(route.path).into_iter().fold(path, |path, part| path.replace(made.id(part), &unknown(part)));
        let absent = made.ask_at(stranger, route, &path, &[]).await;
        assert_eq!(foreign.error(), absent.error(), "{}", name(route));
    });
    each.await;
    for route in about_one().filter(|route| route.method == "GET") {
        let answer = made.ask(&made.client, route, &[]).await;
        assert_eq!(answer.status, 200, "{} is touched by nobody: {}", name(route), answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_named() {
    let dodo = Dodo::start().await;
    let retrace = resources::start(&dodo, |_| {}).await;
    let made = Resources::made(&retrace).await;
    every_fault_of_a_body_names_its_field(&made).await;
    every_fault_of_a_parameter_names_it(&made).await;
}

async fn every_fault_of_a_body_names_its_field(made: &Resources) {
    // What a webhook says is signed: its faults are those of the signature.
    for route in routes().filter(|route| !is_file(route) && route.class != Class::Webhook) {
        let Some(schema) = route.body else { continue };
        let (bodies, good, path) = (Bodies::of(schema), made.example(schema).await, made.path(route));
        assert!(bodies.allows(&good), "{schema} does not allow {good}");
        let (path, client) = (path.as_str(), &made.client);
        let refused = |body: Value| async move {
            let body = body.to_string();
            let answer = client.send(method(route), path, &[], Some(body.clone().into_bytes())).await;
            let shown: String = body.chars().take(300).collect();
            assert_eq!(answer.status, 400, "{} takes {shown}: {}", name(route), answer.text);
            (answer.error(), shown)
        };
        let refused = &refused;
        let (fields, body) = bodies.at_once(&good);
        assert!(!fields.is_empty(), "{schema} allows everything");
        let (error, shown) = refused(body).await;
        for field in fields {
            assert!(says(&error, &field), "{} says nothing of {field} in {shown}: {error}", name(route));
        }
        let each = stream::iter(bodies.faults(&good)).for_each_concurrent(CONCURRENT, |fault| async move {
            let (error, shown) = refused(fault.body).await;
            assert!(says(&error, &fault.field), "{} of {} in {shown}: {error}", name(route), fault.field);
        });
        each.await;
        let whole = refused(json!([good])).await.0;
        assert!(whole.starts_with("the body is not a JSON object"), "{}: {whole}", name(route));
    }
}

async fn every_fault_of_a_parameter_names_it(made: &Resources) {
    let asking = routes().filter(|route| !route.query.is_empty());
    let each = stream::iter(asking).for_each_concurrent(CONCURRENT, |route| async move {
        let path = made.path(route);
        let path = path.split('?').next().unwrap();
        let ask = |pairs: Vec<(&'static str, String)>| async move {
            let url = Url::parse_with_params("http://localhost", &pairs).unwrap();
            let path = format!("{path}?{}", url.query().unwrap_or_default());
            let content_type: &[_] = if is_file(route) { &[("content-type", "application/x-ndjson")] } else { &[] };
            let answer = made.client.send(method(route), &path, content_type, None).await;
            assert_eq!(answer.status, 400, "{} {path}: {}", route.method, answer.text);
            answer.error()
        };
        let with = |name: &'static str, value: String| {
            let others = made.needed(route).into_iter().filter(|(needed, _)| *needed != name);
            others.chain([(name, value)]).collect::<Vec<_>>()
        };
        let mut all = Vec::new();
        for parameter in route.query.iter().copied().flatten() {
            let strangers = strangers_of(parameter);
            all.push((parameter.name, strangers[0].clone()));
            for stranger in strangers {
                let error = ask(with(parameter.name, stranger)).await;
                assert!(says(&error, parameter.name), "{} of {}: {error}", name(route), parameter.name);
            }
        }
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let error = ask(all).await;
        assert!(names.iter().all(|name| says(&error, name)), "{} of {names:?}: {error}", name(route));
        for (needed, _) in made.needed(route) {
            let mut others = made.needed(route);
            others.retain(|(name, _)| *name != needed);
            assert!(ask(others).await.contains(&format!("{needed} is missing")), "{}", name(route));
        }
        let error = ask(with("contract", String::new())).await;
        assert!(error.contains("there is no parameter `contract`"), "{}: {error}", name(route));
    });
    each.await;
}
