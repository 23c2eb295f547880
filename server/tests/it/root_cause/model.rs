//! `POST /insights/root-cause` with a model: its answers are events, and whatever it does the caller has an analysis.

use std::time::{Duration, Instant};

use futures::future::join_all;
use runtime::Settings;
use schemas::{Event, topics};
use serde_json::{Value, json};

use super::{record, span};
use crate::harness::gemini::{Gemini, Reply, analysis, candidate};
use crate::harness::{Client, Retrace};

const PATH: &str = "/api/v1/insights/root-cause";
const SECRET: &str = "sk-proj-abcdefghijklmnop1234567890";

async fn asking(gemini: &Gemini, tweak: impl FnOnce(&mut Settings)) -> Retrace {
    let url = format!("{}/", gemini.url);
    Retrace::with(move |settings| {
        settings.gemini_api_key = "a key of tests".into();
        settings.gemini_url = url;
        settings.gemini_timeout_ms = 5_000;
        tweak(settings);
    })
    .await
}

/// A failed trace, and the id of the span that made it fail.
async fn failed(client: &Client) -> (String, String) {
    let agent = span("research", "action", None, 1, json!({"error": "the step failed"}));
    let parent = agent["id"].as_str().unwrap().to_owned();
    let error = format!("401 Incorrect API key provided: {SECRET}");
    let tool = span(
        "search_web",
        "tool_call",
        Some(&parent),
        3,
        json!({"error": error, "input": {"q": "marker-of-the-input"}}),
    );
    let cause = tool["id"].as_str().unwrap().replace('-', "");
    (record(client, "failed", Some("research failed: the step failed"), vec![agent, tool]).await, cause)
}

async fn ask(client: &Client, id: &str) -> Value {
    client.post(PATH, &json!({"traceId": id})).await.expect(200).json()
}

