//! The workspace's resources: commands decided one after the other, by the words of docs/SEMANTICS.md.

mod api_keys;
mod collaboration;
mod datasets;
mod memory;
mod plans;
mod prompts;
mod rows;
mod skills;
mod tapes;

use std::collections::BTreeMap;

use schemas::Event;
use uuid::Uuid;

pub use api_keys::{ApiKey, Member, Name};
pub use collaboration::{Assignment, Collaboration, Comment, Notification};
pub use datasets::{Dataset, DatasetItem, DatasetVersion, ItemState};
pub use memory::Memory;
pub use plans::PlanChange;
pub use prompts::{Prompt, PromptVersion};
pub use rows::ResourceRows;
pub use skills::{Skill, SkillVersion};
pub use tapes::{Tape, Tapes};

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: i16,
    pub version: Option<i64>,
    /// Where the command does not say which resource it is about.
    pub resource: Option<Uuid>,
    pub reason: Option<String>,
}

/// A command as the log has it.
pub struct Command<'a> {
    pub tenant: &'a str,
    pub id: Uuid,
    /// Microseconds since 1970.
    pub time: i64,
    pub event: &'a Event,
    /// As [`Open`], of what is sealed under another name than the command's subject.
    pub open_as: &'a dyn Fn(&str, &schemas::sealing::Sealed) -> Option<Vec<u8>>,
}

/// The plain bytes of a sealed part; none: its key is erased.
pub type Open<'a> = &'a dyn Fn(&schemas::sealing::Sealed) -> Option<Vec<u8>>;

#[derive(Default)]
pub struct Resources {
    pub outcomes: BTreeMap<Uuid, Outcome>,
    /// By (tenant, id).
    pub skills: BTreeMap<(String, String), Skill>,
    /// By (tenant, id).
    pub prompts: BTreeMap<(String, String), Prompt>,
    /// By (tenant, id).
    pub memory: BTreeMap<(String, String), Memory>,
    /// By (tenant, hash of the key): the id.
    memory_ids: BTreeMap<(String, [u8; 32]), String>,
    /// By (tenant, id): those in force.
    pub api_keys: BTreeMap<(String, String), ApiKey>,
    /// By (tenant, user).
    pub members: BTreeMap<(String, String), Member>,
    /// By (tenant, id).
    pub datasets: BTreeMap<(String, String), Dataset>,
    /// By tenant, in log order.
    pub plan_changes: BTreeMap<String, Vec<PlanChange>>,
    pub collaboration: Collaboration,
    pub tapes: Tapes,
}

impl Resources {
    pub fn apply(&mut self, command: &Command<'_>, open: Open<'_>) {
        self.note(command);
        if self.outcomes.contains_key(&command.id) {
            return;
        }
        let outcome = match command.event {
            Event::SkillCreated(event) => self.create_skill(command, event, open),
            Event::SkillChanged(event) => self.change_skill(command, event, open),
            Event::SkillDeleted(event) => self.delete_skill(command, event),
            Event::MemoryStored(event) => self.store_memory(command, event, open),
            Event::MemoryDeleted(event) => self.delete_memory(command, event),
            Event::PlanChanged(event) => self.change_plan(command, event),
            Event::PromptCreated(event) => self.create_prompt(command, event, open),
            Event::PromptVersionAdded(event) => self.add_prompt_version(command, event, open),
            Event::PromptLabelled(event) => self.label_prompt(command, event),
            Event::PromptDeleted(event) => self.delete_prompt(command, event),
            Event::ApiKeyIssued(event) => self.issue_api_key(command, event, open),
            Event::ApiKeyChanged(event) => self.change_api_key(command, event, open),
            Event::ApiKeyWithdrawn(event) => self.withdraw_api_key(command, event),
            Event::DatasetCreated(event) => self.create_dataset(command, event, open),
            Event::DatasetChanged(event) => self.change_dataset(command, event, open),
            Event::DatasetDeleted(event) => self.delete_dataset(command, event),
            Event::DatasetItemAdded(event) => self.add_dataset_item(command, event),
            Event::DatasetItemChanged(event) => self.change_dataset_item(command, event),
            Event::DatasetItemDeleted(event) => self.delete_dataset_item(command, event),
            Event::DatasetItemsImported(event) => self.import_dataset_items(command, event),
            Event::DiscussionClosed(event) => return self.close_discussion(command.tenant, &event.trace_id),
            Event::CommentCreated(event) => self.create_comment(command, event, open),
            Event::CommentChanged(event) => self.change_comment(command, event, open),
            Event::CommentDeleted(event) => self.delete_comment(command, event),
            Event::AssignmentCreated(event) => self.create_assignment(command, event, open),
            Event::AssignmentChanged(event) => self.change_assignment(command, event, open),
            Event::AssignmentDeleted(event) => self.delete_assignment(command, event),
            Event::NotificationsRead(event) => self.read_notifications(command, event),
            Event::TapePartRecorded(event) => self.record_tape_part(command, event, open),
            Event::TapePublished(event) => self.publish_tape(command, event, open),
            Event::TapeChanged(event) => self.change_tape(command, event, open),
            Event::TapeDeleted(event) => self.delete_tape(command, event),
            Event::TapeFeatured(event) => self.feature_tape(command, event),
            Event::TapeViewed(event) => return self.view_tape(command, event),
            Event::TapesErased(event) => return self.erase_tapes(command.tenant, event),
            _ => return,
        };
        self.outcomes.insert(command.id, outcome);
    }
}

fn done(status: i16, version: Option<i64>) -> Outcome {
    Outcome { status, version, resource: None, reason: None }
}

fn refused(status: i16, version: Option<i64>, reason: String) -> Outcome {
    Outcome { status, version, resource: None, reason: Some(reason) }
}

/// `if_match` is not the version that there is.
fn stale(what: &str, asked: Option<i64>, current: i64) -> Option<Outcome> {
    let asked = asked.filter(|asked| *asked != current)?;
    let reason = format!("The {what} is at version {current}, not at {asked} as If-Match says");
    Some(refused(412, Some(current), reason))
}
