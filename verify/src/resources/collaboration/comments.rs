//! "Comments".

use schemas::codec;
use schemas::events::{CommentChanged, CommentContent, CommentCreated, CommentDeleted};
use schemas::sealing::Sealed;

use super::super::{Command, Open, Outcome, Resources, done, refused, stale};
use super::Collaboration;
use super::notifications::About;

const MOST_COMMENTS: usize = 10_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    pub trace_id: String,
    pub span_id: Option<String>,
    pub parent_id: Option<String>,
    pub reply_to_id: Option<String>,
    pub version: i64,
    /// None: erased.
    pub body: Option<String>,
    pub mentions: Vec<String>,
    /// It stands for its replies.
    pub is_deleted: bool,
    pub created_by: String,
    pub created_at: i64,
    pub edited_at: Option<i64>,
}

impl Collaboration {
    /// How many comments there are in the thread that one begins, beside it.
    fn replies(&self, tenant: &str, trace_id: &str, id: &str) -> usize {
        let discussion = self.discussions.get(&(tenant.to_owned(), trace_id.to_owned()));
        let others = discussion.into_iter().flat_map(|discussion| &discussion.comments);
        let parents = others.filter_map(|other| self.comments.get(&(tenant.to_owned(), other.clone())));
        parents.filter(|other| other.parent_id.as_deref() == Some(id)).count()
    }

    fn living(&self, tenant: &str, id: &str) -> Option<&Comment> {
        self.comments.get(&(tenant.to_owned(), id.to_owned())).filter(|comment| !comment.is_deleted)
    }

    fn remove(&mut self, tenant: &str, trace_id: &str, id: &str) {
        self.comments.remove(&(tenant.to_owned(), id.to_owned()));
        self.discussion(tenant, trace_id).comments.remove(id);
    }
}

impl Resources {
    pub(crate) fn create_comment(&mut self, command: &Command<'_>, event: &CommentCreated, open: Open<'_>) -> Outcome {
        let (tenant, said) = (command.tenant, &mut self.collaboration);
        let key = (tenant.to_owned(), event.comment_id.clone());
        if said.comments.contains_key(&key) {
            return refused(409, None, "A comment with this id exists".to_owned());
        }
        if said.discussion(tenant, &event.trace_id).is_closed {
            return not_found("Trace");
        }
        let mut comment = Comment {
            trace_id: event.trace_id.clone(),
            span_id: event.span_id.clone(),
            parent_id: None,
            reply_to_id: event.reply_to_id.clone(),
            version: 1,
            body: body(&event.content, open),
            mentions: event.mentions.clone(),
            is_deleted: false,
            created_by: event.by.clone(),
            created_at: command.time,
            edited_at: None,
        };
        let mut answered_author = None;
        if let Some(id) = &event.reply_to_id {
            let answered = said.living(tenant, id).filter(|answered| answered.trace_id == event.trace_id);
            let Some(answered) = answered else { return not_found("Parent comment") };
            comment.parent_id = Some(answered.parent_id.clone().unwrap_or_else(|| id.clone()));
            comment.span_id = answered.span_id.clone();
            answered_author = Some(answered.created_by.clone());
        }
        let others = &mut said.discussion(tenant, &event.trace_id).comments;
        if others.len() >= MOST_COMMENTS {
            return refused(409, None, "A trace has at most 10000 comments".to_owned());
        }
        others.insert(event.comment_id.clone());
        said.comments.insert(key, comment);
        let mut told = self.mentioned(tenant, &event.mentions);
        told.extend(answered_author.map(|author| (author, "reply")));
        let about = About { trace_id: &event.trace_id, comment_id: Some(&event.comment_id), assignment_id: None };
        self.tell(command, &event.by, &about, told);
        done(201, Some(1))
    }

    pub(crate) fn change_comment(&mut self, command: &Command<'_>, event: &CommentChanged, open: Open<'_>) -> Outcome {
        let tenant = command.tenant;
        let Some(comment) = self.collaboration.living(tenant, &event.comment_id).cloned() else {
            return not_found("Comment");
        };
        if comment.created_by != event.by {
            return refused(403, None, "Only its author changes a comment".to_owned());
        }
        if let Some(stale) = stale("comment", event.if_match, comment.version) {
            return stale;
        }
        let new: Vec<String> = event.mentions.iter().filter(|user| !comment.mentions.contains(user)).cloned().collect();
        let about = About { trace_id: &comment.trace_id, comment_id: Some(&event.comment_id), assignment_id: None };
        let told = self.mentioned(tenant, &new);
        self.tell(command, &event.by, &about, told);
        let version = comment.version + 1;
        let changed = Comment {
            version,
            body: body(&event.content, open),
            mentions: event.mentions.clone(),
            edited_at: Some(command.time),
            ..comment
        };
        self.collaboration.comments.insert((tenant.to_owned(), event.comment_id.clone()), changed);
        done(200, Some(version))
    }

    pub(crate) fn delete_comment(&mut self, command: &Command<'_>, event: &CommentDeleted) -> Outcome {
        let (tenant, said) = (command.tenant, &mut self.collaboration);
        let Some(comment) = said.living(tenant, &event.comment_id).cloned() else { return not_found("Comment") };
        if comment.created_by != event.by && !event.moderates {
            let reason = "Only its author, an owner or an admin deletes a comment";
            return refused(403, None, reason.to_owned());
        }
        if let Some(stale) = stale("comment", event.if_match, comment.version) {
            return stale;
        }
        if said.replies(tenant, &comment.trace_id, &event.comment_id) > 0 {
            let key = (tenant.to_owned(), event.comment_id.clone());
            let placeholder = Comment { body: Some(String::new()), mentions: Vec::new(), is_deleted: true, ..comment };
            said.comments.insert(key, placeholder);
        } else {
            said.remove(tenant, &comment.trace_id, &event.comment_id);
            if let Some(parent) = comment.parent_id
                && said.living(tenant, &parent).is_none()
                && said.replies(tenant, &comment.trace_id, &parent) == 0
            {
                said.remove(tenant, &comment.trace_id, &parent);
            }
        }
        said.forget(tenant, |told| told.comment_id.as_deref() == Some(event.comment_id.as_str()));
        done(204, None)
    }

    /// Those who are members.
    fn mentioned(&self, tenant: &str, users: &[String]) -> Vec<(String, &'static str)> {
        let members = users.iter().filter(|user| self.is_member(tenant, user));
        members.map(|user| (user.clone(), "mention")).collect()
    }
}

fn body(sealed: &Sealed, open: Open<'_>) -> Option<String> {
    let content: CommentContent = codec::decode("comment_content", &open(sealed)?).ok()?;
    Some(content.body)
}

fn not_found(what: &str) -> Outcome {
    refused(404, None, format!("{what} not found"))
}
