//! What the exports hold, beside what the fold says.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::Semaphore;
use verify::TraceView;

use crate::harness::{Client, Random, same, without};

/// As many as the server has under way at once: more of them would be told to come again.
static TURNS: Semaphore = Semaphore::const_new(4);

const PAYLOADS: [&str; 6] = ["input", "output", "error", "metadata", "token_ids", "logprobs"];

/// All that there is, or a part of it.
#[derive(Clone, Copy)]
pub struct Asked {
    payloads: bool,
    status: Option<&'static str>,
}

impl Asked {
    pub const ALL: Asked = Asked { payloads: true, status: None };

    pub fn draw(random: &mut Random) -> Asked {
        let status = random.percent(60).then(|| *random.pick(&["running", "completed", "failed"]));
        Asked { payloads: random.percent(40), status }
    }
}

pub async fn compare(client: &Client, views: &[&TraceView], Asked { payloads, status }: Asked) -> Result<(), String> {
    let left_out: &[&str] = if payloads { &[] } else { &PAYLOADS };
    let asked = || views.iter().filter(|view| status.is_none_or(|status| view.status.as_str() == status));
    let mut traces: BTreeMap<&str, Value> = BTreeMap::new();
    let mut spans: BTreeMap<(&str, &str), Value> = BTreeMap::new();
    for view in asked() {
        traces.insert(&view.id, without(without(verify::json::trace(view), &["spans"]), left_out));
        for span in &view.spans {
            spans.insert((&view.id, &span.id), without(verify::json::span(&view.id, span), left_out));
        }
    }
    let status = status.map(|status| format!("&status={status}")).unwrap_or_default();
    for (noun, expected) in
        [("traces", traces.into_values().collect()), ("spans", spans.into_values().collect::<Vec<Value>>())]
    {
        let path = format!("/api/v1/{noun}/export?payloads={payloads}{status}");
        let turn = TURNS.acquire().await;
        let answer = client.get(&path).await;
        drop(turn);
        if answer.status != 200 {
            return Err(format!("GET {path}: {} {}", answer.status, answer.text));
        }
        let found = answer.text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
        let found = found.map_err(|cause| format!("GET {path}: {cause}: {}", answer.text))?;
        same(&Value::Array(expected), &Value::Array(found), &format!("GET {path}"))?;
    }
    Ok(())
}
