//! Assignments. They end with their trace.

use serde_json::json;

use super::compared::{LIMIT, Listed, newest_first, read, read_all, time};
use super::names::trace_name;
use super::{Body, Command, Compared, Creation};
use crate::harness::Random;

const ASSIGNMENTS: usize = 4;
const STATUSES: [&str; 4] = ["open", "in_progress", "resolved", "dismissed"];

/// Two of one trace to one user, one of another trace, one to nobody.
pub fn creation(assignment: usize) -> Creation {
    let assignee = ["ann", "ann", "bob", "nobody"][assignment];
    let body = json!({"trace_id": trace_name(usize::from(assignment == 2)), "assignee_id": assignee,
        "note": format!("note {assignment}")});
    Creation::new("POST /assignments", format!("assignment {assignment}"), body)
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(*random.pick(&[0, 0, 0, 1, 2, ASSIGNMENTS - 1]));
    let if_match = random.percent(20).then(|| random.between(1, 3) as i64);
    match random.below(12) {
        0..4 => creation.into(),
        4..9 => {
            let body = match random.below(6) {
                0..3 => json!({"status": random.pick(&STATUSES)}),
                3 => json!({"assignee_id": random.pick(&["ann", "bob"])}),
                4 => json!({"assignee_id": "bob", "status": random.pick(&STATUSES), "note": "yours"}),
                _ => json!({"note": format!("note {}", random.below(9))}),
            };
            let command = Command::about(random, creation, "PATCH /assignments/{id}");
            Command { if_match, body: Some(Body::Json(body)), ..command }
        }
        9 | 10 => super::notifications::draw(random, creation),
        _ => Command { if_match, ..Command::about(random, creation, "DELETE /assignments/{id}") },
    }
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    let listed = of.all(|resources| &resources.collaboration.assignments).map(|(id, assignment)| {
        let shown = json!({"id": id, "trace_id": assignment.trace_id, "assignee_id": assignment.assignee_id,
            "status": assignment.status, "note": assignment.note, "version": assignment.version,
            "assigned_by": assignment.assigned_by, "created_by": assignment.created_by,
            "created_at": time(assignment.created_at), "updated_by": assignment.updated_by,
            "updated_at": time(assignment.updated_at)});
        (assignment.created_at, shown)
    });
    let expected = newest_first(listed.collect::<Vec<Listed>>());
    let path = "/api/v1/assignments";
    read_all(of.client(), &format!("{path}?assignee_id=*&{LIMIT}"), "assignments", &expected).await?;
    if random.percent(15) {
        let id = creation(random.below(ASSIGNMENTS)).id(of.by()).to_string();
        let is_there = expected.iter().any(|shown| shown["id"] == id);
        read(of.client(), &format!("{path}/{id}"), is_there).await?;
    }
    Ok(())
}
