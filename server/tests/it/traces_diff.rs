//! `GET /traces/diff`, and the commands that show it on a terminal.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Process, Retrace};

const UNKNOWN: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";

fn span(kind: &str, name: &str, parent: Option<&Value>, second: u32, more: Value) -> Value {
    let mut span = json!({
        "id": Uuid::new_v4(), "span_type": kind, "name": name, "parent_id": parent.map(|parent| &parent["id"]),
        "started_at": format!("2026-03-10T10:00:{second:02}Z"), "ended_at": format!("2026-03-10T10:00:{:02}Z", second + 1),
    });
    span.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    span
}

async fn record(client: &Client, name: &str, seconds: u32, spans: &[Value], more: Value) -> String {
    let id = Uuid::new_v4().to_string();
    let mut body = json!({"id": id, "name": name, "status": "completed", "spans": spans,
        "started_at": "2026-03-10T10:00:00Z", "ended_at": format!("2026-03-10T10:00:{seconds:02}Z")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post("/api/v1/traces", &body).await.expect(201);
    id
}

fn first_run() -> Vec<Value> {
    let agent = span("action", "agent", None, 0, json!({"input": "go"}));
    let calls = [
        span(
            "llm_call",
            "chat",
            Some(&agent),
            1,
            json!({"model": "m", "input": {"step": 1, "system": "Be kind."},
            "output": "search", "input_tokens": 100, "output_tokens": 20, "cost": 0.001}),
        ),
        span(
            "tool_call",
            "search",
            Some(&agent),
            3,
            json!({"input": {"q": "rust diff", "limit": 5}, "output": "found three"}),
        ),
        span(
            "llm_call",
            "chat",
            Some(&agent),
            9,
            json!({"model": "m", "input": {"step": 2},
            "output": "There are three crates.", "input_tokens": 200, "output_tokens": 30, "cost": 0.002}),
        ),
    ];
    [vec![agent], calls.into()].concat()
}

/// It searches for something else, once more, and concludes otherwise. JSON that is written in another way is no change.
fn second_run() -> Vec<Value> {
    let agent = span("action", "agent", None, 0, json!({"input": "go"}));
    let calls = [
        span(
            "llm_call",
            "chat",
            Some(&agent),
            1,
            json!({"model": "m", "input": {"system": "Be kind.", "step": 1},
            "output": "search", "input_tokens": 100, "output_tokens": 20, "cost": 0.001}),
        ),
        span(
            "tool_call",
            "search",
            Some(&agent),
            4,
            json!({"input": {"limit": 5, "q": "rust tree diff"}, "output": "found three"}),
        ),
        span("tool_call", "search", Some(&agent), 6, json!({"input": {"q": "myers"}, "output": "nothing"})),
        span(
            "llm_call",
            "chat",
            Some(&agent),
            12,
            json!({"model": "m", "input": {"step": 2},
            "output": "There are four crates.", "input_tokens": 200, "output_tokens": 50, "cost": 0.0020125}),
        ),
    ];
    [vec![agent], calls.into()].concat()
}

fn statuses(diff: &Value) -> Vec<&str> {
    diff["steps"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_traces_are_compared_step_by_step() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let (first, second) = (first_run(), second_run());
    let a = record(client, "agent", 20, &first, json!({})).await;
    let b = record(client, "agent", 35, &second, json!({})).await;
    let path = format!("/api/v1/traces/diff?a={a}&b={b}");
    // Just written, and read at once.
    let diff = client.get(&path).await.expect(200).json();
    assert_eq!((&diff["a"], &diff["b"]), (&json!(a), &json!(b)));
    assert_eq!(statuses(&diff), ["same", "same", "changed", "added", "changed"], "{diff}");
    let parting = json!({"index": 2, "span_id": second[2]["id"], "reason": "input_changed"});
    assert_eq!(diff["first_divergence"], parting, "{diff}");
    let summary = json!({"cost_delta": 0.0000125, "tokens_delta": 20, "duration_delta_ms": 15_000, "same": 2, "changed": 2,
        "added": 1, "removed": 0, "moved": 0});
    assert_eq!(diff["summary"], summary, "{diff}");

    let search = &diff["steps"][2];
    assert_eq!((&search["original"]["span_id"], &search["forked"]["span_id"]), (&first[2]["id"], &second[2]["id"]));
    let change = &search["changes"][0];
    assert_eq!((&search["changes"].as_array().unwrap().len(), &change["path"]), (&1, &json!("input.q")), "{search}");
    assert_eq!((&change["from"], &change["to"]), (&json!("rust diff"), &json!("rust tree diff")));
    let without = |op: &str| -> String {
        let rows = change["words"].as_array().unwrap().iter().filter(|row| row["op"] != op);
        rows.map(|row| row["text"].as_str().unwrap()).collect()
    };
    assert_eq!((without("insert").as_str(), without("delete").as_str()), ("rust diff", "rust tree diff"));
    let again = &diff["steps"][3];
    assert_eq!((&again["repeated"], &again["original"]), (&json!(true), &Value::Null), "{again}");
    let answer = &diff["steps"][4];
    assert_eq!(
        (&answer["differs"], &answer["cost_delta"], &answer["tokens_delta"]),
        (&json!(["output"]), &json!(0.0000125), &json!(20))
    );

    let differing = client.get(&format!("{path}&show=differing")).await.expect(200).json();
    assert_eq!(
        (statuses(&differing).len(), &differing["total"], &differing["steps"][0]["index"]),
        (3, &json!(3), &json!(2))
    );
    let (mut steps, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}&limit=2{cursor}")).await.expect(200).json();
        assert_eq!((&page["summary"], &page["total"]), (&summary, &json!(5)));
        steps.extend(page["steps"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(steps), diff["steps"]);
    client.get(&format!("/api/v1/traces/diff?a={b}&b={a}&limit=2{cursor}")).await.expect(400);

    let back = client.get(&format!("/api/v1/traces/diff?a={b}&b={a}")).await.expect(200).json();
    assert_eq!(statuses(&back), ["same", "same", "changed", "removed", "changed"], "{back}");
    let itself = client.get(&format!("/api/v1/traces/diff?a={a}&b={a}")).await.expect(200).json();
    assert_eq!((&itself["first_divergence"], &itself["summary"]["same"]), (&Value::Null, &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_is_of_what_the_caller_may_see() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let a = record(client, "agent", 20, &first_run(), json!({})).await;
    let b = record(client, "agent", 20, &second_run(), json!({})).await;
    let stranger = retrace.key_of("elsewhere", "eve").await;
    let theirs = record(&stranger, "agent", 20, &first_run(), json!({})).await;
    for (one, other) in [(&a, UNKNOWN), (&a, theirs.as_str())] {
        for (one, other) in [(one.as_str(), other), (other, one.as_str())] {
            let fault = client.get(&format!("/api/v1/traces/diff?a={one}&b={other}")).await.expect(404);
            assert_eq!(fault.error(), "Trace not found");
        }
    }
    let theirs =
        stranger.get("/api/v1/traces/diff?a_name=agent&b_name=agent&from=2026-03-01T00:00:00Z").await.expect(200);
    assert!(!theirs.text.contains(&a) && !theirs.text.contains(&b), "{}", theirs.text);
    let both = "either a and b are needed, two traces, or a_name and b_name, the names of two groups";
    for (query, fault) in [
        (String::new(), both),
        (format!("a={a}"), both),
        (format!("a={a}&b_name=x"), both),
        (format!("a={a}&b={b}&traces=5&from=2026-03-01T00:00:00Z"), "from is of groups; traces is of groups"),
        ("a_name=x&b_name=y&limit=5".to_owned(), "limit is of two traces"),
        (format!("a={a}&b={b}&limit=0"), "limit is not a whole number from 1 to 200"),
        (format!("a={a}&b={b}&show=some"), "show is not one of all, differing"),
        (format!("a={a}&b=x"), "b is neither a UUID nor a 32-hex OpenTelemetry trace id"),
    ] {
        assert_eq!(client.get(&format!("/api/v1/traces/diff?{query}")).await.expect(400).error(), fault);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_are_compared_and_shown_by_their_beginnings() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = |end: &str| {
        let text = format!("{}{end}", "so it goes on and on ".repeat(20_000));
        let page = span("tool_call", "fetch", None, 1, json!({"input": {"url": "u"}, "output": text}));
        vec![page, span("llm_call", "chat", None, 3, json!({"output": "short"}))]
    };
    let a = record(client, "agent", 20, &run("a"), json!({})).await;
    let same = record(client, "agent", 20, &run("a"), json!({})).await;
    let other = record(client, "agent", 20, &run("b"), json!({})).await;
    let diff = client.get(&format!("/api/v1/traces/diff?a={a}&b={same}")).await.expect(200).json();
    assert_eq!(diff["first_divergence"], Value::Null, "{diff}");
    let answer = client.get(&format!("/api/v1/traces/diff?a={a}&b={other}")).await.expect(200);
    assert!(answer.text.len() < 20_000);
    let diff = answer.json();
    assert_eq!(statuses(&diff), ["changed", "same"]);
    let change = &diff["steps"][0]["changes"][0];
    assert_eq!((&change["path"], &change["is_cut"], &change["words"]), (&json!("output"), &json!(true), &Value::Null));
}

fn planner(steps: &[&str]) -> Vec<Value> {
    let step = |(at, name): (usize, &&str)| {
        span("tool_call", name, None, at as u32, json!({"input": {"do": name}, "output": "done"}))
    };
    steps.iter().enumerate().map(step).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_groups_are_compared_by_which_step_differs_how_often() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let whole = ["plan", "search", "answer"];
    for _ in 0..3 {
        record(client, "old", 20, &planner(&whole), json!({"environment": "production"})).await;
    }
    record(client, "old", 20, &planner(&["plan", "answer"]), json!({"environment": "production"})).await;
    for steps in
        [&whole[..], &["plan", "answer"], &["plan", "search", "fetch", "answer"], &["plan", "fetch", "fetch", "answer"]]
    {
        record(client, "new", 20, &planner(steps), json!({"environment": "production"})).await;
    }
    record(
        client,
        "new",
        20,
        &planner(&["plan"]),
        json!({"environment": "production", "status": "running", "ended_at": null}),
    )
    .await;
    record(client, "new", 20, &planner(&["other"]), json!({"environment": "staging"})).await;
    retrace.settled().await;
    let path = "/api/v1/traces/diff?a_name=old&b_name=new&from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&environment=production";
    let diff = client.get(path).await.expect(200).json();
    let group =
        |group: &Value| (group["name"].clone(), group["traces"].as_array().unwrap().len(), group["compared"].clone());
    assert_eq!(group(&diff["a"]), (json!("old"), 4, json!(3)), "{diff}");
    assert_eq!(group(&diff["b"]), (json!("new"), 4, json!(4)), "{diff}");
    assert!(diff["a"]["traces"].as_array().unwrap().contains(&diff["representative"]));
    let names: Vec<&str> =
        diff["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, whole);
    let search = &diff["steps"][1];
    assert_eq!(search["b"], json!({"present": 0.5, "changed": 0.0, "moved": 0.0, "removed": 0.5}), "{diff}");
    let share = search["a"]["removed"].as_f64().unwrap();
    assert!((share - 1.0 / 3.0).abs() < 1e-9, "{diff}");
    for step in [&diff["steps"][0], &diff["steps"][2]] {
        assert_eq!((&step["b"]["present"], &step["b"]["changed"]), (&json!(1.0), &json!(0.0)), "{diff}");
    }
    let added = &diff["added"];
    assert_eq!(added.as_array().unwrap().len(), 1, "{diff}");
    assert_eq!(
        (&added[0]["name"], &added[0]["after_index"], &added[0]["b"]),
        (&json!("fetch"), &json!(1), &json!(0.5)),
        "{diff}"
    );
    let example = format!(
        "/api/v1/traces/{}/spans/{}",
        added[0]["trace_id"].as_str().unwrap(),
        added[0]["span_id"].as_str().unwrap()
    );
    assert_eq!(client.get(&example).await.expect(200).json()["name"], "fetch");

    let fewer = client.get(&format!("{path}&traces=1")).await.expect(200).json();
    assert_eq!((group(&fewer["a"]).1, &fewer["steps"][0]["a"]), (1, &Value::Null), "{fewer}");
    let none = client.get(&path.replace("a_name=old", "a_name=never")).await.expect(200).json();
    assert_eq!((&none["representative"], &none["steps"]), (&Value::Null, &json!([])));
}

async fn run(client: &Client, args: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let args = [args, &["--url", &client.base]].concat();
    let mut process = Process::start(folder.path(), "retrace", &args, &[("RETRACE_API_KEY", &client.key)]);
    let status = process.end(Duration::from_secs(30)).await;
    (status.code(), process.stdout(), process.stderr())
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_shown_and_compared_on_the_terminal() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut hostile = second_run();
    hostile[3]["name"] = json!("search\u{1b}[2J\u{202e}");
    hostile[3]["error"] = json!("timed out\nafter 5 s");
    let a = record(client, "agent", 20, &first_run(), json!({"error": "x\u{7}y"})).await;
    let b = record(client, "agent", 35, &hostile, json!({})).await;

    let (code, shown, said) = run(client, &["trace", &b]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    for part in [
        "agent  completed  35.00 s",
        "├─ llm_call chat (m)",
        "└─ llm_call chat (m)",
        "search\\u{1b}[2J\\u{202e}",
        "error: timed out\\nafter 5 s",
        "250 tokens",
        "$0.0020125",
    ] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    let (_, shown, _) = run(client, &["trace", &a]).await;
    assert!(shown.contains("x\\u{7}y"), "{shown}");
    let (_, shown, _) = run(client, &["trace", &a, "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), client.get(&format!("/api/v1/traces/{a}")).await.json());

    let (code, shown, said) = run(client, &["diff", &a, &b]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    for part in [
        "2 changed, 1 added, 0 removed",
        "+$0.0000125",
        "They diverge first at step 2: input changed",
        "input.q: rust",
        "{+",
    ] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    let (_, shown, _) = run(client, &["diff", &a, &b, "--all", "--json"]).await;
    let whole = client.get(&format!("/api/v1/traces/diff?a={a}&b={b}")).await.json();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["steps"], whole["steps"]);

    for (args, sentence) in [
        (vec!["trace", UNKNOWN], "answers 404 Not Found: Trace not found"),
        (vec!["trace", "x"], "the trace id is neither a UUID nor a 32-hex OpenTelemetry trace id"),
        (vec!["diff", &a, UNKNOWN], "answers 404 Not Found: Trace not found"),
        (vec!["diff", &a, "y"], "the second trace id is neither a UUID nor"),
    ] {
        let (code, shown, said) = run(client, &args).await;
        assert_eq!((code, shown.as_str()), (Some(1), ""), "{args:?}: {said}");
        assert!(said.starts_with("retrace: ") && said.contains(sentence), "{args:?}: {said}");
    }
    let (_, _, said) = run(&client.with_key("rt_wrong"), &["trace", &a]).await;
    assert!(said.contains("answers 401 Unauthorized"), "{said}");
}
