//! A command is drawn before it is known who sends it, of which tenant, about which traces: its ids follow from these.

use schemas::{ids, sealing};
use serde_json::Value;
use uuid::Uuid;

use super::super::history::TRACES;
use super::comments;

/// Who sends a command, and what it is about in this history.
#[derive(Clone, Copy)]
pub struct By<'a> {
    pub tenant: &'a str,
    pub user: &'a str,
    pub traces: &'a [String],
}

/// What makes a resource. Its Idempotency-Key is always the same, so that the id is known before it is there.
#[derive(Clone, Debug)]
pub struct Creation {
    pub route: &'static str,
    pub key: String,
    /// What it is a part of.
    pub within: Option<Box<Creation>>,
    pub body: Value,
}

/// A segment of a path.
#[derive(Clone, Debug)]
pub enum Part {
    Of(Creation),
    /// The notification that a creation makes for whoever sends the command.
    Told(Creation),
    Text(String),
}

impl By<'_> {
    /// A body as it is sent: with ids in the place of what stands for them.
    pub fn resolved(self, body: &Value) -> String {
        let mut text = body.to_string();
        for (n, id) in self.traces.iter().enumerate() {
            text = text.replace(&trace_name(n), id);
        }
        for n in 0..comments::ANSWERED {
            let name = comment_name(n);
            if text.contains(&name) {
                text = text.replace(&name, &comments::creation(n).id(self).to_string());
            }
        }
        text
    }
}

impl Creation {
    pub fn new(route: &'static str, key: String, body: Value) -> Creation {
        Creation { route, key, within: None, body }
    }

    pub fn id(&self, by: By<'_>) -> Uuid {
        let whole = self.within.as_ref().map(|whole| whole.id(by).to_string()).unwrap_or_default();
        derived(by.tenant, self.route, &self.key, &format!("{whole}{}", by.resolved(&self.body)))
    }
}

impl Part {
    pub fn text(&self, by: By<'_>) -> String {
        match self {
            Part::Of(creation) => creation.id(by).to_string(),
            Part::Told(creation) => ids::notification_id(ids::derived(creation.id(by), "command"), by.user).to_string(),
            Part::Text(text) => text.clone(),
        }
    }
}

/// In a body, in the place of a trace's id.
pub fn trace_name(trace: usize) -> String {
    format!("{{trace {trace}}}")
}

/// In a body, in the place of a comment's id.
pub fn comment_name(comment: usize) -> String {
    format!("{{comment {comment}}}")
}

/// The trace that a body names.
pub fn trace(body: &Value) -> Option<usize> {
    let name = body["trace_id"].as_str()?;
    (0..TRACES).find(|n| trace_name(*n) == name)
}

/// As ingest derives ids from an Idempotency-Key and what was asked under it.
pub fn derived(tenant: &str, route: &str, key: &str, asked: &str) -> Uuid {
    let names = format!("{tenant}\0{route}\0{key}\0");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &[names.as_bytes(), &sealing::sha256(asked.as_bytes())].concat())
}
