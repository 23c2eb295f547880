//! "Skills".

use schemas::codec;
use schemas::events::{SkillChanged, SkillContent, SkillCreated, SkillDeleted};
use schemas::sealing::Sealed;

use super::{Command, Open, Outcome, Resources, done, refused, stale};

#[derive(Clone, Debug, PartialEq)]
pub struct Skill {
    /// From the first to the current one.
    pub versions: Vec<SkillVersion>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SkillVersion {
    /// Some of what it is made of is erased, so that it cannot be computed.
    pub is_lost: bool,
    pub restores: Option<i64>,
    pub name: String,
    pub description: String,
    pub definition: String,
    pub scope: String,
    pub tags: Vec<String>,
    pub is_public: bool,
    pub created_by: String,
    pub created_at: i64,
}

impl Resources {
    pub(super) fn create_skill(&mut self, command: &Command<'_>, event: &SkillCreated, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.skill_id.clone());
        if self.skills.contains_key(&key) {
            return refused(409, None, "A skill with this id exists".to_owned());
        }
        let blank = SkillVersion {
            is_lost: false,
            restores: None,
            name: String::new(),
            description: String::new(),
            definition: "{}".to_owned(),
            scope: String::new(),
            tags: Vec::new(),
            is_public: false,
            created_by: String::new(),
            created_at: 0,
        };
        let first = next(blank, command, None, content(&event.content, open));
        self.skills.insert(key, Skill { versions: vec![first] });
        done(201, Some(1))
    }

    pub(super) fn change_skill(&mut self, command: &Command<'_>, event: &SkillChanged, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.skill_id.clone());
        let Some(skill) = self.skills.get_mut(&key) else { return not_found() };
        let current = skill.versions.len() as i64;
        if let Some(stale) = stale("skill", event.if_match, current) {
            return stale;
        }
        let base = event.restores.unwrap_or(current);
        let at = usize::try_from(base).ok().and_then(|base| base.checked_sub(1));
        let Some(base) = at.and_then(|at| skill.versions.get(at)).cloned() else {
            return refused(404, None, format!("Version {base} of the skill not found"));
        };
        skill.versions.push(next(base, command, event.restores, content(&event.content, open)));
        done(200, Some(current + 1))
    }

    pub(super) fn delete_skill(&mut self, command: &Command<'_>, event: &SkillDeleted) -> Outcome {
        let key = (command.tenant.to_owned(), event.skill_id.clone());
        let Some(skill) = self.skills.get(&key) else { return not_found() };
        if let Some(stale) = stale("skill", event.if_match, skill.versions.len() as i64) {
            return stale;
        }
        self.skills.remove(&key);
        done(204, None)
    }
}

fn next(
    base: SkillVersion,
    command: &Command<'_>,
    restores: Option<i64>,
    content: Option<SkillContent>,
) -> SkillVersion {
    let is_lost = base.is_lost || content.is_none();
    let content = content.unwrap_or_default();
    SkillVersion {
        is_lost,
        restores,
        name: content.name.unwrap_or(base.name),
        description: content.description.unwrap_or(base.description),
        definition: content.definition.unwrap_or(base.definition),
        scope: content.scope.unwrap_or(base.scope),
        tags: content.tags.unwrap_or(base.tags),
        is_public: content.is_public.unwrap_or(base.is_public),
        created_by: content.user_id,
        created_at: command.time,
    }
}

fn content(sealed: &Sealed, open: Open<'_>) -> Option<SkillContent> {
    codec::decode("skill_content", &open(sealed)?).ok()
}

fn not_found() -> Outcome {
    refused(404, None, "Skill not found".to_owned())
}
