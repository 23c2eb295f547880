//! "Prompts".

use std::collections::{BTreeMap, BTreeSet};

use schemas::codec;
use schemas::events::{
    PromptContent, PromptCreated, PromptDeleted, PromptLabelled, PromptVersionAdded, PromptVersionContent,
};
use schemas::sealing::Sealed;

use super::{Command, Open, Outcome, Resources, done, refused, stale};

const MOST_LABELS: usize = 50;

#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    pub name_hash: [u8; 32],
    /// None: erased.
    pub content: Option<PromptContent>,
    /// From the first to the newest one.
    pub versions: Vec<PromptVersion>,
    /// Label → version.
    pub labels: BTreeMap<String, i64>,
    pub updated_at: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PromptVersion {
    /// None: erased.
    pub content: Option<PromptVersionContent>,
    pub created_at: i64,
}

impl Prompt {
    fn latest(&self) -> i64 {
        self.versions.len() as i64
    }

    fn label(&mut self, labels: &[String], version: i64) -> Result<(), Outcome> {
        let all: BTreeSet<&String> = self.labels.keys().chain(labels).collect();
        if all.len() > MOST_LABELS {
            return Err(refused(409, None, "A prompt has at most 50 labels".to_owned()));
        }
        self.labels.extend(labels.iter().map(|label| (label.clone(), version)));
        Ok(())
    }
}

impl Resources {
    pub(super) fn create_prompt(&mut self, command: &Command<'_>, event: &PromptCreated, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.prompt_id.clone());
        if self.prompts.contains_key(&key) {
            return refused(409, None, "A prompt with this id exists".to_owned());
        }
        let name_hash = event.name_hash.into_array();
        let of_tenant = self.prompts.iter().filter(|((tenant, _), _)| tenant == command.tenant);
        if of_tenant.into_iter().any(|(_, prompt)| prompt.name_hash == name_hash) {
            return refused(409, None, "A prompt of this name exists".to_owned());
        }
        let version = content(&event.version, "prompt_version_content", open);
        let prompt = Prompt {
            name_hash,
            content: content(&event.content, "prompt_content", open),
            versions: vec![PromptVersion { content: version, created_at: command.time }],
            labels: event.labels.iter().map(|label| (label.clone(), 1)).collect(),
            updated_at: command.time,
        };
        self.prompts.insert(key, prompt);
        done(201, Some(1))
    }

    pub(super) fn add_prompt_version(
        &mut self,
        command: &Command<'_>,
        event: &PromptVersionAdded,
        open: Open<'_>,
    ) -> Outcome {
        let key = (command.tenant.to_owned(), event.prompt_id.clone());
        let Some(prompt) = self.prompts.get_mut(&key) else { return not_found() };
        if let Some(stale) = stale("prompt", event.if_match, prompt.latest()) {
            return stale;
        }
        let version = prompt.latest() + 1;
        if let Err(full) = prompt.label(&event.labels, version) {
            return full;
        }
        let content = content(&event.version, "prompt_version_content", open);
        prompt.versions.push(PromptVersion { content, created_at: command.time });
        prompt.updated_at = command.time;
        done(201, Some(version))
    }

    pub(super) fn label_prompt(&mut self, command: &Command<'_>, event: &PromptLabelled) -> Outcome {
        let key = (command.tenant.to_owned(), event.prompt_id.clone());
        let Some(prompt) = self.prompts.get_mut(&key) else { return not_found() };
        if let Some(version) = event.version
            && (version < 1 || version > prompt.latest())
        {
            return refused(404, None, format!("Version {version} of the prompt not found"));
        }
        let label = &event.label;
        let current = prompt.labels.get(label).copied().unwrap_or(0);
        if let Some(asked) = event.from_version
            && asked != current
        {
            let (current, asked) = (place(current), place(asked));
            let reason = format!("Label {label} points at {current}, not at {asked} as from_version says");
            return refused(412, None, reason);
        }
        let outcome = match event.version {
            Some(version) => match prompt.label(std::slice::from_ref(label), version) {
                Ok(()) => done(200, Some(prompt.latest())),
                Err(full) => return full,
            },
            None if prompt.labels.remove(label).is_some() => done(204, None),
            None => return refused(404, None, format!("Label {label} of the prompt not found")),
        };
        prompt.updated_at = command.time;
        outcome
    }

    pub(super) fn delete_prompt(&mut self, command: &Command<'_>, event: &PromptDeleted) -> Outcome {
        let key = (command.tenant.to_owned(), event.prompt_id.clone());
        let Some(prompt) = self.prompts.get(&key) else { return not_found() };
        if let Some(stale) = stale("prompt", event.if_match, prompt.latest()) {
            return stale;
        }
        self.prompts.remove(&key);
        done(204, None)
    }
}

fn content<T: serde::de::DeserializeOwned>(sealed: &Sealed, schema: &'static str, open: Open<'_>) -> Option<T> {
    codec::decode(schema, &open(sealed)?).ok()
}

fn place(version: i64) -> String {
    if version == 0 { "nothing".to_owned() } else { format!("version {version}") }
}

fn not_found() -> Outcome {
    refused(404, None, "Prompt not found".to_owned())
}
