//! "Notifications".

use std::collections::BTreeSet;

use schemas::events::NotificationsRead;
use schemas::ids;

use super::super::{Command, Outcome, Resources, done, refused};
use super::Collaboration;

const MOST_OF_A_USER: usize = 1_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub id: String,
    pub kind: &'static str,
    pub trace_id: String,
    pub comment_id: Option<String>,
    pub assignment_id: Option<String>,
    pub created_by: String,
    pub created_at: i64,
    pub read_at: Option<i64>,
}

pub(super) struct About<'a> {
    pub trace_id: &'a str,
    pub comment_id: Option<&'a str>,
    pub assignment_id: Option<&'a str>,
}

impl Collaboration {
    pub(super) fn forget(&mut self, tenant: &str, is_gone: impl Fn(&Notification) -> bool) {
        for ((of, _), told) in &mut self.notifications {
            if of == tenant {
                told.retain(|notification| !is_gone(notification));
            }
        }
    }
}

impl Resources {
    pub(super) fn tell(
        &mut self,
        command: &Command<'_>,
        by: &str,
        about: &About<'_>,
        told: Vec<(String, &'static str)>,
    ) {
        let mut already = BTreeSet::from([by.to_owned()]);
        for (user, kind) in told {
            if !already.insert(user.clone()) {
                continue;
            }
            let notification = Notification {
                id: ids::notification_id(command.id, &user).to_string(),
                kind,
                trace_id: about.trace_id.to_owned(),
                comment_id: about.comment_id.map(str::to_owned),
                assignment_id: about.assignment_id.map(str::to_owned),
                created_by: by.to_owned(),
                created_at: command.time,
                read_at: None,
            };
            let kept = self.collaboration.notifications.entry((command.tenant.to_owned(), user)).or_default();
            kept.push(notification);
            if kept.len() > MOST_OF_A_USER {
                kept.remove(0);
            }
        }
    }

    pub(crate) fn read_notifications(&mut self, command: &Command<'_>, event: &NotificationsRead) -> Outcome {
        let key = (command.tenant.to_owned(), event.user_id.clone());
        let mut told: Vec<&mut Notification> =
            self.collaboration.notifications.get_mut(&key).into_iter().flatten().collect();
        if let Some(ids) = &event.ids {
            told.retain(|notification| ids.contains(&notification.id));
            if told.is_empty() {
                return refused(404, None, "Notification not found".to_owned());
            }
        }
        for notification in told {
            notification.read_at.get_or_insert(command.time);
        }
        done(200, None)
    }
}
