//! `GET /insights/drift` on planted drifts. That the method holds its level is the crate `insights`' matter.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Random, Retrace};

const PATH: &str = "/api/v1/insights/drift?from=2026-03-22T00:00:00Z&to=2026-03-29T00:00:00Z";
const A_DAY: usize = 12;

/// Around 1, now and then several.
fn amount(random: &mut Random) -> f64 {
    let normal = (0..12).map(|_| random.below(1_000) as f64 / 1_000.0).sum::<f64>() - 6.0;
    (normal / 2.0).exp()
}

/// Four weeks of traces by two names; in the last one, what a trace of the writer costs is threefold.
async fn weeks(client: &Client, random: &mut Random) {
    for day in 1..=28 {
        for n in 0..A_DAY {
            let name = ["writer", "reader"][n % 2];
            let times = if day > 21 && name == "writer" { 3.0 } else { 1.0 };
            let body = json!({
                "id": Uuid::new_v4(), "name": name, "project_id": "p",
                "status": if random.percent(10) { "failed" } else { "completed" },
                "started_at": format!("2026-03-{day:02}T{:02}:00:00Z", random.below(24)),
                "total_cost": (amount(random) * times * 1e6).round() / 1e8,
                "total_tokens": (amount(random) * 1_000.0) as u64,
                "total_duration_ms": (amount(random) * 1e6).round() / 1e3,
            });
            client.post("/api/v1/traces", &body).await.expect(201);
        }
    }
}

fn metric<'a>(of: &'a Value, name: &str) -> &'a Value {
    of["metrics"].as_array().unwrap().iter().find(|metric| metric["metric"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_drift_is_found_where_it_is_and_nowhere_else() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    weeks(client, &mut Random::new(7)).await;
    // Neither is part of a sample: one still runs, one is gone.
    let mut body =
        json!({"id": Uuid::new_v4(), "project_id": "p", "started_at": "2026-03-25T00:00:00Z", "total_cost": 1e6});
    client.post("/api/v1/traces", &body).await.expect(201);
    body["id"] = json!(Uuid::new_v4());
    body["status"] = json!("completed");
    client.post("/api/v1/traces", &body).await.expect(201);
    client.delete(&format!("/api/v1/traces/{}", body["id"].as_str().unwrap())).await.expect(204);
    retrace.settled().await;

    let answer = client.get(&format!("{PATH}&project_id=p&by=name")).await.expect(200).json();
    assert_eq!(
        answer["baseline_window"],
        json!({"from": "2026-03-01T00:00:00+00:00", "to": "2026-03-22T00:00:00+00:00"})
    );
    for (name, drifted) in [("cost", true), ("tokens", false), ("duration", false), ("error_rate", false)] {
        let metric = metric(&answer, name);
        assert_eq!(metric["drifted"], drifted, "{metric}");
        let samples = (metric["baseline_samples"].as_u64(), metric["current_samples"].as_u64());
        assert_eq!(samples, (Some(21 * A_DAY as u64), Some(7 * A_DAY as u64)), "{metric}");
    }
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    for group in groups {
        assert_eq!(metric(group, "cost")["drifted"], group["value"] == "writer", "{group}");
        assert_eq!(group["baseline_share"], 0.5);
    }
    let split = answer["splits"].as_array().unwrap().iter().find(|split| split["metric"] == "cost").unwrap();
    let of = |name: &str| split[name].as_f64().unwrap();
    let change =
        metric(&answer, "cost")["current"].as_f64().unwrap() - metric(&answer, "cost")["baseline"].as_f64().unwrap();
    assert!((of("change") - change).abs() < 1e-12 && (of("mix") + of("within") - change).abs() < 1e-12, "{split}");
    assert!(of("mix").abs() < 1e-12, "the groups' shares have not changed: {split}");

    // The reader alone has no drift, and a project of nobody no data.
    let reader = client.get(&format!("{PATH}&name=reader")).await.expect(200).json();
    assert_eq!(metric(&reader, "cost")["drifted"], false, "{reader}");
    let nothing = client.get(&format!("{PATH}&project_id=none")).await.expect(200).json();
    for metric in nothing["metrics"].as_array().unwrap() {
        assert_eq!((&metric["pValue"], &metric["drifted"]), (&Value::Null, &json!(false)));
        assert!(metric["insufficient_data"].as_str().unwrap().contains("no ended traces"), "{metric}");
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_whole_days_of_the_zone() {
    let retrace = Retrace::start().await;
    for (query, fault) in [
        ("from=2026-03-22T01:00:00Z", "from is not the start of a day"),
        ("from=2026-03-22T00:00:00Z&timezone=Europe/Berlin", "from is not the start of a day"),
        ("to=2026-03-22T00:00:00Z&from=2026-03-22T00:00:00Z", "from is not before to"),
        ("by=mood&baseline_days=0&colour=red", "by is not one of name, model, environment"),
    ] {
        let answer = retrace.client.get(&format!("/api/v1/insights/drift?{query}")).await.expect(400);
        assert!(answer.text.contains(fault), "{}", answer.text);
    }
    let query = "from=2026-03-22T00:00:00%2B01:00&to=2026-03-30T00:00:00%2B02:00&timezone=Europe/Berlin";
    let answer = retrace.client.get(&format!("/api/v1/insights/drift?{query}")).await.expect(200).json();
    assert_eq!(
        answer["current_window"],
        json!({"from": "2026-03-22T00:00:00+01:00", "to": "2026-03-30T00:00:00+02:00"})
    );
    let default = retrace.client.get("/api/v1/insights/drift").await.expect(200).json();
    let today = time::OffsetDateTime::now_utc().date();
    assert_eq!(default["current_window"]["to"], json!(format!("{today}T00:00:00+00:00")));
}
