//! Notifications: made by comments and assignments, read by those to whom they are.

use serde_json::{Value, json};
use verify::resources::{Notification, Resources};

use super::compared::{LIMIT, read, time};
use super::{Body, Command, Compared, Creation, Part};
use crate::harness::{Random, same};

/// Of what is shown of a comment or a note.
const EXCERPT: usize = 200;

/// All of them, or the one that a creation has made.
pub fn draw(random: &mut Random, creation: Creation) -> Command {
    let key = random.next().to_string();
    let command = if random.percent(50) {
        Command { body: Some(Body::Json(json!({}))), ..Command::new("PATCH /notifications/read") }
    } else {
        Command { parts: vec![Part::Told(creation)], ..Command::new("PATCH /notifications/{id}/read") }
    };
    Command { key, joint: "\0", is_personal: true, ..command }
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    for (user, client) in of.users {
        let key = (of.tenant.to_owned(), (*user).to_owned());
        let told = of.resources.collaboration.notifications.get(&key).map_or(&[][..], Vec::as_slice);
        if told.is_empty() && !random.percent(20) {
            continue;
        }
        let path = format!("/api/v1/notifications?{LIMIT}");
        let expected = told.iter().rev().map(|told| shown(of.tenant, told, of.resources));
        let found = read(client, &path, true).await?.unwrap_or_default();
        let unread = told.iter().filter(|told| told.read_at.is_none()).count();
        let expected = json!([expected.collect::<Vec<Value>>(), unread, told.len()]);
        let found = json!([found["notifications"], found["unread"], found["total"]]);
        same(&expected, &found, &format!("GET {path} of {user}"))?;
    }
    Ok(())
}

fn shown(tenant: &str, told: &Notification, resources: &Resources) -> Value {
    let key = |id: &String| (tenant.to_owned(), id.clone());
    let said = &resources.collaboration;
    let comment = told.comment_id.as_ref().and_then(|id| said.comments.get(&key(id)));
    let assignment = told.assignment_id.as_ref().and_then(|id| said.assignments.get(&key(id)));
    let text = comment.and_then(|comment| comment.body.as_deref());
    let text = text.or_else(|| assignment.and_then(|assignment| assignment.note.as_deref())).unwrap_or_default();
    json!({"id": told.id, "kind": told.kind, "trace_id": told.trace_id,
        "span_id": comment.and_then(|comment| comment.span_id.as_ref()), "comment_id": told.comment_id,
        "assignment_id": told.assignment_id, "excerpt": text.chars().take(EXCERPT).collect::<String>(),
        "created_by": told.created_by, "created_at": time(told.created_at), "read_at": told.read_at.map(time)})
}
