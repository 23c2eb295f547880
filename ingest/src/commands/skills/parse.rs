//! A request's body → what it says about a skill, or all of its faults.

use runtime::Problem;
use schemas::events::SkillContent;

use super::definition;
use crate::json::{Reader, object};

const LONGEST_NAME: usize = 256;
const LONGEST_DESCRIPTION: usize = 16_384;
const LONGEST_SCOPE: usize = 64;
const MOST_TAGS: usize = 64;
const LONGEST_TAG: usize = 200;
const DEFAULT_SCOPE: &str = "global";

pub fn created(body: &[u8], user: &str) -> Result<SkillContent, Problem> {
    object(body, |reader| {
        if reader.fields.get("name").is_none() {
            reader.fault("name", "is missing");
        }
        let content = content(reader, user);
        SkillContent { scope: Some(content.scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned())), ..content }
    })
}

pub fn changed(body: &[u8], user: &str) -> Result<SkillContent, Problem> {
    object(body, |reader| {
        let content = content(reader, user);
        if reader.faults.is_empty() && content == (SkillContent { user_id: user.to_owned(), ..Default::default() }) {
            reader
                .faults
                .push("the body changes none of name, description, definition, scope, tags, is_public".to_owned());
        }
        content
    })
}

pub fn restored(body: &[u8]) -> Result<i64, Problem> {
    object(body, |reader| {
        if reader.fields.get("version").is_none() {
            reader.fault("version", "is missing");
        }
        reader.whole("version", 1..=i64::MAX).unwrap_or_default()
    })
}

fn content(reader: &mut Reader<'_, '_>, user: &str) -> SkillContent {
    let content = SkillContent {
        user_id: user.to_owned(),
        name: reader.name("name", LONGEST_NAME),
        description: reader.name("description", LONGEST_DESCRIPTION),
        definition: definition::read(reader),
        scope: reader.name("scope", LONGEST_SCOPE),
        tags: reader.texts("tags", MOST_TAGS, LONGEST_TAG),
        is_public: reader.boolean("is_public"),
    };
    for (field, value) in [("name", &content.name), ("scope", &content.scope)] {
        if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
            reader.fault(field, "is empty");
        }
    }
    if let Some(at) = content.tags.iter().flatten().position(String::is_empty) {
        reader.fault(&format!("tags[{at}]"), "is empty");
    }
    SkillContent { tags: content.tags.map(distinct), ..content }
}

/// In the order of their first appearance.
fn distinct(tags: Vec<String>) -> Vec<String> {
    tags.into_iter().fold(Vec::new(), |mut kept, tag| {
        if !kept.contains(&tag) {
            kept.push(tag);
        }
        kept
    })
}
