//! Named API keys: scopes, ends, who may give which, when they were used.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use runtime::http::routes::{Needs, routes};
use schemas::topics;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::harness::{Answer, Client, Retrace, eventually};

const ALL: &str = "/api/v1/api-keys/all";
const CURRENT: &str = "/api/v1/api-keys";
const TRACES: &str = "/api/v1/traces";
const UNKNOWN: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";
/// Sightings of this long are one: none is kept twice in a test.
const ONCE: u64 = 1_000_000_000;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn path(key: &Value) -> String {
    format!("{ALL}/{}", text(&key["id"]))
}

/// Makes a key, and who has it.
async fn issue(client: &Client, body: Value) -> (Value, Client) {
    let created = client.post(ALL, &body).await.expect(201).json();
    let holder = client.with_key(&text(&created["key"]));
    (created, holder)
}

async fn send(client: &Client, method: Method, path: &str, header: (&str, &str), body: &Value) -> Answer {
    client.send(method, path, &[header], Some(body.to_string().into_bytes())).await
}

fn after(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::seconds(seconds)
}

fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_many_keys_beside_the_current_one() {
    let retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("acme", "ann").await, retrace.key_of("acme", "bob").await);
    let (root, eve) = (retrace.key_as("acme", "root", "org:admin").await, retrace.key_of("other", "eve").await);
    let end = rfc3339(after(3_600));
    let created =
        ann.post(ALL, &json!({"name": "ci", "scopes": ["read", "ingest"], "expires_at": end})).await.expect(201);
    assert_eq!(created.headers["etag"], "\"1\"");
    let first = created.json();
    assert!(text(&first["key"]).starts_with(&text(&first["prefix"])), "{first}");
    assert_eq!((&first["scopes"], &first["role"]), (&json!(["ingest", "read"]), &json!("member")));
    let read = ann.get(&path(&first)).await.expect(200);
    assert!(!read.text.contains(&text(&first["key"])) && !read.text.contains("sha256"), "{}", read.text);
    assert_eq!(read.headers["etag"], "\"1\"");
    let shown = read.json();
    for field in ["id", "prefix", "name", "scopes", "role", "expires_at", "created_at"] {
        assert_eq!(shown[field], first[field], "{field}");
    }
    assert_eq!((&shown["user_id"], &shown["is_current"], &shown["version"]), (&json!("ann"), &json!(false), &json!(1)));

    // A new current key leaves it alone.
    let (second, _) = issue(&ann, json!({"name": "laptop", "scopes": ["admin"]})).await;
    let renewed = ann.post(CURRENT, &json!({})).await.expect(201).json();
    ann.get(TRACES).await.expect(401);
    let ann = ann.with_key(&text(&renewed["key"]));
    ann.with_key(&text(&first["key"])).get(TRACES).await.expect(200);

    // Whoever administers sees everybody's, others their own, other tenants none.
    let names = |list: Value| -> Vec<(String, Value)> {
        let keys = list["api_keys"].as_array().unwrap().clone();
        keys.into_iter().map(|key| (text(&key["user_id"]), key["name"].clone())).collect()
    };
    let own = ann.get(ALL).await.expect(200).json();
    assert_eq!((&own["total"], &own["api_keys"][0]["is_current"]), (&json!(3), &json!(true)));
    assert_eq!(own["api_keys"][0]["scopes"], json!(["admin"]));
    let of_ann = |name: Value| ("ann".to_owned(), name);
    assert_eq!(names(own), [of_ann(Value::Null), of_ann(json!("laptop")), of_ann(json!("ci"))]);
    assert_eq!(bob.get(ALL).await.expect(200).json()["total"], 1);
    assert_eq!(eve.get(ALL).await.expect(200).json()["total"], 1);
    let all = root.get(ALL).await.expect(200);
    assert!(!all.text.contains("sha256") && all.json()["total"] == 5, "{}", all.text);
    assert_eq!(root.get(&format!("{ALL}?user_id=ann")).await.expect(200).json()["total"], 3);
    assert_eq!(bob.get(&format!("{ALL}?user_id=ann")).await.expect(200).json()["total"], 0);
    let page = root.get(&format!("{ALL}?limit=2")).await.expect(200).json();
    let rest = root.get(&format!("{ALL}?limit=200&cursor={}", text(&page["next_cursor"]))).await.expect(200).json();
    assert_eq!((names(page).len(), names(rest).len()), (2, 3));
    for (client, path) in
        [(&bob, path(&first)), (&eve, path(&first)), (&ann, format!("{ALL}/{UNKNOWN}")), (&ann, format!("{ALL}/x"))]
    {
        client.get(&path).await.expect(404);
        client.patch(&path, &json!({"name": "stolen"})).await.expect(404);
        assert_eq!(client.delete(&path).await.expect(404).error(), "API key not found");
    }
    retrace.assert_exact().await;

    // Revoked, by its user and by who administers.
    let gone = ann.delete(&path(&second)).await.expect(204);
    ann.get_after(&path(&second), &gone.position()).await.expect(404);
    ann.delete(&path(&second)).await.expect(404);
    let holder = ann.with_key(&text(&first["key"]));
    holder.get(TRACES).await.expect(200);
    root.delete(&path(&first)).await.expect(204);
    assert_eq!(holder.get(TRACES).await.expect(401).error(), "The API key is not known or was revoked");
    let current = text(&ann.get(ALL).await.expect(200).json()["api_keys"][0]["id"]);
    let gone = root.delete(&format!("{ALL}/{current}")).await.expect(204);
    ann.get(TRACES).await.expect(401);
    let left = root.get_after(ALL, &gone.position()).await.expect(200);
    assert_eq!(left.json()["total"], 2);
    retrace.assert_exact().await;
    let left = root.get(ALL).await.expect(200).text;
    retrace.rebuild_workspace().await;
    assert_eq!(root.get(ALL).await.expect(200).text, left);
    holder.get(TRACES).await.expect(401);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_key_is_named() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for (body, faults) in [
        (json!({}), "name is missing; scopes is missing"),
        (json!({"name": "", "scopes": []}), "name is empty; scopes is empty"),
        (
            json!({"name": "x".repeat(257), "scopes": ["all"], "expires_at": "2020-01-01T00:00:00Z", "role": "root"}),
            "name is longer than 256 characters; scopes[0] is not one of ingest, read, write, admin: all; \
             expires_at is not in the future; role is not one of owner, admin, member, viewer",
        ),
    ] {
        assert_eq!(client.post(ALL, &body).await.expect(400).error(), faults);
    }
    client.post_text(ALL, "[]").await.expect(400);
    let (key, _) = issue(client, json!({"name": "ci", "scopes": ["read"]})).await;
    for (body, faults) in [
        (json!({}), "the body changes none of name, scopes, expires_at"),
        (
            json!({"name": 1, "scopes": "read", "expires_at": 5}),
            "name is not text; scopes is not a list of texts; expires_at is not text",
        ),
    ] {
        assert_eq!(client.patch(&path(&key), &body).await.expect(400).error(), faults);
    }
    send(client, Method::PATCH, &path(&key), ("if-match", "one"), &json!({"name": "x"})).await.expect(412);
    for query in ["limit=0", "limit=201", "offset=10001", "cursor=AAAA", "count=all", "user_id=%00", "name=ci"] {
        client.get(&format!("{ALL}?{query}")).await.expect(400);
    }
    for (method, path) in [(Method::GET, ALL), (Method::POST, ALL), (Method::GET, "/api/v1/members")] {
        client.with_key("").send(method, path, &[], None).await.expect(401);
    }
    client.put(ALL, &json!({})).await.expect(405);
    retrace.assert_exact().await;
}

