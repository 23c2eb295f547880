//! A run as the client sends it: its start, its spans with start and end, its end.

use std::collections::VecDeque;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

const SPANS: usize = 9;

/// The frames of a run without their numbers.
pub fn frames(project: &str, span_bytes: usize) -> anyhow::Result<VecDeque<Value>> {
    let (id, now) = (Uuid::new_v4(), OffsetDateTime::now_utc().format(&Rfc3339)?);
    let text = "x".repeat(span_bytes / 2);
    let mut frames =
        VecDeque::from([json!({"type": "trace_started", "data": {"id": id, "name": "live-agent", "status": "running",
        "started_at": now, "project_id": project, "input": {"args": [text], "kwargs": {}}}})]);
    for _ in 0..SPANS {
        let span = Uuid::new_v4();
        frames.push_back(json!({"type": "span_started", "data": {"id": span, "trace_id": id, "span_type": "llm_call",
            "name": "openai.chat.completions.create", "model": "gpt-4o-mini", "started_at": now,
            "input": {"messages": [{"role": "user", "content": text}]}, "input_tokens": 100}}));
        frames.push_back(
            json!({"type": "span_ended", "data": {"id": span, "trace_id": id, "ended_at": now, "output": text,
            "output_tokens": 50}}),
        );
    }
    frames.push_back(
        json!({"type": "trace_ended", "data": {"id": id, "ended_at": now, "output": text, "status": "completed"}}),
    );
    Ok(frames)
}
