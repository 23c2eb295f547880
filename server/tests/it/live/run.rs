//! Frames of a run, as clients send them.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

pub struct Run {
    began: OffsetDateTime,
    pub id: String,
    pub spans: Vec<String>,
}

impl Run {
    pub fn new(spans: usize) -> Run {
        let id = || Uuid::new_v4().to_string();
        let began = OffsetDateTime::now_utc() - Duration::from_secs(60);
        Run { began, id: id(), spans: (0..spans).map(|_| id()).collect() }
    }

    /// So many seconds after it began.
    pub fn at(&self, seconds: u64) -> String {
        (self.began + Duration::from_secs(seconds)).format(&Rfc3339).unwrap()
    }

    pub fn path(&self) -> String {
        format!("/api/v1/traces/{}", self.id)
    }

    pub fn started(&self) -> Value {
        json!({"type": "trace_started", "data": {"id": self.id, "status": "running", "total_tokens": 0, "total_cost": 0.0,
            "total_duration_ms": 0, "started_at": self.at(0), "name": "live-agent",
            "input": {"args": ["hi"], "kwargs": {}}}})
    }

    /// A call that has ended when its start is sent, as client 0.16 sends it.
    pub fn span_started(&self, n: usize) -> Value {
        json!({"type": "span_started", "data": {"id": self.spans[n], "trace_id": self.id, "parent_id": null,
            "span_type": "llm_call", "name": "openai.chat.completions.create", "model": "gpt-4o-mini",
            "started_at": self.at(1), "ended_at": self.at(2),
            "input": {"messages": []}, "output": format!("answer {n}"), "input_tokens": 12, "output_tokens": 5,
            "cost": 4.8e-06, "duration_ms": 1000}})
    }

    pub fn span_ended(&self, n: usize) -> Value {
        json!({"type": "span_ended", "data": {"id": self.spans[n], "trace_id": self.id, "output": format!("answer {n}"),
            "ended_at": self.at(2), "output_tokens": 5, "cost": 4.8e-06, "duration_ms": 1000}})
    }

    pub fn ended(&self) -> Value {
        json!({"type": "trace_ended", "data": {"id": self.id, "started_at": self.at(0),
            "ended_at": self.at(3), "output": "done", "status": "completed",
            "total_tokens": 17 * self.spans.len(), "total_duration_ms": 3000, "span_count": self.spans.len()}})
    }

    /// All of them.
    pub fn frames(&self) -> Vec<Value> {
        let spans = (0..self.spans.len()).flat_map(|n| [self.span_started(n), self.span_ended(n)]);
        std::iter::once(self.started()).chain(spans).chain(std::iter::once(self.ended())).collect()
    }

    /// What is read of it once all is there.
    pub fn assert_whole(&self, read: &Value) {
        assert_eq!(
            (&read["status"], &read["output"], &read["name"]),
            (&json!("completed"), &json!("done"), &json!("live-agent"))
        );
        assert_eq!(
            (&read["span_count"], &read["total_tokens"]),
            (&json!(self.spans.len()), &json!(17 * self.spans.len()))
        );
        assert_eq!((&read["warnings"], &read["total_duration_ms"]), (&json!([]), &json!(3000)));
        for span in read["spans"].as_array().unwrap() {
            let n = self.spans.iter().position(|id| *id == span["id"]).unwrap();
            assert_eq!((&span["output"], &span["model"]), (&json!(format!("answer {n}")), &json!("gpt-4o-mini")));
            assert_eq!((&span["input_tokens"], &span["duration_ms"]), (&json!(12), &json!(1000)));
        }
    }
}

/// With numbers, from `first` on.
pub fn numbered(frames: impl IntoIterator<Item = Value>, first: u64) -> Vec<Value> {
    let number = |(frame, n): (Value, u64)| {
        let mut frame = frame;
        frame["seq"] = json!(n);
        frame
    };
    frames.into_iter().zip(first..).map(number).collect()
}
