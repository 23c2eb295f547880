//! "Commands on resources" and "Skills".

use schemas::events::{SkillChanged, SkillContent, SkillCreated, SkillDeleted};
use schemas::{Event, codec, ids};

use super::*;
use crate::resources::{Outcome, Resources, SkillVersion};

const SKILL: &str = "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01";

fn content(description: &str) -> SkillContent {
    SkillContent { user_id: "u".to_owned(), description: Some(description.to_owned()), ..SkillContent::default() }
}

impl Log {
    fn skill_content(&self, id: Uuid, content: &SkillContent) -> Sealed {
        sealing::seal(&self.key, id, &codec::encode("skill_content", content).unwrap()).unwrap()
    }

    fn command(&mut self, id: Uuid, event: &Event) -> Outcome {
        self.append(id, event);
        self.resources().outcomes[&id].clone()
    }

    fn create(&mut self, content: &SkillContent) -> Outcome {
        let id = ids::event_id();
        let content = self.skill_content(id, content);
        self.command(id, &Event::SkillCreated(SkillCreated { skill_id: SKILL.to_owned(), content }))
    }

    fn change(&mut self, if_match: Option<i64>, restores: Option<i64>, content: &SkillContent) -> Outcome {
        let id = ids::event_id();
        let content = self.skill_content(id, content);
        let changed = SkillChanged { skill_id: SKILL.to_owned(), if_match, restores, content };
        self.command(id, &Event::SkillChanged(changed))
    }

    fn end(&mut self, if_match: Option<i64>) -> Outcome {
        let deleted = SkillDeleted { skill_id: SKILL.to_owned(), if_match };
        self.command(ids::event_id(), &Event::SkillDeleted(deleted))
    }

    fn resources(&self) -> Resources {
        self.fold.resources(None)
    }

    fn versions(&self) -> Vec<SkillVersion> {
        self.resources().skills[&(TENANT.to_owned(), SKILL.to_owned())].versions.clone()
    }
}

fn outcome(outcome: Outcome) -> (i16, Option<i64>, Option<String>) {
    (outcome.status, outcome.version, outcome.reason)
}

#[test]
fn a_version_is_the_one_before_but_for_what_is_given() {
    let mut log = Log::new();
    assert_eq!(log.change(None, None, &content("x")).status, 404);
    let first = SkillContent { name: Some("n".to_owned()), tags: Some(vec!["t".to_owned()]), ..content("one") };
    assert_eq!(outcome(log.create(&first)), (201, Some(1), None));
    assert_eq!(log.create(&first).status, 409);
    assert_eq!(outcome(log.change(None, None, &content("two"))), (200, Some(2), None));
    let by = SkillContent { user_id: "v".to_owned(), ..SkillContent::default() };
    assert_eq!(outcome(log.change(Some(2), Some(1), &by)), (200, Some(3), None));
    let versions = log.versions();
    let said: Vec<&str> = versions.iter().map(|version| version.description.as_str()).collect();
    assert_eq!(said, ["one", "two", "one"]);
    let last = &versions[2];
    assert_eq!((last.restores, last.created_by.as_str(), last.name.as_str()), (Some(1), "v", "n"));
    assert_eq!((last.definition.as_str(), last.tags.len(), last.is_public), ("{}", 1, false));
}

#[test]
fn a_command_is_refused_with_its_reason() {
    let mut log = Log::new();
    log.create(&content("one"));
    let stale = "The skill is at version 1, not at 2 as If-Match says".to_owned();
    assert_eq!(outcome(log.change(Some(2), None, &content("x"))), (412, Some(1), Some(stale.clone())));
    assert_eq!(outcome(log.end(Some(2))), (412, Some(1), Some(stale)));
    for version in [0, -1, 2, i64::MAX, i64::MIN] {
        assert_eq!(log.change(None, Some(version), &content("x")).status, 404, "{version}");
    }
    assert_eq!(outcome(log.end(Some(1))), (204, None, None));
    assert_eq!(outcome(log.end(None)), (404, None, Some("Skill not found".to_owned())));
    assert!(log.resources().skills.is_empty());
}

#[test]
fn the_same_command_again_changes_nothing() {
    let mut log = Log::new();
    log.create(&content("one"));
    let id = ids::event_id();
    for text in ["two", "three"] {
        let content = log.skill_content(id, &content(text));
        let changed = SkillChanged { skill_id: SKILL.to_owned(), if_match: None, restores: None, content };
        assert_eq!(log.command(id, &Event::SkillChanged(changed)).version, Some(2));
    }
    assert_eq!(log.versions().last().unwrap().description, "two");
}

#[test]
fn erased_content_changes_no_outcome() {
    let mut log = Log::new();
    log.create(&content("one"));
    log.change(Some(1), None, &content("two"));
    log.change(Some(1), None, &content("three"));
    log.end(None);
    let before = log.resources().outcomes;
    log.erase();
    assert_eq!(log.resources().outcomes, before);
}
