//! A request's body → what it asks for, or all of its faults.

use runtime::Problem;
use schemas::events::collaboration::STATUSES;
use schemas::events::{AssignmentContent, CommentContent};
use schemas::ids;

use super::mentions::mentions;
use crate::json::{Reader, object};

const LONGEST_TEXT: usize = 65_536;
const LONGEST_USER: usize = 256;
const MOST_MENTIONS: usize = 20;
const MOST_READ: usize = 1_000;

pub struct Said {
    pub content: CommentContent,
    pub mentions: Vec<String>,
}

pub struct NewComment {
    pub trace_id: String,
    pub span_id: Option<String>,
    pub parent_id: Option<String>,
    pub said: Said,
}

pub struct NewAssignment {
    pub trace_id: String,
    pub assignee_id: String,
    pub content: AssignmentContent,
}

pub struct ChangedAssignment {
    pub status: Option<&'static str>,
    pub assignee_id: Option<String>,
    pub content: Option<AssignmentContent>,
}

pub fn comment(body: &[u8]) -> Result<NewComment, Problem> {
    object(body, |reader| NewComment {
        trace_id: trace_id(reader),
        span_id: reader.id("span_id", ids::span_id),
        parent_id: resource_id(reader, "parent_id"),
        said: said(reader),
    })
}

pub fn changed_comment(body: &[u8]) -> Result<Said, Problem> {
    object(body, said)
}

pub fn assignment(body: &[u8]) -> Result<NewAssignment, Problem> {
    object(body, |reader| {
        let trace_id = trace_id(reader);
        if reader.fields.get("assignee_id").is_none() {
            reader.fault("assignee_id", "is missing");
        }
        let assignee_id = user(reader, "assignee_id").unwrap_or_default();
        let note = reader.name("note", LONGEST_TEXT).unwrap_or_default();
        NewAssignment { trace_id, assignee_id, content: AssignmentContent { note } }
    })
}

pub fn changed_assignment(body: &[u8]) -> Result<ChangedAssignment, Problem> {
    object(body, |reader| {
        let changed = ChangedAssignment {
            status: reader.one_of("status", known, STATUSES),
            assignee_id: user(reader, "assignee_id"),
            content: reader.name("note", LONGEST_TEXT).map(|note| AssignmentContent { note }),
        };
        let is_nothing = changed.status.is_none() && changed.assignee_id.is_none() && changed.content.is_none();
        if reader.faults.is_empty() && is_nothing {
            reader.faults.push("the body changes none of status, assignee_id, note".to_owned());
        }
        changed
    })
}

/// None: all of them.
pub fn read(body: &[u8]) -> Result<Option<Vec<String>>, Problem> {
    // Nobody need send a body to say that.
    if body.is_empty() {
        return Ok(None);
    }
    object(body, |reader| {
        let texts = reader.texts("ids", MOST_READ, LONGEST_USER)?;
        if texts.is_empty() {
            reader.fault("ids", "is empty");
        }
        let mut found = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            match ids::resource_id(text) {
                Some(id) => found.push(id),
                None => reader.fault(&format!("ids[{at}]"), "is not the id of a notification"),
            }
        }
        Some(found)
    })
}

fn trace_id(reader: &mut Reader<'_, '_>) -> String {
    if reader.fields.get("trace_id").is_none() {
        reader.fault("trace_id", "is missing");
    }
    reader.id("trace_id", ids::trace_id).unwrap_or_default()
}

fn resource_id(reader: &mut Reader<'_, '_>, field: &str) -> Option<String> {
    let id = ids::resource_id(&reader.text(field)?);
    if id.is_none() {
        reader.fault(field, "is not the id of a comment");
    }
    id
}

fn user(reader: &mut Reader<'_, '_>, field: &str) -> Option<String> {
    let user = reader.name(field, LONGEST_USER)?;
    if user.is_empty() {
        reader.fault(field, "is empty");
    }
    Some(user)
}

