//! Comments, assignments and notifications: no word is lost, everybody is told once, and all of it ends with the trace.

use futures::future::{join, join_all};
use ingest::system::System;
use reqwest::Method;
use runtime::auth::Principal;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, Retrace, eventually};

const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";
const SPAN: &str = "00f067aa0ba902b7";
const UNKNOWN: &str = "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01";
const COMMENTS: &str = "/api/v1/comments";
const ASSIGNMENTS: &str = "/api/v1/assignments";
const NOTIFICATIONS: &str = "/api/v1/notifications";

async fn recorded(client: &Client) {
    let span = json!({"id": SPAN, "span_type": "action", "name": "s", "started_at": "2026-11-20T10:00:00Z"});
    client.post("/api/v1/traces", &json!({"id": TRACE, "name": "t", "spans": [span]})).await.expect(201);
}

fn on(trace: &str, body: &str) -> Value {
    json!({"trace_id": trace, "body": body})
}

fn reply(parent: &Value, body: &str) -> Value {
    json!({"trace_id": TRACE, "body": body, "parent_id": parent["id"]})
}

fn path(resource: &str, of: &Value) -> String {
    format!("{resource}/{}", of["id"].as_str().unwrap())
}

async fn send(client: &Client, method: Method, path: &str, if_match: &str, body: &Value) -> Answer {
    client.send(method, path, &[("if-match", if_match)], Some(body.to_string().into_bytes())).await
}

async fn comments(client: &Client) -> Vec<Value> {
    let list = client.get(&format!("{COMMENTS}?trace_id={TRACE}&limit=200")).await.expect(200).json();
    assert_eq!(list["total"], list["comments"].as_array().unwrap().len());
    list["comments"].as_array().unwrap().clone()
}

/// The kinds of what the caller is told, from the newest, and how much of it is not read.
async fn told(client: &Client) -> (Vec<String>, Value) {
    let list = client.get(NOTIFICATIONS).await.expect(200).json();
    let kinds = list["notifications"].as_array().unwrap().iter().map(|told| told["kind"].as_str().unwrap().to_owned());
    (kinds.collect(), list["unread"].clone())
}

