//! Exports of what is being written, and exports that fail.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engines::Engine;
use runtime::position::Signer;
use schemas::topics;
use serde_json::{Value, json};
use uuid::Uuid;
use verify::{Fold, TraceView};

use crate::harness::{Client, Random, Retrace, eventually, outage, same, without};

const TENANT: &str = "acme";
const WRITERS: u64 = 3;
const EXPORTS: usize = 40;

/// Any part of any of these traces, again and again.
async fn write(client: Client, ids: Arc<Vec<String>>, seed: u64, stop: Arc<AtomicBool>) {
    let random = &mut Random::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let span = |random: &mut Random| {
            json!({
                "id": format!("{:016x}", 1 + random.below(4)), "span_type": "llm_call", "name": format!("{}", random.next()),
                "started_at": format!("2026-03-0{}T00:00:00Z", 1 + random.below(5)), "input_tokens": random.below(99),
                "input": {"n": random.next()}, "output": format!("{}", random.next()),
            })
        };
        let body = json!({
            "id": random.pick(&ids), "name": format!("{}", random.next()), "input": random.next(),
            "project_id": random.pick(&["p", "q"]), "metadata": {"n": random.next()},
            "started_at": format!("2026-03-0{}T00:00:00Z", 1 + random.below(5)),
            "status": random.pick(&["running", "completed", "failed"]),
            "spans": (0..random.below(4)).map(|_| span(random)).collect::<Vec<_>>(),
        });
        client.post("/api/v1/traces", &body).await.expect(201);
    }
}

struct Export {
    path: String,
    project: Option<&'static str>,
    /// Partition → the last offset that is in it.
    position: HashMap<i32, i64>,
    lines: Vec<Value>,
}

impl Export {
    async fn take(client: &Client, signer: &Signer, n: usize) -> Export {
        let project = [None, Some("p")][n / 2 % 2];
        let noun = ["traces", "spans"][n % 2];
        let filter = project.map(|project| format!("?project_id={project}")).unwrap_or_default();
        let path = format!("/api/v1/{noun}/export{filter}");
        let answer = client.get(&path).await.expect(200);
        let position = signer.read_positions(&answer.position()).unwrap();
        Export {
            path,
            project,
            position: position.records.iter().map(|record| (record.partition, record.offset)).collect(),
            lines: answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        }
    }

    fn expected(&self, fold: &Fold, ids: &BTreeSet<String>) -> Vec<Value> {
        let mut lines = Vec::new();
        for id in ids {
            let partition = topics::trace_partition(TENANT, id, topics::PARTITIONS);
            let Some(upto) = self.position.get(&partition) else { continue };
            let state = fold.trace_at(TENANT, id, Some(*upto));
            let asked = |view: &&TraceView| self.project.is_none() || view.project_id.as_deref() == self.project;
            let Some(view) = state.visible().filter(asked) else { continue };
            if self.path.contains("/traces/") {
                lines.push(without(verify::json::trace(view), &["spans"]));
            } else {
                let mut spans: Vec<_> = view.spans.iter().collect();
                spans.sort_by_key(|span| &span.id);
                lines.extend(spans.into_iter().map(|span| verify::json::span(id, span)));
            }
        }
        lines
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_the_log_up_to_its_position_while_traces_are_written() {
    let retrace = Retrace::with(|settings| settings.flush_ms = 60).await;
    let client = retrace.key_of(TENANT, "ann").await;
    let signer = Signer::new(&retrace.settings.secret);
    let ids: Arc<Vec<String>> = Arc::new((0..40).map(|_| Uuid::new_v4().to_string()).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|seed| tokio::spawn(write(client.clone(), Arc::clone(&ids), seed + 1, Arc::clone(&stop))))
        .collect();
    let mut exports = Vec::new();
    for n in 0..EXPORTS {
        exports.push(Export::take(&client, &signer, n).await);
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    retrace.settled().await;
    let fold = retrace.fold().await;
    let ids = ids.iter().cloned().collect();
    for export in &exports {
        let expected = Value::Array(export.expected(&fold, &ids));
        same(&expected, &Value::Array(export.lines.clone()), &export.path).unwrap();
    }
    let positions: BTreeSet<Vec<(i32, i64)>> = exports
        .iter()
        .map(|export| {
            let mut position: Vec<_> =
                export.position.iter().map(|(partition, offset)| (*partition, *offset)).collect();
            position.sort_unstable();
            position
        })
        .collect();
    assert!(positions.len() > EXPORTS / 2, "only {} positions", positions.len());
    assert!(exports.iter().any(|export| export.lines.len() > 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_is_never_taken_for_whole() {
    let (_alone, world) = outage().await;
    let retrace = Retrace::alone(|_| {}).await;
    let client = &retrace.client;
    let random = &mut Random::new(9);
    for _ in 0..25 {
        // What does not compress, so that it does not fit into the buffers on its way.
        let noise: String = (0..150_000).map(|_| format!("{:014x}", random.next())).collect();
        client.post("/api/v1/traces", &json!({"id": Uuid::new_v4(), "input": noise})).await.expect(201);
    }
    retrace.settled().await;
    for format in ["ndjson", "csv", "parquet"] {
        let path = format!("/api/v1/traces/export?format={format}");
        let whole = client.download(&path).await.body.len();
        let mut response = client.begin(&path).await;
        assert_eq!(response.status().as_u16(), 200);
        let mut read = response.chunk().await.unwrap().unwrap().len();
        let pid = world.stack.pid(Engine::ClickHouse);
        world.stack.kill(Engine::ClickHouse);
        let error = loop {
            match response.chunk().await {
                Ok(Some(piece)) => read += piece.len(),
                Ok(None) => panic!("{format}: {read} of {whole} bytes, and an end as of a whole file"),
                Err(cause) => break cause,
            }
        };
        eprintln!("{format}: {read} of {whole} bytes, then {error}");
        assert!(read < whole, "{format}");
        eventually("another ClickHouse", async || world.stack.pid(Engine::ClickHouse) != pid).await;
        world.stack.wait_until_up(Engine::ClickHouse).await.unwrap();
    }
}