fn said(reader: &mut Reader<'_, '_>) -> Said {
    if reader.fields.get("body").is_none() {
        reader.fault("body", "is missing");
    }
    let body = reader.name("body", LONGEST_TEXT);
    if body.as_ref().is_some_and(|body| body.trim().is_empty()) {
        reader.fault("body", "is empty");
    }
    let body = body.unwrap_or_default();
    let mentions = mentions(&body);
    if mentions.len() > MOST_MENTIONS {
        reader.fault("body", format_args!("mentions more than {MOST_MENTIONS} users"));
    }
    Said { content: CommentContent { body }, mentions }
}

fn known(text: &str) -> Option<&'static str> {
    STATUSES.iter().copied().find(|known| *known == text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";

    fn fault<T>(read: fn(&[u8]) -> Result<T, Problem>, body: &Value) -> String {
        read(body.to_string().as_bytes()).err().map(|problem| problem.message).unwrap_or_default()
    }

    #[test]
    fn a_comment_is_on_a_trace_and_says_something() {
        let whole = json!({"trace_id": TRACE.to_uppercase(), "span_id": "00F067AA0BA902B7", "parent_id": TRACE.to_uppercase(),
                           "body": "look @ann"});
        let comment = comment(whole.to_string().as_bytes()).ok().unwrap();
        assert_eq!((comment.trace_id.as_str(), comment.parent_id.as_deref()), (TRACE, Some(TRACE)));
        assert_eq!(
            (comment.span_id.as_deref(), &comment.said.mentions[..]),
            (Some("00f067aa0ba902b7"), &["ann".to_owned()][..])
        );
        let many: Vec<String> = (0..21).map(|n| format!("@user{n}")).collect();
        for (body, expected) in [
            (json!({}), "trace_id is missing; body is missing"),
            (json!({"trace_id": TRACE, "body": " \n"}), "body is empty"),
            (json!({"trace_id": TRACE, "body": "a\0b"}), "body contains NUL"),
            (json!({"trace_id": TRACE, "body": many.join(" ")}), "body mentions more than 20 users"),
            (json!({"trace_id": TRACE, "body": many[1..].join(" ")}), ""),
            (json!({"trace_id": TRACE, "body": "x".repeat(65_537)}), "body is longer than 65536 characters"),
            (
                json!({"trace_id": "x", "span_id": 1, "parent_id": "y", "body": "z"}),
                "trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id; span_id is not text; \
                 parent_id is not the id of a comment",
            ),
        ] {
            assert_eq!(fault(super::comment, &body), expected);
        }
    }

    #[test]
    fn an_assignment_has_an_assignee_and_a_status() {
        for (body, expected) in [
            (json!({}), "trace_id is missing; assignee_id is missing"),
            (json!({"trace_id": TRACE, "assignee_id": "", "note": 1}), "assignee_id is empty; note is not text"),
            (json!({"trace_id": TRACE, "assignee_id": "auth0|ann"}), ""),
        ] {
            assert_eq!(fault(assignment, &body), expected);
        }
        for (body, expected) in [
            (json!({"version": 2}), "the body changes none of status, assignee_id, note"),
            (json!({"status": "done"}), "status is not one of open, in_progress, resolved, dismissed"),
            (json!({"assignee_id": "x".repeat(257)}), "assignee_id is longer than 256 characters"),
            (json!({"note": ""}), ""),
        ] {
            assert_eq!(fault(changed_assignment, &body), expected);
        }
    }

    #[test]
    fn all_is_read_where_nothing_else_is_said() {
        for body in [&b""[..], b"{}", b"{\"ids\": null}"] {
            assert!(read(body).ok().unwrap().is_none());
        }
        assert_eq!(fault(read, &json!({"ids": []})), "ids is empty");
        assert_eq!(fault(read, &json!({"ids": [TRACE, "x"]})), "ids[1] is not the id of a notification");
        assert_eq!(fault(read, &json!({"ids": TRACE})), "ids is not a list of texts");
        assert_eq!(fault(read, &json!({"ids": vec![TRACE; 1_001]})), "ids has more than 1000 entries");
    }
}