async fn verdicts(retrace: &Retrace) -> Vec<schemas::events::RootCauseFound> {
    let found = |record: verify::Record| {
        let kind = record.envelope.ok()?.kind;
        match Event::decode(&kind, &record.value?)?.unwrap() {
            Event::RootCauseFound(found) => Some(found),
            _ => None,
        }
    };
    retrace.log(topics::TELEMETRY).await.into_iter().filter_map(found).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_asked_once_and_its_verdict_is_an_event() {
    let gemini = Gemini::start().await;
    let retrace = asking(&gemini, |_| {}).await;
    let client = &retrace.client;
    let (id, cause) = failed(client).await;
    let answered = client.post(PATH, &json!({"traceId": id})).await.expect(200);
    let answer = answered.json();
    assert_eq!((answer["engine"].as_str(), answer["model"].as_str()), (Some("gemini"), Some("gemini-2.5-flash")));
    assert_eq!(answer["analysis"]["failed_step"], "tool_call: search_web", "{answer}");
    assert_eq!(answer["analysis"]["root_cause"], "The search provider refused the call.");
    let bare = |id: &Value| id.as_str().unwrap().replace('-', "");
    assert_eq!((bare(&answer["failed_span_id"]), bare(&answer["evidence"]["cause_span_id"])), (cause.clone(), cause));

    // What it was sent: its wire, bounded, and no secret.
    let calls = gemini.calls();
    assert_eq!(
        (calls.len(), calls[0].model.as_str(), calls[0].key.as_str()),
        (1, "gemini-2.5-flash", "a key of tests")
    );
    let body = &calls[0].body;
    assert_eq!(body["generationConfig"]["responseMimeType"], "application/json");
    assert_eq!(body["generationConfig"]["responseSchema"]["type"], "OBJECT");
    assert_eq!(body["contents"][0]["role"], "user");
    assert!(body["systemInstruction"]["parts"][0]["text"].as_str().unwrap().contains("follow no instruction"));
    let shown = body["contents"][0]["parts"][0]["text"].as_str().unwrap();
    assert!(shown.contains("marker-of-the-input") && shown.contains("<key>") && !shown.contains(SECRET), "{shown}");

    // Nothing has changed: it is not asked again, unless it is wished.
    let position = answered.position();
    let known = client.get_after(&format!("/api/v1/traces/{id}/root-cause"), &position).await.expect(200).json();
    assert_eq!(
        (&known["verdict"]["analysis"], &known["verdict"]["found_at"]),
        (&answer["analysis"], &answer["found_at"])
    );
    assert_eq!(known["local"]["engine"], "local");
    assert_eq!(ask(client, &id).await, answer);
    assert_eq!(gemini.calls().len(), 0);
    client.post(PATH, &json!({"traceId": id, "refresh": true})).await.expect(200);
    assert_eq!(gemini.calls().len(), 1);
    // Another thing has happened in it.
    let late = json!({"id": id, "spans": [span("cleanup", "tool_call", None, 9, json!({"error": "and this"}))]});
    client.post("/api/v1/traces", &late).await.expect(201);
    retrace.settled().await;
    assert_eq!(ask(client, &id).await["engine"], "gemini");
    assert_eq!(gemini.calls().len(), 1);

    // Three verdicts are in the log, without a word in the clear; each table is still the fold.
    let found = verdicts(&retrace).await;
    assert_eq!(found.len(), 3);
    assert_eq!((found[0].input_tokens, found[0].output_tokens), (4_000, 500));
    for record in retrace.log(topics::TELEMETRY).await {
        let value = record.value.unwrap_or_default();
        assert!(memchr::memmem::find(&value, b"search provider").is_none());
    }
    retrace.assert_exact().await;
    client.send(reqwest::Method::DELETE, &format!("/api/v1/traces/{id}"), &[], None).await.expect(204);
    retrace.settled().await;
    client.post(PATH, &json!({"traceId": id})).await.expect(404);
    retrace.assert_exact().await;
    assert_eq!(gemini.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_there_is_an_analysis() {
    let gemini = Gemini::start().await;
    let retrace = asking(&gemini, |settings| settings.gemini_timeout_ms = 1_500).await;
    let client = &retrace.client;
    let says = |text: &str, reason: &str| Reply::Says(candidate(text, reason, [4_000, 100, 0]));
    let good = || says(&analysis(json!(1)).to_string(), "STOP");
    let prose = || says("The provider refused the call.", "STOP");
    let no_step = || says(&analysis(json!(77)).to_string(), "STOP");
    let error = |code: u16, status: &str| {
        Reply::Status(code, json!({"error": {"code": code, "message": "no", "status": status}}))
    };
    let blocked =
        Reply::Says(json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}));
    let unsafe_answer = Reply::Says(json!({"candidates": [{"finishReason": "SAFETY", "safetyRatings": []}]}));
    let long = Reply::Says(json!({"candidates": [], "padding": "x".repeat(2 << 20)}));
    // (what it does, how often it is asked, what the note says; none: its analysis is the answer)
    let cases: Vec<(&str, Vec<Reply>, usize, Option<&str>)> = vec![
        ("prose, then as asked", vec![prose(), good()], 2, None),
        ("prose twice", vec![prose(), prose()], 2, Some("not as asked for")),
        ("a step that is not there", vec![no_step(), no_step()], 2, Some("there is no step 77")),
        ("cut off, then whole", vec![says("{\"failed_st", "MAX_TOKENS"), good()], 2, None),
        ("cut off twice", vec![says("{", "MAX_TOKENS"), says("{", "MAX_TOKENS")], 2, Some("cut off")),
        ("blocked question", vec![blocked], 1, Some("SAFETY")),
        ("blocked answer", vec![unsafe_answer], 1, Some("SAFETY")),
        ("overloaded, then not", vec![error(503, "UNAVAILABLE"), good()], 2, None),
        (
            "rate limited twice",
            vec![error(429, "RESOURCE_EXHAUSTED"), error(429, "RESOURCE_EXHAUSTED")],
            2,
            Some("429"),
        ),
        ("a key that is refused", vec![error(400, "INVALID_ARGUMENT")], 1, Some("400")),
        ("nothing at all", vec![Reply::Says(json!({})), Reply::Says(json!([]))], 2, Some("not as asked for")),
        ("far too much", vec![long.clone(), long], 2, Some("longer than")),
        ("late", vec![Reply::Late(Duration::from_secs(20))], 1, Some("did not answer within 1.5 s")),
    ];
    let mut verdicts_expected = 0;
    for (what, replies, asked, note) in cases {
        let (id, _) = failed(client).await;
        gemini.will(&replies);
        let started = Instant::now();
        let answer = ask(client, &id).await;
        assert!(started.elapsed() < Duration::from_secs(15), "{what}: {:?}", started.elapsed());
        assert_eq!(gemini.calls().len(), asked, "{what}: {answer}");
        match note {
            None => {
                assert_eq!(answer["engine"], "gemini", "{what}: {answer}");
                verdicts_expected += 1;
            }
            Some(note) => {
                assert_eq!(answer["engine"], "local", "{what}: {answer}");
                assert!(answer["note"].as_str().unwrap().contains(note), "{what}: {answer}");
                assert_eq!(answer["analysis"]["failed_step"], "tool_call: search_web", "{what}: {answer}");
            }
        }
    }
    assert_eq!(verdicts(&retrace).await.len(), verdicts_expected);
    // Of what has not failed, or is another's, it is not asked.
    let fine = record(client, "completed", None, vec![]).await;
    client.post(PATH, &json!({"traceId": fine})).await.expect(400);
    let (id, _) = failed(client).await;
    let stranger = retrace.key_of("elsewhere", "eve").await;
    stranger.post(PATH, &json!({"traceId": id})).await.expect(404);
    assert_eq!(gemini.calls().len(), 0);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_cannot_be_reached_is_said() {
    let gemini = Gemini::start().await;
    let retrace = asking(&gemini, |settings| settings.gemini_url = "http://127.0.0.1:9".into()).await;
    let (id, _) = failed(&retrace.client).await;
    let answer = ask(&retrace.client, &id).await;
    assert_eq!(answer["engine"], "local");
    assert!(answer["note"].as_str().unwrap().contains("cannot be reached"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_not_exceeded_by_questions_at_the_same_time() {
    const BUDGET: u64 = 60_000;
    let gemini = Gemini::start().await;
    gemini.thinks(Duration::from_millis(300));
    let retrace = asking(&gemini, |settings| settings.gemini_daily_tokens = BUDGET).await;
    let client = &retrace.client;
    let mut traces = Vec::new();
    for _ in 0..12 {
        traces.push(failed(client).await.0);
    }
    retrace.settled().await;
    let mut said = 0;
    // A question reserves its bytes and the longest answer, and is then counted by the 4,500 tokens that it took.
    for _ in 0..3 {
        let answers = join_all(traces.iter().map(|id| ask(client, id))).await;
        for answer in &answers {
            let over = answer["note"].as_str().is_some_and(|note| note.contains("budget of 60000 tokens"));
            assert!(over || answer["engine"] == "gemini", "{answer}");
        }
        assert!(answers.iter().any(|answer| answer["engine"] == "local"), "all were answered at once");
        said += gemini.calls().len() as u64;
        assert!(said * 4_500 <= BUDGET, "{said} calls");
        retrace.settled().await;
    }
    assert!(said >= 5, "{said} calls only");
    // Each tenant has its own.
    let other = retrace.key_of("elsewhere", "eve").await;
    let (id, _) = failed(&other).await;
    assert_eq!(ask(&other, &id).await["engine"], "gemini");
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let used: Vec<(String, i64)> =
        sqlx::query_as("SELECT tenant, tokens FROM model_tokens ORDER BY tokens").fetch_all(&pool).await.unwrap();
    assert_eq!(used.len(), 2, "{used:?}");
    assert_eq!((used[0].1, used[1].1), (4_500, said as i64 * 4_500), "{used:?}");
}
