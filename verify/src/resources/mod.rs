//! The workspace's resources: commands decided one after the other, by the words of docs/SEMANTICS.md.

mod memory;
mod prompts;
mod rows;
mod skills;

use std::collections::BTreeMap;

use schemas::Event;
use uuid::Uuid;

pub use memory::Memory;
pub use prompts::{Prompt, PromptVersion};
pub use rows::ResourceRows;
pub use skills::{Skill, SkillVersion};

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
}

impl Resources {
    pub fn apply(&mut self, command: &Command<'_>, open: Open<'_>) {
        if self.outcomes.contains_key(&command.id) {
            return;
        }
        let outcome = match command.event {
            Event::SkillCreated(event) => self.create_skill(command, event, open),
            Event::SkillChanged(event) => self.change_skill(command, event, open),
            Event::SkillDeleted(event) => self.delete_skill(command, event),
            Event::MemoryStored(event) => self.store_memory(command, event, open),
            Event::MemoryDeleted(event) => self.delete_memory(command, event),
            Event::PromptCreated(event) => self.create_prompt(command, event, open),
            Event::PromptVersionAdded(event) => self.add_prompt_version(command, event, open),
            Event::PromptLabelled(event) => self.label_prompt(command, event),
            Event::PromptDeleted(event) => self.delete_prompt(command, event),
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
