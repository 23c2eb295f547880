//! "Assignments".

use schemas::codec;
use schemas::events::{AssignmentChanged, AssignmentContent, AssignmentCreated, AssignmentDeleted};
use schemas::sealing::Sealed;

use super::super::{Command, Open, Outcome, Resources, done, refused, stale};
use super::notifications::About;

const MOST_ASSIGNMENTS: usize = 1_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    pub trace_id: String,
    pub assignee_id: String,
    pub status: String,
    /// None: erased.
    pub note: Option<String>,
    pub version: i64,
    pub assigned_by: String,
    pub created_by: String,
    pub created_at: i64,
    pub updated_by: String,
    pub updated_at: i64,
}

impl Assignment {
    fn is_open(&self) -> bool {
        self.status == "open" || self.status == "in_progress"
    }
}

impl Resources {
    pub(crate) fn create_assignment(
        &mut self,
        command: &Command<'_>,
        event: &AssignmentCreated,
        open: Open<'_>,
    ) -> Outcome {
        let tenant = command.tenant;
        let key = (tenant.to_owned(), event.assignment_id.clone());
        if self.collaboration.assignments.contains_key(&key) {
            return refused(409, None, "An assignment with this id exists".to_owned());
        }
        if self.collaboration.discussion(tenant, &event.trace_id).is_closed {
            return not_found("Trace");
        }
        if !self.is_member(tenant, &event.assignee_id) {
            return not_found("Member");
        }
        let assignment = Assignment {
            trace_id: event.trace_id.clone(),
            assignee_id: event.assignee_id.clone(),
            status: "open".to_owned(),
            note: note(&event.content, open),
            version: 1,
            assigned_by: event.by.clone(),
            created_by: event.by.clone(),
            created_at: command.time,
            updated_by: event.by.clone(),
            updated_at: command.time,
        };
        if let Some(refusal) = self.same_is_open(&key, &assignment) {
            return refusal;
        }
        let others = &mut self.collaboration.discussion(tenant, &event.trace_id).assignments;
        if others.len() >= MOST_ASSIGNMENTS {
            return refused(409, None, "A trace has at most 1000 assignments".to_owned());
        }
        others.insert(event.assignment_id.clone());
        self.collaboration.assignments.insert(key, assignment);
        let about = About { trace_id: &event.trace_id, comment_id: None, assignment_id: Some(&event.assignment_id) };
        self.tell(command, &event.by, &about, vec![(event.assignee_id.clone(), "assignment")]);
        done(201, Some(1))
    }

    pub(crate) fn change_assignment(
        &mut self,
        command: &Command<'_>,
        event: &AssignmentChanged,
        open: Open<'_>,
    ) -> Outcome {
        let key = (command.tenant.to_owned(), event.assignment_id.clone());
        let Some(current) = self.collaboration.assignments.get(&key).cloned() else { return not_found("Assignment") };
        if let Some(stale) = stale("assignment", event.if_match, current.version) {
            return stale;
        }
        let mut next = Assignment {
            version: current.version + 1,
            updated_by: event.by.clone(),
            updated_at: command.time,
            ..current.clone()
        };
        let mut told = Vec::new();
        if let Some(assignee) = &event.assignee_id
            && *assignee != current.assignee_id
        {
            if !self.is_member(command.tenant, assignee) {
                return not_found("Member");
            }
            next.assignee_id = assignee.clone();
            next.assigned_by = event.by.clone();
            told.push((assignee.clone(), "assignment"));
        }
        if let Some(status) = &event.status {
            next.status = status.clone();
        }
        if next.status != current.status {
            told.push((current.assigned_by.clone(), "status"));
        }
        if let Some(content) = &event.content {
            next.note = note(content, open);
        }
        if next.is_open()
            && let Some(refusal) = self.same_is_open(&key, &next)
        {
            return refusal;
        }
        let version = next.version;
        self.collaboration.assignments.insert(key, next);
        let about = About { trace_id: &current.trace_id, comment_id: None, assignment_id: Some(&event.assignment_id) };
        self.tell(command, &event.by, &about, told);
        done(200, Some(version))
    }

    pub(crate) fn delete_assignment(&mut self, command: &Command<'_>, event: &AssignmentDeleted) -> Outcome {
        let said = &mut self.collaboration;
        let key = (command.tenant.to_owned(), event.assignment_id.clone());
        let Some(current) = said.assignments.get(&key).cloned() else { return not_found("Assignment") };
        if current.assigned_by != event.by && !event.moderates {
            let reason = "Only who assigned, an owner or an admin deletes an assignment";
            return refused(403, None, reason.to_owned());
        }
        if let Some(stale) = stale("assignment", event.if_match, current.version) {
            return stale;
        }
        said.assignments.remove(&key);
        said.discussion(command.tenant, &current.trace_id).assignments.remove(&event.assignment_id);
        said.forget(command.tenant, |told| told.assignment_id.as_deref() == Some(event.assignment_id.as_str()));
        done(204, None)
    }

    fn same_is_open(&self, (tenant, id): &(String, String), asked: &Assignment) -> Option<Outcome> {
        let discussion = self.collaboration.discussions.get(&(tenant.clone(), asked.trace_id.clone()))?;
        let others = discussion.assignments.iter().filter(|other| *other != id);
        let mut others =
            others.filter_map(|other| self.collaboration.assignments.get(&(tenant.clone(), other.clone())));
        others.find(|other| other.is_open() && other.assignee_id == asked.assignee_id)?;
        Some(refused(409, None, "The trace is assigned to this member already".to_owned()))
    }
}

fn note(sealed: &Sealed, open: Open<'_>) -> Option<String> {
    let content: AssignmentContent = codec::decode("assignment_content", &open(sealed)?).ok()?;
    Some(content.note)
}

fn not_found(what: &str) -> Outcome {
    refused(404, None, format!("{what} not found"))
}
