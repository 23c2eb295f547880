//! A write as it is shown, in JSON and in CSV.

use runtime::http::micros_rfc3339;
use schemas::audit::client::Client;
use schemas::sealing::hex;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::read::AuditRow;
use crate::downloads::csv;

#[derive(Serialize)]
pub struct Entry {
    time: String,
    event_id: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    actor: String,
    user_id: Option<String>,
    ip: Option<String>,
    auth: Option<String>,
    request_id: String,
    before: Option<Map<String, Value>>,
    after: Option<Map<String, Value>>,
    topic: String,
    partition: u16,
    offset: u64,
    content_hash: String,
    previous_hash: String,
    hash: String,
}

const COLUMNS: &[&str] = &[
    "time",
    "event_id",
    "type",
    "subject",
    "actor",
    "user_id",
    "ip",
    "auth",
    "request_id",
    "before",
    "after",
    "topic",
    "partition",
    "offset",
    "content_hash",
    "previous_hash",
    "hash",
];

impl Entry {
    /// `version`: of its resource after it. `before`: the facts of what it replaces.
    pub fn new(row: AuditRow, client: Option<Client>, version: Option<i64>, before: Option<String>) -> Entry {
        let mut after = facts(&row.facts);
        let mut before = before.as_deref().and_then(facts);
        // A label's version is where it points, and not a new one.
        if let (Some(version), Some(after)) = (version, &mut after)
            && !after.contains_key("version")
        {
            after.insert("version".to_owned(), json!(version));
            before = (version > 1).then(|| Map::from_iter([("version".to_owned(), json!(version - 1))]));
        }
        let (user_id, ip, auth) = match client {
            Some(Client { user, ip, auth }) => (Some(user), Some(ip), Some(auth)),
            None => (None, None, None),
        };
        Entry {
            time: micros_rfc3339(row.time),
            event_id: row.event_id,
            kind: row.kind,
            subject: row.subject,
            actor: row.actor,
            user_id,
            ip,
            auth,
            request_id: row.request_id,
            before,
            after,
            topic: row.topic,
            partition: row.partition,
            offset: row.at_offset,
            content_hash: hex(&row.content_hash),
            previous_hash: hex(&row.previous),
            hash: hex(&row.hash),
        }
    }

    pub fn write_json(&self, to: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(to, self)
    }

    pub fn write_header(to: &mut Vec<u8>) {
        csv::write_header(COLUMNS.iter().copied(), to);
    }

    pub fn write_record(&self, to: &mut Vec<u8>) {
        csv::write_text(&self.time, to);
        for text in [&self.event_id, &self.kind, &self.subject, &self.actor] {
            next_text(Some(text), to);
        }
        for text in [&self.user_id, &self.ip, &self.auth] {
            next_text(text.as_deref(), to);
        }
        next_text(Some(&self.request_id), to);
        for facts in [&self.before, &self.after] {
            to.push(b',');
            if let Some(facts) = facts {
                csv::write_json(&json!(facts).to_string(), to);
            }
        }
        next_text(Some(&self.topic), to);
        to.extend_from_slice(format!(",{},{}", self.partition, self.offset).as_bytes());
        for text in [&self.content_hash, &self.previous_hash, &self.hash] {
            next_text(Some(text), to);
        }
        to.extend_from_slice(b"\r\n");
    }
}

fn next_text(text: Option<&str>, to: &mut Vec<u8>) {
    to.push(b',');
    if let Some(text) = text {
        csv::write_text(text, to);
    }
}

/// None where there are none, or they could not be read.
fn facts(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn row(kind: &str, facts: &str) -> AuditRow {
        AuditRow {
            topic: "retrace.workspace".to_owned(),
            partition: 3,
            at_offset: 41,
            event_id: "e".to_owned(),
            kind: kind.to_owned(),
            subject: "skills/1".to_owned(),
            time: 0,
            actor: "a".to_owned(),
            request_id: "=cmd()".to_owned(),
            client: String::new(),
            facts: facts.to_owned(),
            content_hash: vec![1],
            previous: vec![2],
            hash: vec![3],
        }
    }

    fn shown(row: AuditRow, version: Option<i64>, before: Option<&str>) -> Value {
        json!(Entry::new(row, None, version, before.map(str::to_owned)))
    }

    #[test]
    fn a_version_is_shown_with_the_one_before() {
        let first = shown(row("dev.retrace.skill.created.v1", "{}"), Some(1), None);
        assert_eq!((&first["before"], &first["after"]), (&Value::Null, &json!({"version": 1})));
        let third = shown(row("dev.retrace.skill.changed.v1", r#"{"restores":1}"#), Some(3), None);
        assert_eq!(
            (&third["before"], &third["after"]),
            (&json!({"version": 2}), &json!({"restores": 1, "version": 3}))
        );
        let label = shown(row("dev.retrace.prompt.labelled.v1", r#"{"label":"l","version":1}"#), Some(5), None);
        assert_eq!((&label["before"], &label["after"]), (&Value::Null, &json!({"label": "l", "version": 1})));
        let golden = shown(row("dev.retrace.golden.set.v1", r#"{"golden":false}"#), None, Some(r#"{"golden":true}"#));
        assert_eq!((&golden["before"], &golden["after"]), (&json!({"golden": true}), &json!({"golden": false})));
        assert_eq!(shown(row("dev.retrace.unknown.v1", ""), None, None)["after"], Value::Null);
    }

    #[test]
    fn no_text_of_a_record_is_a_formula() {
        let client = Client { ip: "192.0.2.1".to_owned(), user: "@ann".to_owned(), auth: "bearer".to_owned() };
        let mut record = Vec::new();
        Entry::new(row("k", r#"{"n":1}"#), Some(client), None, None).write_record(&mut record);
        let record = String::from_utf8(record).unwrap();
        assert_eq!(
            record,
            "\"1970-01-01T00:00:00.000000Z\",\"e\",\"k\",\"skills/1\",\"a\",\"'@ann\",\"192.0.2.1\",\"bearer\",\"'=cmd()\",,\
             \"{\"\"n\"\":1}\",\"retrace.workspace\",3,41,\"01\",\"02\",\"03\"\r\n"
        );
    }
}
