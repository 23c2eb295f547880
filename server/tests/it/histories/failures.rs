//! What `/insights/failures` answers, beside clusters of the fold's failed traces.

use std::collections::{BTreeMap, BTreeSet};

use insights::failures::{clusters, signature};
use schemas::events::TraceStatus;
use serde_json::{Value, json};
use verify::TraceView;

use super::bodies::NAMES;
use crate::harness::{Client, Random, same};

const FROM: [&str; 2] = ["2025-11-01T00:00:00Z", "2025-11-19T00:00:00Z"];

pub async fn compare(client: &Client, views: &[&TraceView], random: &mut Random) -> Result<(), String> {
    let from = *random.pick(&FROM);
    let since = time::OffsetDateTime::parse(from, &time::format_description::well_known::Rfc3339).unwrap();
    let since = (since.unix_timestamp_nanos() / 1000) as i64;
    let name = random.percent(30).then(|| NAMES[0]);
    let failed = || views.iter().filter(|view| view.status == TraceStatus::Failed);
    let mut by_signature: BTreeMap<String, Vec<&TraceView>> = BTreeMap::new();
    for view in failed() {
        let failure = view.failure(signature);
        let text = if failure.is_empty() { "(no error text)".to_owned() } else { failure };
        by_signature.entry(text).or_default().push(view);
    }
    let texts: Vec<&str> = by_signature.keys().map(String::as_str).collect();
    let asked = |view: &&&TraceView| name.is_none_or(|name| view.name.as_deref() == Some(name));
    let total = failed().filter(asked).filter(|view| view.started_at >= since).count();
    let mut expected = Vec::new();
    for cluster in clusters(&texts) {
        let of_cluster = cluster.members.iter().flat_map(|member| &by_signature[texts[*member]]);
        let scope: Vec<&&TraceView> = of_cluster.filter(asked).collect();
        let within: Vec<&&&TraceView> = scope.iter().filter(|view| view.started_at >= since).collect();
        if within.is_empty() {
            continue;
        }
        let names: BTreeSet<&str> = within.iter().map(|view| view.name.as_deref().unwrap_or("")).collect();
        expected.push(json!({
            "id": format!("{:016x}", cluster.id()), "pattern": cluster.pattern, "count": within.len(),
            "share": within.len() as f64 / total as f64, "names": names,
            "first_seen": scope.iter().map(|view| view.started_at).min(),
            "last_seen": scope.iter().map(|view| view.started_at).max(),
            "examples": within.len().min(3), "trend": within.len(),
        }));
    }
    let name = name.map(|name| format!("&name={}", name.replace(' ', "%20"))).unwrap_or_default();
    let path = format!("/api/v1/insights/failures?from={from}&interval=week{name}");
    let answer = client.get(&path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    let answer = answer.json();
    same(&json!(total), &answer["total_failed"], &format!("GET {path} .total_failed"))?;
    let found = answer["clusters"].as_array().cloned().unwrap_or_default().iter().map(summary).collect();
    same(&sorted(expected), &sorted(found), &format!("GET {path} .clusters"))?;
    // Of one of them: each is asked for by the signatures that it was counted by.
    let clusters = answer["clusters"].as_array().map_or(&[][..], Vec::as_slice);
    if clusters.is_empty() {
        return Ok(());
    }
    drill(client, random.pick(clusters), &format!("from={from}{name}")).await
}

fn summary(cluster: &Value) -> Value {
    let names: BTreeSet<&str> =
        cluster["affected_names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let counted: u64 =
        cluster["trend"].as_array().into_iter().flatten().filter_map(|point| point["count"].as_u64()).sum();
    json!({
        "id": cluster["id"], "pattern": cluster["pattern"], "count": cluster["count"], "share": cluster["share"],
        "names": names, "first_seen": micros(&cluster["first_seen"]), "last_seen": micros(&cluster["last_seen"]),
        "examples": cluster["example_trace_ids"].as_array().map(Vec::len), "trend": counted,
    })
}

fn micros(time: &Value) -> Option<i64> {
    let time = time::OffsetDateTime::parse(time.as_str()?, &time::format_description::well_known::Rfc3339).ok()?;
    Some((time.unix_timestamp_nanos() / 1000) as i64)
}

fn sorted(mut clusters: Vec<Value>) -> Value {
    clusters.sort_by_key(|cluster| cluster["id"].to_string());
    Value::Array(clusters)
}

/// The pages of a cluster's traces hold each of them once.
async fn drill(client: &Client, cluster: &Value, asked: &str) -> Result<(), String> {
    let id = cluster["id"].as_str().unwrap_or_default();
    let (mut cursor, mut traces) = (String::new(), BTreeSet::new());
    loop {
        let path = format!("/api/v1/insights/failures/{id}/traces?{asked}&limit=2{cursor}");
        let page = client.get(&path).await;
        if page.status != 200 {
            return Err(format!("GET {path}: {} {}", page.status, page.text));
        }
        let page = page.json();
        for trace in page["traces"].as_array().into_iter().flatten() {
            if !traces.insert(trace["id"].to_string()) {
                return Err(format!("GET {path}: {trace} is there twice"));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    same(&cluster["count"], &json!(traces.len()), &format!("the traces of {id} with {asked}"))
}
