//! "Comments", "Assignments", "Notifications" and "The end of a discussion".

use schemas::events::{
    ApiKeyCreated, AssignmentChanged, AssignmentContent, AssignmentCreated, AssignmentDeleted, CommentChanged,
    CommentContent, CommentCreated, CommentDeleted, DiscussionClosed, NotificationsRead,
};

use super::*;
use crate::resources::{Assignment, Collaboration, Comment, Outcome};

const OTHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The n-th comment or assignment of a test.
fn id(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

fn said(outcome: &Outcome) -> (i16, &str) {
    (outcome.status, outcome.reason.as_deref().unwrap_or_default())
}

impl Log {
    fn with_members(users: &[&str]) -> Log {
        let mut log = Log::new();
        for user in users {
            let created = ApiKeyCreated {
                user: (*user).to_owned(),
                org: None,
                role: "member".to_owned(),
                prefix: "rt_".to_owned(),
                sha256: ByteArray::new([0; 32]),
            };
            log.append(ids::event_id(), &Event::ApiKeyCreated(created));
        }
        log
    }

    fn happened(&self, event: Uuid) -> Outcome {
        self.fold.resources(None).outcomes[&event].clone()
    }

    fn collaboration(&self) -> Collaboration {
        self.fold.resources(None).collaboration
    }

    fn comment(&self, n: u32) -> Option<Comment> {
        self.collaboration().comments.get(&(TENANT.to_owned(), id(n))).cloned()
    }

    fn assignment(&self, n: u32) -> Assignment {
        self.collaboration().assignments[&(TENANT.to_owned(), id(n))].clone()
    }

    /// Kind, and whether it is read; from the oldest to the newest one.
    fn told(&self, user: &str) -> Vec<(&'static str, bool)> {
        let told = self.collaboration().notifications.remove(&(TENANT.to_owned(), user.to_owned())).unwrap_or_default();
        told.iter().map(|told| (told.kind, told.read_at.is_some())).collect()
    }

    fn say_of(&mut self, trace_id: &str, n: u32, reply_to: Option<u32>, by: &str, mentions: &[&str]) -> Uuid {
        let event = ids::event_id();
        let created = CommentCreated {
            comment_id: id(n),
            trace_id: trace_id.to_owned(),
            span_id: None,
            reply_to_id: reply_to.map(id),
            by: by.to_owned(),
            mentions: mentions.iter().map(|user| (*user).to_owned()).collect(),
            content: self.seal(event, "comment_content", &CommentContent { body: format!("of {by}") }),
        };
        self.append(event, &Event::CommentCreated(created));
        event
    }

    fn say(&mut self, n: u32, reply_to: Option<u32>, by: &str, mentions: &[&str]) -> Outcome {
        let event = self.say_of(TRACE, n, reply_to, by, mentions);
        self.happened(event)
    }

    fn say_again(&mut self, n: u32, by: &str, mentions: &[&str], if_match: Option<i64>) -> Outcome {
        let event = ids::event_id();
        let changed = CommentChanged {
            comment_id: id(n),
            if_match,
            by: by.to_owned(),
            mentions: mentions.iter().map(|user| (*user).to_owned()).collect(),
            content: self.seal(event, "comment_content", &CommentContent { body: "edited".to_owned() }),
        };
        self.append(event, &Event::CommentChanged(changed));
        self.happened(event)
    }

    fn unsay(&mut self, n: u32, by: &str, moderates: bool, if_match: Option<i64>) -> Outcome {
        let event = ids::event_id();
        let deleted = CommentDeleted { comment_id: id(n), if_match, by: by.to_owned(), moderates };
        self.append(event, &Event::CommentDeleted(deleted));
        self.happened(event)
    }

    fn assign(&mut self, n: u32, assignee: &str, by: &str) -> Outcome {
        let event = ids::event_id();
        let created = AssignmentCreated {
            assignment_id: id(n),
            trace_id: TRACE.to_owned(),
            assignee_id: assignee.to_owned(),
            by: by.to_owned(),
            content: self.seal(event, "assignment_content", &AssignmentContent { note: "note".to_owned() }),
        };
        self.append(event, &Event::AssignmentCreated(created));
        self.happened(event)
    }

    fn reassign(&mut self, n: u32, status: Option<&str>, assignee: Option<&str>, by: &str) -> Outcome {
        let event = ids::event_id();
        let changed = AssignmentChanged {
            assignment_id: id(n),
            if_match: None,
            by: by.to_owned(),
            status: status.map(str::to_owned),
            assignee_id: assignee.map(str::to_owned),
            content: None,
        };
        self.append(event, &Event::AssignmentChanged(changed));
        self.happened(event)
    }

    fn unassign(&mut self, n: u32, by: &str, moderates: bool) -> Outcome {
        let event = ids::event_id();
        let deleted = AssignmentDeleted { assignment_id: id(n), if_match: None, by: by.to_owned(), moderates };
        self.append(event, &Event::AssignmentDeleted(deleted));
        self.happened(event)
    }

    fn read(&mut self, user: &str, ids_of: Option<Vec<String>>) -> Outcome {
        let event = ids::event_id();
        let read = NotificationsRead { user_id: user.to_owned(), ids: ids_of };
        self.append(event, &Event::NotificationsRead(read));
        self.happened(event)
    }

    fn close(&mut self, trace_id: &str) {
        let closed = DiscussionClosed { trace_id: trace_id.to_owned() };
        self.append(ids::event_id(), &Event::DiscussionClosed(closed));
    }
}

#[test]
fn a_thread_has_two_levels() {
    let mut log = Log::new();
    assert_eq!(log.say(1, None, "ann", &[]).version, Some(1));
    assert_eq!(said(&log.say(1, None, "ann", &[])), (409, "A comment with this id exists"));
    log.say(2, Some(1), "bob", &[]);
    log.say(3, Some(2), "cem", &[]);
    let reply = log.comment(3).unwrap();
    assert_eq!((reply.parent_id, reply.reply_to_id), (Some(id(1)), Some(id(2))));
    assert_eq!((reply.created_by.as_str(), reply.created_at, reply.edited_at), ("cem", at(4), None));
    assert_eq!(said(&log.say(4, Some(9), "ann", &[])), (404, "Parent comment not found"));
    let elsewhere = log.say_of(OTHER_TRACE, 5, Some(1), "ann", &[]);
    assert_eq!(said(&log.happened(elsewhere)), (404, "Parent comment not found"));
}

#[test]
fn a_comment_is_changed_by_its_author() {
    let mut log = Log::new();
    log.say(1, None, "ann", &["bob"]);
    assert_eq!(said(&log.say_again(1, "bob", &[], None)), (403, "Only its author changes a comment"));
    assert_eq!(log.say_again(1, "ann", &[], Some(1)).version, Some(2));
    let stale = log.say_again(1, "ann", &[], Some(1));
    assert_eq!(said(&stale), (412, "The comment is at version 2, not at 1 as If-Match says"));
    assert_eq!(log.say_again(2, "ann", &[], None).status, 404);
    let comment = log.comment(1).unwrap();
    assert_eq!((comment.version, comment.body.as_deref(), comment.edited_at), (2, Some("edited"), Some(at(3))));
    assert!(comment.mentions.is_empty());
}

#[test]
fn a_deleted_comment_stands_for_its_replies() {
    let mut log = Log::new();
    for (n, reply_to) in [(1, None), (2, Some(1)), (3, Some(2))] {
        log.say(n, reply_to, "ann", &[]);
    }
    let reason = "Only its author, an owner or an admin deletes a comment";
    assert_eq!(said(&log.unsay(1, "bob", false, None)), (403, reason));
    assert_eq!(log.unsay(1, "ann", false, Some(2)).status, 412);
    assert_eq!(log.unsay(1, "bob", true, Some(1)).status, 204);
    let placeholder = log.comment(1).unwrap();
    assert!(placeholder.is_deleted && placeholder.body.as_deref() == Some(""));
    assert_eq!(log.unsay(1, "ann", true, None).status, 404);
    assert_eq!(log.say_again(1, "ann", &[], None).status, 404);
    assert_eq!(log.say(4, Some(1), "ann", &[]).status, 404);
    // A reply is not answered by those after it: it goes, and the last one takes the placeholder along.
    assert_eq!(log.unsay(2, "ann", false, None).status, 204);
    assert_eq!(log.comment(2), None);
    assert_eq!(log.say(5, Some(3), "bob", &[]).status, 201);
    log.unsay(3, "ann", false, None);
    assert!(log.comment(1).is_some());
    log.unsay(5, "bob", false, None);
    assert!(log.collaboration().comments.is_empty());
}

#[test]
fn an_assignment_is_a_members_and_open_once() {
    let mut log = Log::with_members(&["ann", "bob"]);
    assert_eq!(said(&log.assign(1, "eve", "ann")), (404, "Member not found"));
    assert_eq!(log.assign(1, "bob", "ann").version, Some(1));
    let again = "The trace is assigned to this member already";
    assert_eq!(said(&log.assign(2, "bob", "ann")), (409, again));
    assert_eq!(log.reassign(1, Some("resolved"), None, "bob").version, Some(2));
    assert_eq!(log.assign(2, "bob", "ann").status, 201);
    assert_eq!(said(&log.reassign(1, Some("in_progress"), None, "bob")), (409, again));
    assert_eq!(said(&log.reassign(1, None, Some("eve"), "bob")), (404, "Member not found"));
    assert_eq!(log.reassign(1, Some("open"), Some("ann"), "bob").version, Some(3));
    let assignment = log.assignment(1);
    assert_eq!((assignment.assignee_id.as_str(), assignment.assigned_by.as_str()), ("ann", "bob"));
    assert_eq!((assignment.created_by.as_str(), assignment.note.as_deref()), ("ann", Some("note")));
    let reason = "Only who assigned, an owner or an admin deletes an assignment";
    assert_eq!(said(&log.unassign(1, "ann", false)), (403, reason));
    assert_eq!(log.unassign(1, "bob", false).status, 204);
    assert_eq!(log.unassign(2, "bob", true).status, 204);
    assert_eq!(said(&log.unassign(2, "bob", true)), (404, "Assignment not found"));
}

#[test]
fn members_are_told_once_of_what_others_do() {
    let mut log = Log::with_members(&["ann", "bob"]);
    log.say(1, None, "ann", &["ann", "bob", "eve"]);
    assert_eq!((log.told("ann"), log.told("bob"), log.told("eve")), (vec![], vec![("mention", false)], vec![]));
    // Whoever writes need not be a member to be answered.
    log.say(2, Some(1), "eve", &["ann"]);
    log.say(3, Some(2), "bob", &[]);
    assert_eq!((log.told("ann"), log.told("eve")), (vec![("mention", false)], vec![("reply", false)]));
    log.say_again(1, "ann", &["bob", "eve"], None);
    assert_eq!(log.told("bob").len(), 1, "the version before has mentioned him");
    log.say_again(1, "ann", &[], None);
    log.say_again(1, "ann", &["bob"], None);
    assert_eq!(log.told("bob").len(), 2);
    log.unsay(1, "ann", false, None);
    assert_eq!((log.told("bob"), log.told("ann")), (vec![], vec![("mention", false)]));
}

#[test]
fn who_assigns_is_told_how_it_goes() {
    let mut log = Log::with_members(&["ann", "bob", "cem"]);
    log.assign(1, "bob", "ann");
    log.reassign(1, Some("in_progress"), None, "bob");
    log.reassign(1, Some("in_progress"), None, "bob");
    log.reassign(1, Some("open"), None, "ann");
    assert_eq!((log.told("ann"), log.told("bob")), (vec![("status", false)], vec![("assignment", false)]));
    // Ann had assigned it; now it is hers, which says more.
    log.reassign(1, Some("in_progress"), Some("ann"), "cem");
    assert_eq!(log.told("ann"), [("status", false), ("assignment", false)]);
    log.reassign(1, Some("dismissed"), None, "ann");
    assert_eq!(log.told("cem"), [("status", false)]);
    log.unassign(1, "cem", false);
    assert_eq!((log.told("ann"), log.told("bob"), log.told("cem")), (vec![], vec![], vec![]));
}

#[test]
fn what_is_read_is_what_there_was() {
    let mut log = Log::with_members(&["bob"]);
    for n in 1..=3 {
        log.say(n, None, "ann", &["bob"]);
    }
    let ids_of = |log: &Log| -> Vec<String> {
        let told = &log.collaboration().notifications[&(TENANT.to_owned(), "bob".to_owned())];
        told.iter().map(|told| told.id.clone()).collect()
    };
    let known = ids_of(&log);
    assert_eq!(said(&log.read("bob", Some(vec![id(1)]))), (404, "Notification not found"));
    assert_eq!(log.read("eve", Some(known.clone())).status, 404);
    assert_eq!(log.read("bob", Some(vec![known[1].clone(), id(1)])).status, 200);
    assert_eq!(log.told("bob"), [("mention", false), ("mention", true), ("mention", false)]);
    assert_eq!(log.read("bob", None).status, 200);
    log.say(4, None, "ann", &["bob"]);
    assert_eq!(log.told("bob"), [("mention", true), ("mention", true), ("mention", true), ("mention", false)]);
    let told = &log.collaboration().notifications[&(TENANT.to_owned(), "bob".to_owned())];
    assert_eq!((told[1].read_at, told[0].read_at), (Some(at(7)), Some(at(8))), "the first reading counts");
    assert_eq!(log.read("nobody", None).status, 200);
}

#[test]
fn the_newest_thousand_are_kept() {
    let mut log = Log::with_members(&["bob"]);
    for n in 1..=1_002 {
        log.say_of(TRACE, n, None, "ann", &["bob"]);
    }
    let told = &log.collaboration().notifications[&(TENANT.to_owned(), "bob".to_owned())];
    assert_eq!(
        (told.len(), told[0].comment_id.as_ref(), told[999].comment_id.as_ref()),
        (1_000, Some(&id(3)), Some(&id(1_002)))
    );
}

#[test]
fn a_discussion_ends_with_its_trace() {
    let mut log = Log::with_members(&["bob"]);
    log.say(1, None, "ann", &["bob"]);
    log.assign(2, "bob", "ann");
    log.say_of(OTHER_TRACE, 3, None, "ann", &["bob"]);
    log.close(TRACE);
    log.close(TRACE);
    assert_eq!(log.told("bob"), [("mention", false)], "of the other trace");
    assert_eq!((log.comment(1), log.comment(3).is_some()), (None, true));
    assert!(log.collaboration().assignments.is_empty());
    assert_eq!(said(&log.say(4, None, "ann", &[])), (404, "Trace not found"));
    assert_eq!(said(&log.assign(5, "bob", "ann")), (404, "Trace not found"));
    assert_eq!(said(&log.say_again(1, "ann", &[], None)), (404, "Comment not found"));
    assert_eq!(log.told("bob").len(), 1);
}

#[test]
fn erased_text_changes_no_outcome_of_a_discussion() {
    let mut log = Log::with_members(&["bob"]);
    log.say(1, None, "ann", &["bob"]);
    log.say(2, Some(1), "bob", &[]);
    log.say_again(1, "ann", &[], Some(1));
    log.assign(3, "bob", "ann");
    log.unsay(1, "ann", false, None);
    let (before, told) = (log.fold.resources(None).outcomes, log.told("ann"));
    log.erase();
    assert_eq!(log.fold.resources(None).outcomes, before);
    assert_eq!(log.told("ann"), told);
    assert_eq!(log.comment(1).unwrap().body.as_deref(), Some(""), "nothing is lost of what is deleted");
    assert_eq!((log.comment(2).unwrap().body, log.assignment(3).note), (None, None));
}
