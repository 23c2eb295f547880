//! "Comments", "Assignments" and "Notifications".

mod assignments;
mod comments;
mod notifications;

use std::collections::{BTreeMap, BTreeSet};

pub use assignments::Assignment;
pub use comments::Comment;
pub use notifications::Notification;

use super::Resources;

/// By (tenant, id), but for what says otherwise.
#[derive(Default)]
pub struct Collaboration {
    pub comments: BTreeMap<(String, String), Comment>,
    pub assignments: BTreeMap<(String, String), Assignment>,
    /// By (tenant, user): from the oldest to the newest one.
    pub notifications: BTreeMap<(String, String), Vec<Notification>>,
    /// By (tenant, trace).
    pub discussions: BTreeMap<(String, String), Discussion>,
}

/// What is said of a trace, by ids.
#[derive(Default)]
pub struct Discussion {
    pub comments: BTreeSet<String>,
    pub assignments: BTreeSet<String>,
    /// Nothing is said of it any more.
    pub is_closed: bool,
}

impl Collaboration {
    fn discussion(&mut self, tenant: &str, trace_id: &str) -> &mut Discussion {
        self.discussions.entry((tenant.to_owned(), trace_id.to_owned())).or_default()
    }
}

impl Resources {
    pub(super) fn close_discussion(&mut self, tenant: &str, trace_id: &str) {
        let said = &mut self.collaboration;
        let closed = Discussion { is_closed: true, ..Discussion::default() };
        let ended = std::mem::replace(said.discussion(tenant, trace_id), closed);
        for id in ended.comments {
            said.comments.remove(&(tenant.to_owned(), id));
        }
        for id in ended.assignments {
            said.assignments.remove(&(tenant.to_owned(), id));
        }
        said.forget(tenant, |notification| notification.trace_id == trace_id);
    }
}
