//! `GET /insights/anomalies` on planted incidents. That the method holds its level is the crate `insights`' matter.

use futures::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Random, Retrace};

const AT: &str = "2026-03-29T12:00:00.000000Z";
/// Traces a day, all between six and twelve o'clock.
const A_DAY: usize = 24;

/// What is the matter on the last day.
struct Project {
    name: &'static str,
    cost: f64,
    duration: f64,
    failed_percent: usize,
    traces: usize,
    found: Option<&'static str>,
}

const USUAL: Project =
    Project { name: "calm", cost: 1.0, duration: 1.0, failed_percent: 8, traces: A_DAY, found: None };

fn projects() -> [Project; 5] {
    [
        USUAL,
        Project { name: "dear", cost: 3.0, traces: 40, found: Some("cost_spike"), ..USUAL },
        Project { name: "slow", duration: 3.0, traces: 40, found: Some("latency_spike"), ..USUAL },
        Project { name: "broken", failed_percent: 50, traces: 40, found: Some("error_spike"), ..USUAL },
        Project { name: "quiet", traces: 2, found: Some("volume_drop"), ..USUAL },
    ]
}

/// Around 1, now and then several.
fn amount(random: &mut Random) -> f64 {
    let normal = (0..12).map(|_| random.below(1_000) as f64 / 1_000.0).sum::<f64>() - 6.0;
    (normal / 2.0).exp()
}

fn bodies(project: &Project, random: &mut Random) -> Vec<Value> {
    let mut bodies = Vec::new();
    for day in 1..=29 {
        let today = if day == 29 { project } else { &USUAL };
        // Days differ in volume by a tenth or so.
        let traces = if day == 29 { today.traces } else { A_DAY - 2 + random.below(5) };
        for n in 0..traces {
            let (minute, name) = (n * 360 / traces, ["writer", "reader"][n % 2]);
            bodies.push(json!({
                "id": Uuid::new_v4(), "name": name, "project_id": project.name,
                "status": if random.percent(today.failed_percent) { "failed" } else { "completed" },
                "started_at": format!("2026-03-{day:02}T{:02}:{:02}:00Z", 6 + minute / 60, minute % 60),
                "total_cost": (amount(random) * today.cost * 1e6).round() / 1e8,
                "total_duration_ms": (amount(random) * today.duration * 1e6).round() / 1e3,
            }));
        }
    }
    bodies
}

async fn record(client: &Client, bodies: Vec<Value>) {
    let posts =
        futures::stream::iter(bodies).map(|body| async move { client.post("/api/v1/traces", &body).await.expect(201) });
    posts.buffer_unordered(16).for_each(|_| async {}).await;
}

fn kinds(answer: &Value, list: &str) -> Vec<String> {
    let found = answer[list].as_array().unwrap().iter();
    found.map(|found| found["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_incidents_are_found_and_nothing_else() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut random = Random::new(11);
    for project in projects() {
        record(client, bodies(&project, &mut random)).await;
    }
    retrace.settled().await;
    for project in projects() {
        let path = format!("/api/v1/insights/anomalies?at={AT}&project_id={}", project.name);
        let answer = client.get(&path).await.expect(200).json();
        let expected: Vec<&str> = project.found.into_iter().collect();
        assert_eq!(kinds(&answer, "anomalies"), expected, "{}: {answer}", project.name);
        assert_eq!((&answer["from"], &answer["to"]), (&json!("2026-03-29T06:00:00.000000Z"), &json!(AT)));
        assert_eq!(answer["window_hours"], 6);
        assert_eq!(answer["recent_traces"], project.traces, "{answer}");
        let baseline = answer["baseline_traces"].as_u64().unwrap();
        assert!((27 * 22..=28 * 26).contains(&baseline), "{answer}");
        let Some(kind) = project.found else { continue };
        let found = &answer["anomalies"][0];
        let of = |name: &str| found[name].as_f64().unwrap();
        let (baseline, current) = (of("baseline"), of("current"));
        assert!(((current / baseline - 1.0) * 100.0 - of("changePercent")).abs() < 0.01, "{found}");
        let expected = match kind {
            "cost_spike" => (0.01133, 0.034),
            "latency_spike" => (1_133.0, 3_400.0),
            "error_spike" => (0.08, 0.5),
            _ => (24.0, 2.0),
        };
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.35;
        assert!(near(baseline, expected.0) && near(current, expected.1), "{found}");
        let evidence = &found["evidence"];
        assert!(evidence["pValue"].as_f64().unwrap() < 0.001, "{found}");
        let examples = evidence["example_trace_ids"].as_array().unwrap();
        assert_eq!(examples.len(), if kind == "volume_drop" { 0 } else { 3 }, "{found}");
        for example in examples {
            let trace = client.get(&format!("/api/v1/traces/{}", example.as_str().unwrap())).await.expect(200).json();
            assert_eq!(trace["project_id"], project.name);
        }
    }
    // Hour by hour the same is found, from when it could be seen.
    let path = "/api/v1/insights/anomalies/backtest?from=2026-03-28T00:00:00Z&to=2026-03-29T12:00:00Z&project_id=dear";
    let backtest = client.get(path).await.expect(200).json();
    assert_eq!(
        (backtest["evaluated"].as_u64(), kinds(&backtest, "episodes")),
        (Some(37), vec!["cost_spike".to_owned()])
    );
    let episode = &backtest["episodes"][0];
    let detected = episode["detected_at"].as_str().unwrap();
    assert!(("2026-03-29T07:00:00.000000Z"..=AT).contains(&detected) && episode["until"] == AT, "{episode}");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_is_said_and_nothing_is_guessed() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let answer = client.get("/api/v1/insights/anomalies").await.expect(200).json();
    assert_eq!(answer["anomalies"], json!([]));
    let insufficient = kinds(&answer, "insufficient_data");
    assert_eq!(insufficient, ["cost_spike", "latency_spike", "error_spike", "volume_drop"], "{answer}");
    assert_eq!(answer["insufficient_data"][0]["missing"][0]["what"], "baseline_windows", "{answer}");
    let fault = client.get("/api/v1/insights/anomalies?window_hours=0&at=yesterday&mood=red").await.expect(400);
    for part in ["window_hours is not a whole number from 1 to 168", "at is not an RFC 3339 time", "mood"] {
        assert!(fault.error().contains(part), "{}", fault.text);
    }
    let long = "/api/v1/insights/anomalies/backtest?from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z";
    assert!(client.get(long).await.expect(400).error().contains("more than 1000 steps apart"));
    let backtest = client.get("/api/v1/insights/anomalies/backtest").await.expect(200).json();
    assert_eq!((backtest["evaluated"].as_u64(), &backtest["episodes"]), (Some(169), &json!([])));
    assert_eq!(backtest["insufficient_data"]["volume_drop"], 169);
}