async fn admin_of(retrace: &Retrace) -> Client {
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let system = System { settings: &retrace.settings, pool: &pool };
    let (tenant, user, role) = ("local".to_owned(), "root".to_owned(), "org:admin".to_owned());
    let key = system.create_key(&Principal { tenant, user, org: None, role, key: None }, None).await.unwrap();
    eventually("the key", async || system.knows_key(&key).await.unwrap()).await;
    retrace.client.with_key(&key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_written_edited_and_taken_back() {
    let retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("local", "ann").await, retrace.key_of("local", "bob").await);
    let admin = admin_of(&retrace).await;
    recorded(&ann).await;
    let created = ann.post(COMMENTS, &on(TRACE, "Why so slow, @bob? (@nobody)")).await.expect(201);
    assert_eq!(created.headers["etag"], "\"1\"");
    let first = created.json();
    assert_eq!((&first["created_by"], &first["mentions"]), (&json!("ann"), &json!(["bob", "nobody"])));
    assert_eq!((&first["edited_at"], &first["parent_id"], &first["version"]), (&Value::Null, &Value::Null, &json!(1)));
    let first_path = path(COMMENTS, &first);
    let read = bob.get(&first_path).await.expect(200);
    assert_eq!((read.json(), &read.headers["etag"]), (first.clone(), &created.headers["etag"]));

    let second = bob.post(COMMENTS, &reply(&first, "A retry")).await.expect(201).json();
    let third = ann.post(COMMENTS, &reply(&second, "Of what?")).await.expect(201).json();
    assert_eq!((&third["parent_id"], &third["reply_to_id"]), (&first["id"], &second["id"]));
    let on_span = json!({"trace_id": TRACE, "span_id": SPAN.to_uppercase(), "body": "Here"});
    let fourth = ann.post(COMMENTS, &on_span).await.expect(201).json();
    let of_span = ann.get(&format!("{COMMENTS}?trace_id={TRACE}&span_id={SPAN}")).await.expect(200).json();
    assert_eq!((&of_span["total"], &of_span["comments"][0]), (&json!(1), &fourth));
    assert_eq!(bob.post(COMMENTS, &reply(&fourth, "Indeed")).await.expect(201).json()["span_id"], SPAN);
    let listed = comments(&ann).await;
    let bodies: Vec<&str> = listed.iter().map(|comment| comment["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["Why so slow, @bob? (@nobody)", "A retry", "Of what?", "Here", "Indeed"]);
    let replies: Vec<i64> = listed.iter().map(|comment| comment["reply_count"].as_i64().unwrap()).collect();
    assert_eq!(replies, [2, 0, 0, 1, 0]);
    assert_eq!(told(&bob).await, (vec!["reply".to_owned(), "mention".to_owned()], json!(2)));
    assert_eq!(told(&ann).await, (vec!["reply".to_owned(), "reply".to_owned()], json!(2)));

    let refused = bob.patch(&first_path, &json!({"body": "x"})).await.expect(403);
    assert_eq!(refused.error(), "Only its author changes a comment");
    let edited =
        send(&ann, Method::PATCH, &first_path, "\"1\"", &json!({"body": "Why, @bob, @root?"})).await.expect(200);
    assert_eq!(edited.headers["etag"], "\"2\"");
    assert_eq!(edited.json()["version"], 2);
    assert!(edited.json()["edited_at"].is_string(), "{}", edited.text);
    let stale = send(&ann, Method::PATCH, &first_path, "\"1\"", &json!({"body": "x"})).await.expect(412);
    assert_eq!(stale.error(), "The comment is at version 2, not at 1 as If-Match says");
    assert_eq!((told(&bob).await.1, told(&admin).await.1), (json!(2), json!(1)), "only the new one is told");

    bob.delete(&first_path).await.expect(403);
    send(&ann, Method::DELETE, &first_path, "\"1\"", &json!({})).await.expect(412);
    admin.delete(&first_path).await.expect(204);
    let placeholder = ann.get(&first_path).await.expect(200).json();
    assert_eq!((&placeholder["body"], &placeholder["is_deleted"]), (&Value::Null, &json!(true)));
    assert_eq!(placeholder["mentions"], json!([]));
    ann.patch(&first_path, &json!({"body": "x"})).await.expect(404);
    ann.delete(&first_path).await.expect(404);
    assert_eq!(ann.post(COMMENTS, &reply(&first, "x")).await.expect(404).error(), "Parent comment not found");
    assert_eq!((told(&bob).await.1, told(&admin).await.1), (json!(1), json!(0)), "nothing points at what is gone");
    ann.delete(&path(COMMENTS, &third)).await.expect(204);
    bob.delete(&path(COMMENTS, &second)).await.expect(204);
    ann.get(&first_path).await.expect(404);
    assert_eq!(comments(&ann).await.len(), 2);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_takes_no_word() {
    let retrace = Retrace::start().await;
    let (ann, eve) = (retrace.key_of("local", "ann").await, retrace.key_of("other", "eve").await);
    recorded(&ann).await;
    recorded(&eve).await;
    let comment = ann.post(COMMENTS, &on(TRACE, "x")).await.expect(201).json();
    let assignment = ann.post(ASSIGNMENTS, &json!({"trace_id": TRACE, "assignee_id": "ann"})).await.expect(201).json();
    retrace.settled().await;
    let before = retrace.log(schemas::topics::WORKSPACE).await.len();
    assert_eq!(ann.post(COMMENTS, &on(UNKNOWN, "x")).await.expect(404).error(), "Trace not found");
    let span = json!({"trace_id": TRACE, "span_id": UNKNOWN, "body": "x"});
    assert_eq!(ann.post(COMMENTS, &span).await.expect(404).error(), "Span not found");
    let unknown = json!({"trace_id": UNKNOWN, "assignee_id": "ann"});
    assert_eq!(ann.post(ASSIGNMENTS, &unknown).await.expect(404).error(), "Trace not found");
    assert_eq!(retrace.log(schemas::topics::WORKSPACE).await.len(), before, "nothing is appended");
    ann.get(&format!("{COMMENTS}?trace_id={UNKNOWN}")).await.expect(404);

    let foreign = eve.post(COMMENTS, &reply(&comment, "x")).await.expect(404);
    assert_eq!(foreign.error(), "Parent comment not found");
    let elsewhere = "4bf92f3577b34da6a3ce929d0e0e4736";
    ann.post("/api/v1/traces", &json!({"id": elsewhere})).await.expect(201);
    let body = json!({"trace_id": elsewhere, "parent_id": comment["id"], "body": "x"});
    assert_eq!(ann.post(COMMENTS, &body).await.expect(404).error(), "Parent comment not found");
    let not_ours = json!({"trace_id": TRACE, "assignee_id": "eve"});
    assert_eq!(ann.post(ASSIGNMENTS, &not_ours).await.expect(404).error(), "Member not found");
    for (client, comment, assignment) in [
        (&eve, path(COMMENTS, &comment), path(ASSIGNMENTS, &assignment)),
        (&ann, format!("{COMMENTS}/{UNKNOWN}"), format!("{ASSIGNMENTS}/{UNKNOWN}")),
        (&ann, format!("{COMMENTS}/x"), format!("{ASSIGNMENTS}/x")),
    ] {
        for path in [&comment, &assignment] {
            client.get(path).await.expect(404);
            client.delete(path).await.expect(404);
        }
        client.patch(&comment, &json!({"body": "x"})).await.expect(404);
        client.patch(&assignment, &json!({"status": "resolved"})).await.expect(404);
    }
    assert_eq!(comments(&eve).await, Vec::<Value>::new());
    assert_eq!(eve.get(&format!("{ASSIGNMENTS}?assignee_id=*")).await.expect(200).json()["total"], 0);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_what_is_said_is_named() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    recorded(client).await;
    let many: Vec<String> = (0..21).map(|n| format!("@u{n}")).collect();
    for (path, body, faults) in [
        (COMMENTS, json!({}), "trace_id is missing; body is missing"),
        (
            COMMENTS,
            json!({"trace_id": "x", "body": " "}),
            "trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id; body is empty",
        ),
        (
            COMMENTS,
            json!({"trace_id": TRACE, "span_id": "x", "parent_id": "y", "body": "a\0"}),
            "span_id is neither a UUID nor a 16-hex OpenTelemetry span id; parent_id is not the id of a comment; body contains NUL",
        ),
        (COMMENTS, on(TRACE, &many.join(" ")), "body mentions more than 20 users"),
        (COMMENTS, on(TRACE, &"x".repeat(65_537)), "body is longer than 65536 characters"),
        (ASSIGNMENTS, json!({"note": 1}), "trace_id is missing; assignee_id is missing; note is not text"),
        (ASSIGNMENTS, json!({"trace_id": TRACE, "assignee_id": ""}), "assignee_id is empty"),
    ] {
        assert_eq!(client.post(path, &body).await.expect(400).error(), faults);
    }
    for (path, body, faults) in [
        (format!("{COMMENTS}/{UNKNOWN}"), json!({"body": 1}), "body is not text"),
        (format!("{ASSIGNMENTS}/{UNKNOWN}"), json!({}), "the body changes none of status, assignee_id, note"),
        (
            format!("{ASSIGNMENTS}/{UNKNOWN}"),
            json!({"status": "done"}),
            "status is not one of open, in_progress, resolved, dismissed",
        ),
        (format!("{NOTIFICATIONS}/read"), json!({"ids": ["x"]}), "ids[0] is not the id of a notification"),
        (format!("{NOTIFICATIONS}/read"), json!({"ids": []}), "ids is empty"),
    ] {
        assert_eq!(client.patch(&path, &body).await.expect(400).error(), faults);
    }
    for query in [
        "comments",
        "comments?trace_id=x",
        "comments?trace_id=&limit=0",
        "assignments?status=done",
        "assignments?trace_id=x",
        "assignments?assignee_id=%00",
        "assignments?cursor=AAAA",
        "notifications?unread=yes",
        "notifications?limit=201",
        "notifications?offset=1",
    ] {
        client.get(&format!("/api/v1/{query}")).await.expect(400);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_looked_after() {
    let retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("local", "ann").await, retrace.key_of("local", "bob").await);
    recorded(&ann).await;
    let asked = json!({"trace_id": TRACE, "assignee_id": "bob", "note": "by Friday"});
    let created = ann.post(ASSIGNMENTS, &asked).await.expect(201);
    assert_eq!(created.headers["etag"], "\"1\"");
    let assignment = created.json();
    assert_eq!((&assignment["status"], &assignment["assigned_by"]), (&json!("open"), &json!("ann")));
    let already = "The trace is assigned to this member already";
    assert_eq!(ann.post(ASSIGNMENTS, &asked).await.expect(409).error(), already);
    let path = path(ASSIGNMENTS, &assignment);
    assert_eq!(bob.get(&path).await.expect(200).json(), assignment);
    assert_eq!(bob.get(ASSIGNMENTS).await.expect(200).json()["assignments"], json!([assignment]));
    assert_eq!(ann.get(ASSIGNMENTS).await.expect(200).json()["total"], 0);
    let told_bob = bob.get(NOTIFICATIONS).await.expect(200).json();
    let notification = &told_bob["notifications"][0];
    assert_eq!((&notification["excerpt"], &notification["assignment_id"]), (&json!("by Friday"), &assignment["id"]));

    let status = |status: &str| json!({"status": status});
    let begun = send(&bob, Method::PATCH, &path, "\"1\"", &status("in_progress")).await.expect(200);
    assert_eq!((&begun.json()["version"], &begun.json()["note"]), (&json!(2), &json!("by Friday")));
    assert_eq!(begun.headers["etag"], "\"2\"");
    send(&bob, Method::PATCH, &path, "\"1\"", &status("resolved")).await.expect(412);
    bob.patch(&path, &json!({"status": "resolved", "note": ""})).await.expect(200);
    assert_eq!(told(&ann).await, (vec!["status".to_owned(); 2], json!(2)));
    let second = ann.post(ASSIGNMENTS, &asked).await.expect(201).json();
    assert_eq!(bob.patch(&path, &status("open")).await.expect(409).error(), already);
    assert_eq!(bob.patch(&path, &json!({"assignee_id": "eve"})).await.expect(404).error(), "Member not found");
    let handed = bob.patch(&path, &json!({"assignee_id": "ann", "status": "open"})).await.expect(200).json();
    assert_eq!(
        (&handed["assigned_by"], &handed["created_by"], &handed["note"]),
        (&json!("bob"), &json!("ann"), &json!(""))
    );
    assert_eq!(told(&ann).await.0[0], "assignment");

    for (query, expected) in [
        ("", vec![&second]),
        ("?assignee_id=ann", vec![&handed]),
        ("?assignee_id=*", vec![&second, &handed]),
        ("?assignee_id=*&status=in_progress", vec![]),
        (format!("?assignee_id=*&status=open&trace_id={TRACE}").as_str(), vec![&second, &handed]),
    ] {
        let list = bob.get(&format!("{ASSIGNMENTS}{query}")).await.expect(200).json();
        assert_eq!((&list["assignments"], &list["total"]), (&json!(expected), &json!(expected.len())), "{query}");
    }
    let page = bob.get(&format!("{ASSIGNMENTS}?assignee_id=*&limit=1")).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = bob.get(&format!("{ASSIGNMENTS}?assignee_id=*&limit=1&cursor={cursor}")).await.expect(200).json();
    assert_eq!((&rest["assignments"], &rest["next_cursor"]), (&json!([handed]), &Value::Null));
    bob.get(&format!("{ASSIGNMENTS}?limit=1&cursor={cursor}")).await.expect(400);

    ann.delete(&path).await.expect(403);
    bob.delete(&path).await.expect(204);
    bob.get(&path).await.expect(404);
    retrace.client.delete(&self::path(ASSIGNMENTS, &second)).await.expect(204);
    assert_eq!((told(&ann).await.1, told(&bob).await.1), (json!(0), json!(0)));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_read() {
    let retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("local", "ann").await, retrace.key_of("local", "bob").await);
    recorded(&ann).await;
    for n in 0..5 {
        ann.post(COMMENTS, &on(TRACE, &format!("@bob @ann {n}{}", "é".repeat(300)))).await.expect(201);
    }
    assert_eq!(told(&ann).await, (vec![], json!(0)), "nobody is told of their own acts");
    let list = bob.get(NOTIFICATIONS).await.expect(200).json();
    assert_eq!((&list["unread"], &list["total"], &list["next_cursor"]), (&json!(5), &json!(5), &Value::Null));
    let newest = &list["notifications"][0];
    assert!(newest["excerpt"].as_str().unwrap().starts_with("@bob @ann 4é"), "{newest}");
    assert_eq!(newest["excerpt"].as_str().unwrap().chars().count(), 200);
    assert_eq!((&newest["created_by"], &newest["read_at"]), (&json!("ann"), &Value::Null));
    let id = |n: usize| list["notifications"][n]["id"].as_str().unwrap().to_owned();

    let one = bob.patch(&format!("{NOTIFICATIONS}/{}/read", id(0)), &json!({})).await.expect(200).json();
    assert!(one["read_at"].is_string(), "{one}");
    assert_eq!(bob.get(&format!("{NOTIFICATIONS}/{}", id(0))).await.expect(200).json(), one);
    for client in [&ann, &retrace.key_of("other", "bob").await] {
        client.get(&format!("{NOTIFICATIONS}/{}", id(0))).await.expect(404);
        client.patch(&format!("{NOTIFICATIONS}/{}/read", id(0)), &json!({})).await.expect(404);
        client.patch(&format!("{NOTIFICATIONS}/read"), &json!({"ids": [id(1)]})).await.expect(404);
    }
    bob.patch(&format!("{NOTIFICATIONS}/x/read"), &json!({})).await.expect(404);
    let some = bob.patch(&format!("{NOTIFICATIONS}/read"), &json!({"ids": [id(1), UNKNOWN]})).await.expect(200).json();
    assert_eq!(some["unread"], 3);
    let (mut unread, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = bob.get(&format!("{NOTIFICATIONS}?unread=true&limit=2{cursor}")).await.expect(200).json();
        assert_eq!((&page["unread"], &page["total"]), (&json!(3), &json!(3)));
        unread.extend(
            page["notifications"].as_array().unwrap().iter().map(|told| told["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(unread, [id(2), id(3), id(4)]);
    let all = bob.send(Method::PATCH, &format!("{NOTIFICATIONS}/read"), &[], None).await.expect(200).json();
    assert_eq!((&all["unread"], &all["total"]), (&json!(0), &json!(5)));
    assert_eq!(bob.get(&format!("{NOTIFICATIONS}?unread=true")).await.expect(200).json()["total"], 0);
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(bob.get(NOTIFICATIONS).await.expect(200).json(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_lose_nothing() {
    let retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("local", "ann").await, retrace.key_of("local", "bob").await);
    recorded(&ann).await;
    let comment = ann.post(COMMENTS, &on(TRACE, "shared")).await.expect(201).json();
    let path = path(COMMENTS, &comment);
    let edits = join_all((0..50).map(|n| {
        let (client, path) = (ann.clone(), path.clone());
        async move { (n, client.patch(&path, &json!({"body": format!("of {n}")})).await.expect(200).json()) }
    }));
    let replies = join_all((0..50).map(|n| {
        let (client, comment) = (bob.clone(), comment.clone());
        async move { client.post(COMMENTS, &reply(&comment, &format!("reply {n}"))).await.expect(201) }
    }));
    let (mut edited, _) = join(edits, replies).await;
    edited.sort_by_key(|(_, comment)| comment["version"].as_i64());
    for (version, (n, comment)) in (2..=51).zip(&edited) {
        let shown = (&comment["version"], &comment["body"]);
        assert_eq!(shown, (&json!(version), &json!(format!("of {n}"))), "every writer is shown its own version");
    }
    let current = ann.get(&path).await.expect(200).json();
    assert_eq!((&current["version"], &current["reply_count"]), (&json!(51), &json!(50)));
    assert_eq!(current["body"], edited[49].1["body"]);
    let races =
        (0..50).map(|n| {
            let (client, path) = (ann.clone(), path.clone());
            async move {
                send(&client, Method::PATCH, &path, "\"51\"", &json!({"body": format!("{n}")})).await.status.as_u16()
            }
        });
    let mut statuses = join_all(races).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 49][..]));

    // Fifty are told to bob while he reads: what comes at the same time stays unread, and is never lost.
    let mentions = join_all((0..50).map(|n| {
        let client = ann.clone();
        async move { client.post(COMMENTS, &on(TRACE, &format!("@bob {n}"))).await.expect(201) }
    }));
    let readings = join_all((0..5).map(|_| {
        let client = bob.clone();
        async move { client.patch(&format!("{NOTIFICATIONS}/read"), &json!({})).await.expect(200) }
    }));
    join(mentions, readings).await;
    let list = bob.get(&format!("{NOTIFICATIONS}?limit=200")).await.expect(200).json();
    let told = list["notifications"].as_array().unwrap();
    let unread = told.iter().filter(|told| told["read_at"].is_null()).count();
    assert_eq!((told.len(), &list["unread"]), (50, &json!(unread)));
    assert_eq!(self::told(&ann).await.1, 50, "of the replies");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_word_is_said_once() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    recorded(client).await;
    let once = |method: Method, path: &str, key: &'static str, body: Value| {
        let (client, path) = (client.clone(), path.to_owned());
        async move { client.send(method, &path, &[("idempotency-key", key)], Some(body.to_string().into_bytes())).await }
    };
    let first = once(Method::POST, COMMENTS, "a", on(TRACE, "x")).await.expect(201);
    let again = once(Method::POST, COMMENTS, "a", on(TRACE, "x")).await.expect(201);
    assert_eq!((first.json(), first.position()), (again.json(), again.position()));
    once(Method::POST, COMMENTS, "a", on(TRACE, "y")).await.expect(409);
    let path = path(COMMENTS, &first.json());
    let edited = once(Method::PATCH, &path, "b", json!({"body": "z"})).await.expect(200).json();
    assert_eq!(once(Method::PATCH, &path, "b", json!({"body": "z"})).await.expect(200).json(), edited);
    let asked = json!({"trace_id": TRACE, "assignee_id": "local"});
    let assigned = once(Method::POST, ASSIGNMENTS, "c", asked.clone()).await.expect(201).json();
    assert_eq!(once(Method::POST, ASSIGNMENTS, "c", asked).await.expect(201).json(), assigned);
    assert_eq!(comments(client).await, [edited]);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discussion_ends_with_its_trace() {
    let retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("local", "ann").await, retrace.key_of("local", "bob").await);
    recorded(&ann).await;
    let kept = "4bf92f3577b34da6a3ce929d0e0e4736";
    ann.post("/api/v1/traces", &json!({"id": kept})).await.expect(201);
    let stays = ann.post(COMMENTS, &on(kept, "stays, @bob")).await.expect(201).json();
    let first = ann.post(COMMENTS, &on(TRACE, "goes, @bob")).await.expect(201).json();
    let second = bob.post(COMMENTS, &reply(&first, "goes too")).await.expect(201).json();
    let taken_back = bob.post(COMMENTS, &reply(&first, "taken back")).await.expect(201).json();
    bob.delete(&path(COMMENTS, &taken_back)).await.expect(204);
    let asked = json!({"trace_id": TRACE, "assignee_id": "bob", "note": "goes"});
    let assignment = ann.post(ASSIGNMENTS, &asked).await.expect(201).json();
    let refused = ann.post(ASSIGNMENTS, &json!({"trace_id": TRACE, "assignee_id": "eve"})).await;
    refused.expect(404);

    let deleted = ann.delete(&format!("/api/v1/traces/{TRACE}")).await.expect(204);
    for path in [path(COMMENTS, &first), path(COMMENTS, &second), path(ASSIGNMENTS, &assignment)] {
        ann.get_after(&path, &deleted.position()).await.expect(404);
    }
    ann.get_after(&format!("{COMMENTS}?trace_id={TRACE}"), &deleted.position()).await.expect(404);
    assert_eq!(ann.post(COMMENTS, &on(TRACE, "late")).await.expect(404).error(), "Trace not found");
    assert_eq!((told(&bob).await, told(&ann).await.1), ((vec!["mention".to_owned()], json!(1)), json!(0)));

    retrace.settled().await;
    let of = |noun: &str, resource: &Value| format!("{noun}/{}", resource["id"].as_str().unwrap());
    let gone =
        [of("comments", &first), of("comments", &second), of("comments", &taken_back), of("assignments", &assignment)];
    let keys = retrace.sealed_under().await;
    assert!(gone.iter().all(|name| keys.contains(name)), "{keys:?}");
    while retrace.erase().await > 0 {}
    let keys = retrace.sealed_under().await;
    assert!(!gone.iter().any(|name| keys.contains(name)) && keys.contains(&of("comments", &stays)), "{keys:?}");
    assert_eq!(keys.iter().filter(|name| name.starts_with("assignments/")).count(), 0, "{keys:?}");
    retrace.assert_exact().await;

    let before = (bob.get(NOTIFICATIONS).await.expect(200).json(), ann.get(&path(COMMENTS, &stays)).await.json());
    retrace.rebuild_workspace().await;
    let after = (bob.get(NOTIFICATIONS).await.expect(200).json(), ann.get(&path(COMMENTS, &stays)).await.json());
    assert_eq!(after, before);
    ann.get(&path(COMMENTS, &first)).await.expect(404);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_paged_from_the_oldest() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    recorded(client).await;
    for n in 0..7 {
        client.post(COMMENTS, &on(TRACE, &n.to_string())).await.expect(201);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{COMMENTS}?trace_id={TRACE}&limit=3{cursor}")).await.expect(200).json();
        assert_eq!(page["total"], 7);
        seen.extend(page["comments"].as_array().unwrap().iter().map(|comment| comment["body"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6"]);
    let page = client.get(&format!("{COMMENTS}?trace_id={TRACE}&limit=2&offset=3")).await.expect(200).json();
    assert_eq!(page["comments"][0]["body"], "3");
    client.get(&format!("{COMMENTS}?trace_id={TRACE}&span_id={SPAN}{cursor}")).await.expect(400);
}
