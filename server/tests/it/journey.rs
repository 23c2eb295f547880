//! A trace from POST to GET, and out again.

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Retrace, engines};

#[tokio::test(flavor = "multi_thread")]
async fn the_engines_are_the_genuine_ones() {
    let retrace = Retrace::start().await;
    let version: String =
        migrations::clickhouse::client(&retrace.settings).query("SELECT version()").fetch_one().await.unwrap();
    assert!(version.starts_with("26."), "{version}");
    assert!(engines().await.stack.health().iter().all(|engine| engine.up));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_recorded_read_listed_and_deleted() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = Uuid::new_v4().to_string();
    let span = Uuid::new_v4().to_string();
    let posted = client
        .post(
            "/api/v1/traces",
            &json!({
                "id": id.to_uppercase(), "name": "research-agent", "status": "completed", "input": {"args": ["hi"]}, "output": "done",
                "metadata": {"environment": "staging", "k": [1, 2]}, "project_id": "p", "session_id": "s", "user_id": "u", "tags": ["a", "b"],
                "started_at": "2026-11-20T10:00:00.000001Z", "ended_at": "2026-11-20T10:00:02+00:00", "total_tokens": 99, "total_cost": 1.5,
                "spans": [
                    {"id": span, "span_type": "llm_call", "name": "chat", "model": "gpt-4o-mini", "input_tokens": 1000, "output_tokens": 500,
                     "started_at": "2026-11-20T10:00:00.5Z", "ended_at": "2026-11-20T10:00:01Z", "input": {"messages": []}, "output": null},
                    {"span_type": "tool_call", "name": "search", "parent_id": span, "cost": 4.8e-06, "duration_ms": 12.5,
                     "started_at": "2026-11-20T10:00:01Z", "error": "boom", "logprobs": [0.5], "agent_id": "planner"}
                ]
            }),
        )
        .await
        .expect(201);
    assert_eq!(posted.json(), json!({"id": id, "span_count": 2, "status": "completed"}));
    assert!(posted.headers.contains_key("x-request-id"));

    let trace = client.get(&format!("/api/v1/traces/{id}")).await.expect(200).json();
    assert_eq!(trace["name"], "research-agent");
    assert_eq!(trace["environment"], "staging");
    assert_eq!(trace["started_at"], "2026-11-20T10:00:00.000001Z");
    assert_eq!(trace["ended_at"], "2026-11-20T10:00:02.000000Z");
    assert_eq!(trace["total_tokens"], 1500);
    assert_eq!(trace["reported_total_tokens"], 99);
    assert_eq!(trace["total_cost"].to_string(), "0.0004548");
    assert_eq!(trace["total_duration_ms"], 1999.999);
    assert_eq!(trace["models"], json!(["gpt-4o-mini"]));
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!((spans[0]["cost_source"].as_str(), spans[0]["cost"].to_string()), (Some("computed"), "0.00045".into()));
    assert_eq!((spans[1]["cost_source"].as_str(), spans[1]["duration_ms"].as_f64()), (Some("reported"), Some(12.5)));
    assert_eq!(spans[1]["error"], "boom");
    assert_eq!(spans[0]["duration_ms"], 500);

    let list = client
        .get("/api/v1/traces?status=completed&project_id=p&tag=a&model=gpt-4o-mini&q=RESEARCH")
        .await
        .expect(200)
        .json();
    assert_eq!((list["total"].as_u64(), list["traces"][0]["id"].as_str()), (Some(1), Some(id.as_str())));
    assert!(list["traces"][0].get("input").is_none());
    let other = client.get("/api/v1/traces?status=failed").await.expect(200).json();
    assert_eq!((other["total"].as_u64(), other["traces"].as_array().map(Vec::len)), (Some(0), Some(0)));

    let deleted = client.delete(&format!("/api/v1/traces/{id}")).await.expect(204);
    client.get_after(&format!("/api/v1/traces/{id}"), &deleted.position()).await.expect(404);
    client.delete(&format!("/api/v1/traces/{id}")).await.expect(404);
    assert_eq!(client.get("/api/v1/traces").await.expect(200).json()["total"], 0);
    // A late post of a client's backlog is accepted and stays invisible.
    let late = client.post("/api/v1/traces", &json!({"id": id, "name": "again"})).await.expect(201);
    client.get_after(&format!("/api/v1/traces/{id}"), &late.position()).await.expect(404);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_and_golden_are_read_back() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = Uuid::new_v4().simple().to_string();
    let path = format!("/api/v1/traces/{id}");
    client.post(&format!("{path}/feedback"), &json!({"value": 1})).await.expect(404);
    client.post("/api/v1/traces", &json!({"id": id})).await.expect(201);
    assert_eq!(client.get(&format!("{path}/feedback")).await.expect(200).json(), json!({"feedback": null}));
    client.post(&format!("{path}/feedback"), &json!({"value": 1})).await.expect(201);
    let second = client.post(&format!("{path}/feedback"), &json!({"value": -1, "note": "no"})).await.expect(201);
    let feedback = client.get_after(&format!("{path}/feedback"), &second.position()).await.expect(200).json();
    assert_eq!((feedback["feedback"]["value"].as_i64(), feedback["feedback"]["note"].as_str()), (Some(-1), Some("no")));
    let golden = client.post(&format!("{path}/golden"), &json!({"golden": true})).await.expect(200);
    assert_eq!(client.get_after(&path, &golden.position()).await.expect(200).json()["golden"], true);
    // Another user of another tenant sees nothing of it.
    let stranger = retrace.key_of("elsewhere", "eve").await;
    for answer in [
        stranger.get(&path).await,
        stranger.delete(&path).await,
        stranger.post(&format!("{path}/feedback"), &json!({"value": 1})).await,
        stranger.post(&format!("{path}/golden"), &json!({"golden": true})).await,
    ] {
        assert_eq!(answer.expect(404).error(), "Trace not found");
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_may_come_before_its_trace_and_a_late_start_changes_nothing() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = Uuid::new_v4().to_string();
    let path = format!("/api/v1/traces/{id}");
    client
        .patch(&path, &json!({"status": "failed", "error": "boom", "ended_at": "2026-11-20T10:00:02Z", "total_tokens": 7, "lossy": true}))
        .await
        .expect(200);
    let last = client
        .post("/api/v1/traces", &json!({"id": id, "name": "n", "status": "running", "total_tokens": 0, "started_at": "2026-11-20T10:00:00Z"}))
        .await
        .expect(201);
    let trace = client.get_after(&path, &last.position()).await.expect(200).json();
    assert_eq!(trace["status"], "failed");
    assert_eq!((trace["total_tokens"].as_i64(), trace["total_duration_ms"].as_i64()), (Some(7), Some(2000)));
    assert_eq!(
        (trace["name"].as_str(), trace["error"].as_str(), trace["lossy"].as_bool()),
        (Some("n"), Some("boom"), Some(true))
    );
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_traces_and_values_are_split_and_whole_again() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = Uuid::new_v4().to_string();
    let large = "ö\u{1F600}x".repeat(300_000);
    let spans: Vec<_> = (0..2_000)
        .map(|n| json!({"span_type": "action", "name": format!("s{n}"), "started_at": "2026-11-20T10:00:00Z", "input": "y".repeat(1_000)}))
        .collect();
    let posted = client.post("/api/v1/traces", &json!({"id": id, "output": large, "spans": spans})).await.expect(201);
    let trace = client.get_after(&format!("/api/v1/traces/{id}"), &posted.position()).await.expect(200).json();
    assert_eq!(trace["output"].as_str().unwrap(), large);
    assert_eq!(trace["spans"].as_array().unwrap().len(), 2_000);
    // By page, each span exactly once and in the same order.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/api/v1/traces/{id}/spans?limit=700{cursor}")).await.expect(200).json();
        paged.extend(page["spans"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, *trace["spans"].as_array().unwrap());
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_trace_once_in_every_order() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut position = String::new();
    for n in 0..23 {
        let body = json!({
            "name": format!("n{}", n % 3), "status": if n % 2 == 0 { "completed" } else { "failed" }, "total_cost": (n % 5) as f64 / 10.0,
            "total_tokens": n % 4, "started_at": format!("2026-11-20T10:00:{:02}Z", n % 7), "ended_at": format!("2026-11-20T10:01:{:02}Z", n)
        });
        position.push_str(&client.post("/api/v1/traces", &body).await.expect(201).position());
        position.push(',');
    }
    let after = position.trim_end_matches(',').to_owned();
    for sort in ["started_at", "-started_at", "total_cost", "-total_cost", "total_tokens", "-total_duration_ms"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = client
                .get_after(&format!("/api/v1/traces?sort={sort}&limit=5{cursor}"), &after)
                .await
                .expect(200)
                .json();
            assert_eq!(page["total"], 23);
            let field = sort.trim_start_matches('-');
            seen.extend(
                page["traces"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|trace| (trace[field].clone(), trace["id"].as_str().unwrap().to_owned())),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut ids: Vec<_> = seen.iter().map(|(_, id)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 23, "{sort}");
        let key = |value: &serde_json::Value| {
            value.as_f64().map_or_else(|| value.to_string(), |number| format!("{number:020.6}"))
        };
        let values: Vec<_> = seen.iter().map(|(value, _)| key(value)).collect();
        let mut sorted = values.clone();
        sorted.sort();
        if sort.starts_with('-') {
            sorted.reverse();
        }
        assert_eq!(values, sorted, "{sort}");
    }
    let filtered = client
        .get("/api/v1/traces?min_cost=0.3&name=n1&from=2026-11-20T10:00:01Z&to=2026-11-20T10:00:06Z&count=exact")
        .await
        .expect(200)
        .json();
    let expected = (0..23).filter(|n| n % 5 >= 3 && n % 3 == 1 && (1..6).contains(&(n % 7))).count();
    assert_eq!(filtered["total"].as_u64(), Some(expected as u64));
    assert_eq!(filtered["traces"].as_array().unwrap().len(), expected);
    let cursor = client.get("/api/v1/traces?limit=5").await.json()["next_cursor"].as_str().unwrap().to_owned();
    let foreign = client.get(&format!("/api/v1/traces?limit=5&sort=total_cost&cursor={cursor}")).await.expect(400);
    assert_eq!(foreign.error(), "cursor is not one of this list with these filters and this sort");
    assert_eq!(
        client.get("/api/v1/traces?limit=0&offset=x&colour=red").await.expect(400).error().matches(';').count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_names_its_request_and_the_callers_distributed_trace() {
    let retrace = Retrace::start().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (request, traceparent, kept) in [
        ("first", parent, Some(parent)),
        ("second", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
        ("third", "nonsense", None),
    ] {
        let headers = [("x-request-id", request), ("traceparent", traceparent)];
        let body = json!({"name": request}).to_string().into_bytes();
        let answer = retrace.client.send(reqwest::Method::POST, "/api/v1/traces", &headers, Some(body)).await;
        assert_eq!(answer.expect(201).headers["x-request-id"], request);
        let records = retrace.log(schemas::topics::TELEMETRY).await;
        let envelopes = records.into_iter().map(|record| record.envelope.unwrap());
        let named: Vec<_> = envelopes.filter(|envelope| envelope.request_id == request).collect();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].traceparent.as_deref(), kept);
    }
}

/// A projector that crashed writes its last rows again: until they are merged, they are in two parts.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_written_twice_is_one() {
    let retrace = Retrace::start().await;
    let id = Uuid::new_v4();
    let spans = [json!({"span_type": "action", "name": "step", "started_at": "2026-11-20T10:00:00Z", "input": "i"})];
    retrace.client.post("/api/v1/traces", &json!({"id": id, "name": "twice", "spans": spans})).await.expect(201);
    retrace.settled().await;
    let clickhouse = migrations::clickhouse::client(&retrace.settings);
    for table in ["traces", "trace_list", "spans", "cells", "trace_counts"] {
        for sql in
            [format!("SYSTEM STOP MERGES {table}_g1"), format!("INSERT INTO {table}_g1 SELECT * FROM {table}_g1")]
        {
            clickhouse.query(&sql).execute().await.unwrap();
        }
        let rows: u64 = clickhouse.query(&format!("SELECT count() FROM {table}_g1")).fetch_one().await.unwrap();
        assert!(rows >= 2, "{table} has {rows} rows");
    }
    let read = retrace.client.get(&format!("/api/v1/traces/{id}")).await.expect(200).json();
    assert_eq!(read["spans"].as_array().map(Vec::len), Some(1));
    assert_eq!(retrace.client.get("/api/v1/traces").await.expect(200).json()["total"], 1);
    retrace.assert_exact().await;
}