/// What docs/PERMISSIONS.md says of a scope.
fn allows(scope: &str, needs: Needs) -> bool {
    match needs {
        Needs::Nothing | Needs::Credentials => true,
        Needs::Reading => matches!(scope, "read" | "write" | "admin"),
        Needs::Recording => matches!(scope, "ingest" | "write" | "admin"),
        Needs::Writing => matches!(scope, "write" | "admin"),
        Needs::OwnKeys | Needs::Administering => scope == "admin",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_allow_and_names_the_one_that_it_lacks() {
    let retrace = Retrace::start().await;
    let root = retrace.key_as("acme", "root", "owner").await;
    let mut holders = Vec::new();
    for scope in ["ingest", "read", "write", "admin"] {
        holders.push((scope, issue(&root, json!({"name": scope, "scopes": [scope]})).await.1));
    }
    for (scope, holder) in &holders {
        for route in routes().filter(|route| route.needs > Needs::Nothing) {
            let path = route.path.replace("{id}", UNKNOWN);
            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
            let answer = holder.send(method.clone(), &path, &[], Some(b"{}".to_vec())).await;
            if allows(scope, route.needs) {
                assert_ne!(answer.status.as_u16(), 403, "{scope}: {method} {path}: {}", answer.text);
                continue;
            }
            let lacks = match route.needs {
                Needs::Reading => "read",
                Needs::Recording => "ingest",
                Needs::Writing => "write",
                _ => "admin",
            };
            let expected = format!("The API key does not allow this: it lacks the scope {lacks}");
            assert_eq!(answer.expect(403).error(), expected, "{scope}: {method} {path}");
        }
    }
    // The role bounds what scopes allow.
    let vic = retrace.key_as("acme", "vic", "viewer").await;
    let (_, writes) = issue(&vic, json!({"name": "all", "scopes": ["write"]})).await;
    assert_eq!(
        writes.post(TRACES, &json!({})).await.expect(403).error(),
        "The role viewer does not allow this: it reads only"
    );
    writes.get(TRACES).await.expect(200);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_a_key_more_than_he_has() {
    let retrace = Retrace::start().await;
    let (ann, root) = (retrace.key_of("acme", "ann").await, retrace.key_as("acme", "root", "admin").await);
    let above = ann.post(ALL, &json!({"name": "x", "scopes": ["read"], "role": "admin"})).await.expect(403);
    assert_eq!(above.error(), "The role admin is above yours, which is member");
    root.post(ALL, &json!({"name": "x", "scopes": ["read"], "role": "owner"})).await.expect(403);
    let (low, reads) = issue(&ann, json!({"name": "x", "scopes": ["admin"], "role": "viewer"})).await;
    assert_eq!(low["role"], "viewer");
    reads.post(TRACES, &json!({})).await.expect(403);
    reads.post(ALL, &json!({"name": "x", "scopes": ["read"], "role": "member"})).await.expect(403);

    // Scopes are narrowed by its user, and widened by who administers.
    let (key, holder) = issue(&ann, json!({"name": "ci", "scopes": ["write"]})).await;
    let narrowed = ann.patch(&path(&key), &json!({"scopes": ["read", "ingest"], "name": "robot"})).await.expect(200);
    assert_eq!(narrowed.headers["etag"], "\"2\"");
    let narrowed = narrowed.json();
    assert_eq!((&narrowed["scopes"], &narrowed["name"]), (&json!(["ingest", "read"]), &json!("robot")));
    holder.post(TRACES, &json!({})).await.expect(201);
    holder.post("/api/v1/skills", &json!({"name": "x"})).await.expect(403);
    let widened = ann.patch(&path(&key), &json!({"scopes": ["write"]})).await.expect(403);
    assert_eq!(widened.error(), "Only owners and admins give an API key further scopes; it has ingest, read");
    let stale = send(&root, Method::PATCH, &path(&key), ("if-match", "\"1\""), &json!({"scopes": ["write"]})).await;
    assert_eq!(stale.expect(412).error(), "The API key is at version 2, not at 1 as If-Match says");
    send(&root, Method::PATCH, &path(&key), ("if-match", "\"2\""), &json!({"scopes": ["write"]})).await.expect(200);
    holder.post("/api/v1/skills", &json!({"name": "x"})).await.expect(201);
    // A key of other scopes manages none, not even itself.
    for (method, path) in [(Method::POST, ALL.to_owned()), (Method::PATCH, path(&key)), (Method::DELETE, path(&key))] {
        let refused = holder.send(method, &path, &[], Some(b"{}".to_vec())).await.expect(403);
        assert_eq!(refused.error(), "The API key does not allow this: it lacks the scope admin");
    }
    // Nor does an admin widen an owner's.
    let owner = retrace.key_as("acme", "olga", "owner").await;
    let (key, _) = issue(&owner, json!({"name": "reads", "scopes": ["read"]})).await;
    root.patch(&path(&key), &json!({"scopes": ["write"]})).await.expect(403);
    let current = text(&ann.get(ALL).await.expect(200).json()["api_keys"][2]["id"]);
    let refused = ann.patch(&format!("{ALL}/{current}"), &json!({"name": "x"})).await.expect(409);
    assert!(refused.error().starts_with("This is a user's current API key"), "{}", refused.text);
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    holder.post("/api/v1/skills", &json!({"name": "x"})).await.expect(201);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_when_it_says_and_makes_none_that_lives_longer() {
    let retrace = Retrace::start().await;
    let ann = retrace.key_of("acme", "ann").await;
    let end = after(6);
    let (key, holder) = issue(&ann, json!({"name": "short", "scopes": ["admin"], "expires_at": rfc3339(end)})).await;
    holder.get(TRACES).await.expect(200);
    for (path, body) in [
        (CURRENT, json!({})),
        (ALL, json!({"name": "longer", "scopes": ["read"]})),
        (ALL, json!({"name": "longer", "scopes": ["read"], "expires_at": rfc3339(after(60))})),
    ] {
        let refused = holder.post(path, &body).await.expect(403).error();
        assert!(refused.starts_with("Your API key expires on ") && refused.ends_with("gives no other a later end"));
    }
    holder.patch(&path(&key), &json!({"expires_at": null})).await.expect(403);
    holder.post(ALL, &json!({"name": "as long", "scopes": ["read"], "expires_at": rfc3339(end)})).await.expect(201);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = holder.get(TRACES).await;
        if answer.status == 401 {
            assert!(OffsetDateTime::now_utc() >= end, "refused early");
            assert!(answer.error().starts_with("The API key expired on 20"), "{}", answer.text);
            break;
        }
        assert!(Instant::now() < deadline, "it does not expire");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(holder.post(TRACES, &json!({})).await.expect(401).error().starts_with("The API key expired on"));
    // It is there still, and its user may give it another end.
    assert_eq!(ann.get(ALL).await.expect(200).json()["total"], 3);
    let again = ann.patch(&path(&key), &json!({"expires_at": null})).await.expect(200).json();
    assert_eq!(again["expires_at"], Value::Null);
    eventually("the key to be in force", async || holder.get(TRACES).await.status == 200).await;
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_as_many_keys_as_he_may() {
    let retrace = Retrace::with(|settings| settings.api_keys_per_user = 5).await;
    let ann = retrace.key_of("acme", "ann").await;
    let body = json!({"name": "one of many", "scopes": ["read"]});
    let statuses = join_all((0..20).map(|_| async { ann.post(ALL, &body).await })).await;
    let of = |status: u16| statuses.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(201), of(409)), (5, 15));
    let refused = statuses.iter().find(|answer| answer.status == 409).unwrap().error();
    assert_eq!(refused, "There are 5 named API keys of this user, the most there may be: revoke one first");
    let keys = ann.get(&format!("{ALL}?count=exact")).await.expect(200).json();
    assert_eq!(keys["total"], 6);
    for created in statuses.iter().filter(|answer| answer.status == 201) {
        ann.with_key(&text(&created.json()["key"])).get(TRACES).await.expect(200);
    }
    // The current one is not counted, and another user has its own.
    ann.post(CURRENT, &json!({})).await.expect(201);
    issue(&retrace.key_of("acme", "bob").await, body.clone()).await;
    let ann = retrace.key_of("acme", "ann").await;
    ann.delete(&path(&keys["api_keys"][0])).await.expect(204);
    issue(&ann, body).await;

    // Of changes of one version one holds.
    let key = path(&ann.get(ALL).await.expect(200).json()["api_keys"][0]);
    let writers = (0..20).map(|n| {
        let (ann, key) = (ann.clone(), key.clone());
        async move {
            let body = json!({"name": format!("of writer {n}")});
            send(&ann, Method::PATCH, &key, ("if-match", "\"1\""), &body).await.status.as_u16()
        }
    });
    let statuses = join_all(writers).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409 | 412)), "{statuses:?}");
    assert_eq!(ann.get(&key).await.expect(200).json()["version"], 2);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_creation_names_the_key_that_it_made() {
    let retrace = Retrace::start().await;
    let body = json!({"name": "ci", "scopes": ["admin"]});
    let client = &retrace.client;
    let post = |body: Value| async move { send(client, Method::POST, ALL, ("idempotency-key", "k1"), &body).await };
    let first = post(body.clone()).await.expect(201).json();
    let second = post(body.clone()).await.expect(409);
    let expected = format!("The key {}… was created under this Idempotency-Key", text(&first["prefix"]));
    assert!(second.error().starts_with(&expected), "{}", second.text);
    post(json!({"name": "other", "scopes": ["admin"]})).await.expect(409);
    assert_eq!(retrace.client.get(ALL).await.expect(200).json()["total"], 2);
    let holder = retrace.client.with_key(&text(&first["key"]));
    // A change and a revocation are answered as the first time.
    for _ in 0..2 {
        let patched =
            send(&holder, Method::PATCH, &path(&first), ("idempotency-key", "k2"), &json!({"name": "x"})).await;
        assert_eq!(patched.expect(200).json()["version"], 2);
    }
    for _ in 0..2 {
        send(&retrace.client, Method::DELETE, &path(&first), ("idempotency-key", "k3"), &json!({})).await.expect(204);
    }
    holder.get(TRACES).await.expect(401);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_a_key_is_kept_once_and_its_user_is_a_member() {
    let retrace = Retrace::with(|settings| settings.seen_interval_seconds = ONCE).await;
    let ann = retrace.key_of("acme", "ann").await;
    let members = async || ann.get("/api/v1/members").await.expect(200).json()["members"].clone();
    // From the creation of the key on.
    let made = members().await;
    assert_eq!((&made[0]["user_id"], &made[0]["role"]), (&json!("ann"), &json!("member")));
    eventually("the last use of the current key", async || {
        !ann.get(CURRENT).await.expect(200).json()["last_used_at"].is_null()
    })
    .await;
    let seen = members().await;
    assert_eq!(seen[0]["first_seen_at"], made[0]["first_seen_at"]);
    assert_eq!(seen[0]["last_seen_at"], ann.get(CURRENT).await.expect(200).json()["last_used_at"]);

    let (key, holder) = issue(&ann, json!({"name": "ci", "scopes": ["ingest"], "role": "viewer"})).await;
    assert_eq!(ann.get(&path(&key)).await.expect(200).json()["last_used_at"], Value::Null);
    // Forbidden, and used all the same.
    for _ in 0..5 {
        holder.get(TRACES).await.expect(403);
        holder.post(TRACES, &json!({})).await.expect(403);
    }
    eventually("the last use of a named key", async || {
        !ann.get(&path(&key)).await.expect(200).json()["last_used_at"].is_null()
    })
    .await;
    // Its role is that of the user, not that of the key.
    assert_eq!(members().await[0]["role"], "member");
    retrace.settled().await;
    let of_ann = |kind: &str, records: &[verify::Record]| {
        let is = |record: &&verify::Record| {
            record.envelope.as_ref().is_ok_and(|envelope| envelope.kind == kind && envelope.tenant == "acme")
        };
        records.iter().filter(is).count()
    };
    let records = retrace.log(topics::WORKSPACE).await;
    // Of two keys, each once, through either service.
    assert_eq!(of_ann("dev.retrace.api_key.used.v1", &records), 2);
    assert_eq!(of_ann("dev.retrace.member.seen.v1", &records), 0);
    retrace.assert_exact().await;
    let (before, members_before) = (ann.get(ALL).await.expect(200).text, members().await);
    retrace.rebuild_workspace().await;
    assert_eq!((ann.get(ALL).await.expect(200).text, members().await), (before, members_before));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_revoked_key_is_erased() {
    let retrace = Retrace::start().await;
    let ann = retrace.key_of("acme", "ann").await;
    let (key, _) = issue(&ann, json!({"name": "secret project", "scopes": ["read"]})).await;
    let (kept, _) = issue(&ann, json!({"name": "kept", "scopes": ["read"]})).await;
    ann.patch(&path(&key), &json!({"name": "more secret"})).await.expect(200);
    let subject = |key: &Value| format!("api_keys/{}", text(&key["id"]));
    assert!(retrace.sealed_under().await.contains(&subject(&key)));
    ann.delete(&path(&key)).await.expect(204);
    retrace.settled().await;
    assert_eq!(retrace.erase().await, 1);
    let sealed = retrace.sealed_under().await;
    assert!(!sealed.contains(&subject(&key)) && sealed.contains(&subject(&kept)), "{sealed:?}");
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(ann.get(&path(&kept)).await.expect(200).json()["name"], "kept");
    ann.get(&path(&key)).await.expect(404);
    retrace.assert_exact().await;
}
