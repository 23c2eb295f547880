//! "Prompts".

use schemas::events::{
    PromptContent, PromptCreated, PromptDeleted, PromptLabelled, PromptVersionAdded, PromptVersionContent,
};

use super::*;
use crate::resources::{Outcome, Prompt};

/// Its owner in the log is the trace's here: content is sealed under the one key that [`Log`] has.
const PROMPT: &str = TRACE;
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

impl Log {
    fn create_prompt(&mut self, id: &str, name: &str, labels: &[&str]) -> Outcome {
        let event = ids::event_id();
        let content = PromptContent { name: name.to_owned(), description: None };
        let created = PromptCreated {
            prompt_id: id.to_owned(),
            name_hash: ByteArray::new(ids::name_hash("prompt", TENANT, name)),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            content: self.seal(event, "prompt_content", &content),
            version: self.seal(event, "prompt_version_content", &text("1")),
        };
        self.decided(event, &Event::PromptCreated(created))
    }

    fn add_version(&mut self, content: &str, if_match: Option<i64>, labels: &[String]) -> Outcome {
        let event = ids::event_id();
        let version = self.seal(event, "prompt_version_content", &text(content));
        let added = PromptVersionAdded { prompt_id: PROMPT.to_owned(), if_match, labels: labels.to_vec(), version };
        self.decided(event, &Event::PromptVersionAdded(added))
    }

    fn label(&mut self, label: &str, version: Option<i64>, from_version: Option<i64>) -> Outcome {
        let label = label.to_owned();
        let labelled = PromptLabelled { prompt_id: PROMPT.to_owned(), label, version, from_version };
        self.decided(ids::event_id(), &Event::PromptLabelled(labelled))
    }

    fn remove_prompt(&mut self, if_match: Option<i64>) -> Outcome {
        let deleted = PromptDeleted { prompt_id: PROMPT.to_owned(), if_match };
        self.decided(ids::event_id(), &Event::PromptDeleted(deleted))
    }

    fn decided(&mut self, id: Uuid, command: &Event) -> Outcome {
        self.append(id, command);
        self.fold.resources(None).outcomes[&id].clone()
    }

    fn prompt(&self) -> Prompt {
        self.fold.resources(None).prompts[&(TENANT.to_owned(), PROMPT.to_owned())].clone()
    }
}

fn text(content: &str) -> PromptVersionContent {
    PromptVersionContent {
        user_id: "ann".to_owned(),
        content: Some(content.to_owned()),
        ..PromptVersionContent::default()
    }
}

fn is(outcome: Outcome, status: i16, version: Option<i64>) {
    assert_eq!((outcome.status, outcome.version), (status, version), "{outcome:?}");
}

#[test]
fn a_name_is_taken_once_and_free_again() {
    let mut log = Log::new();
    is(log.create_prompt(PROMPT, "greeting", &[]), 201, Some(1));
    is(log.create_prompt(PROMPT, "another", &[]), 409, None);
    assert_eq!(log.create_prompt(OTHER, "greeting", &[]).reason.unwrap(), "A prompt of this name exists");
    is(log.remove_prompt(None), 204, None);
    is(log.create_prompt(OTHER, "greeting", &[]), 201, Some(1));
}

#[test]
fn versions_have_no_gaps_and_never_change() {
    let mut log = Log::new();
    is(log.add_version("2", None, &[]), 404, None);
    log.create_prompt(PROMPT, "greeting", &["a", "b"]);
    is(log.add_version("2", Some(1), &["b".to_owned()]), 201, Some(2));
    is(log.add_version("3", Some(1), &["a".to_owned()]), 412, Some(2));
    is(log.add_version("3", None, &[]), 201, Some(3));
    let prompt = log.prompt();
    let texts: Vec<_> =
        prompt.versions.iter().map(|version| version.content.clone().unwrap().content.unwrap()).collect();
    assert_eq!(texts, ["1", "2", "3"]);
    assert_eq!(prompt.labels, [("a".to_owned(), 1), ("b".to_owned(), 2)].into());
    assert_eq!(prompt.updated_at, prompt.versions[2].created_at);
}

#[test]
fn a_label_moves_where_its_conditions_hold() {
    let mut log = Log::new();
    is(log.label("a", Some(1), None), 404, None);
    log.create_prompt(PROMPT, "greeting", &[]);
    log.add_version("2", None, &[]);
    is(log.label("a", Some(3), Some(0)), 404, None);
    is(log.label("a", Some(1), Some(0)), 200, Some(2));
    let refused = log.label("a", Some(2), Some(0));
    assert_eq!(refused.reason.unwrap(), "Label a points at version 1, not at nothing as from_version says");
    is(log.label("a", Some(2), Some(1)), 200, Some(2));
    is(log.label("a", None, None), 204, None);
    is(log.label("a", None, None), 404, None);
    assert!(log.prompt().labels.is_empty());
}

#[test]
fn a_prompt_has_fifty_labels_at_most() {
    let mut log = Log::new();
    log.create_prompt(PROMPT, "greeting", &[]);
    let labels: Vec<String> = (0..51).map(|n| format!("l{n}")).collect();
    is(log.add_version("2", None, &labels), 409, None);
    is(log.add_version("2", None, &labels[..50]), 201, Some(2));
    is(log.label("l50", Some(1), None), 409, None);
    is(log.label("l0", Some(1), None), 200, Some(2));
    assert_eq!(log.prompt().labels.len(), 50);
}

#[test]
fn an_event_that_comes_again_changes_nothing() {
    let mut log = Log::new();
    log.create_prompt(PROMPT, "greeting", &[]);
    let event = ids::event_id();
    let version = log.seal(event, "prompt_version_content", &text("2"));
    let added = PromptVersionAdded { prompt_id: PROMPT.to_owned(), if_match: None, labels: Vec::new(), version };
    let added = Event::PromptVersionAdded(added);
    assert_eq!(log.decided(event, &added), log.decided(event, &added));
    assert_eq!(log.prompt().versions.len(), 2);
}

#[test]
fn outcomes_outlive_what_was_said() {
    let mut log = Log::new();
    log.create_prompt(PROMPT, "greeting", &["a"]);
    log.add_version("2", None, &["a".to_owned()]);
    log.create_prompt(OTHER, "greeting", &[]);
    let before = log.fold.resources(None).outcomes;
    log.erase();
    assert_eq!(log.fold.resources(None).outcomes, before);
    let prompt = log.prompt();
    assert_eq!((prompt.content, prompt.versions[1].content.clone()), (None, None));
    assert_eq!(prompt.labels, [("a".to_owned(), 2)].into());
}
