//! Skills.

use serde_json::{Value, json};
use verify::resources::{Resources, SkillVersion};

use super::{Command, Creation, RESOURCES, fields, has_total, read, same};
use crate::harness::{Client, Random};

fn creation(skill: usize) -> Creation {
    let body = json!({"name": format!("skill {skill}"), "tags": ["a"], "definition": {"tools": ["t"]}});
    Creation { route: "POST /skills", key: format!("skill {skill}"), body }
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(random.below(RESOURCES));
    let if_match = random.percent(30).then(|| random.between(1, 3) as i64);
    match random.below(10) {
        0..3 => creation.into(),
        3..7 => {
            let body = Some(change(random));
            Command { if_match, body, ..Command::about(random, creation, "PATCH /skills/{id}") }
        }
        7 | 8 => {
            let body = Some(json!({"version": random.between(1, 4)}));
            Command { if_match, body, ..Command::about(random, creation, "POST /skills/{id}/restore") }
        }
        _ => Command { if_match, ..Command::about(random, creation, "DELETE /skills/{id}") },
    }
}

fn change(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({"description": format!("text {}", random.below(9))}),
        1 => json!({"tags": ["a", format!("tag {}", random.below(3))], "is_public": random.percent(50)}),
        2 => json!({"definition": {"max_iterations": random.between(1, 9)}, "scope": "project"}),
        _ => json!({"name": format!("name {}", random.below(9))}),
    }
}

pub async fn compare(client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
    let mut living = 0;
    for skill in 0..RESOURCES {
        let id = creation(skill).id(tenant).to_string();
        let path = format!("/api/v1/skills/{id}");
        let expected = resources.skills.get(&(tenant.to_owned(), id));
        let found = read(client, &path, expected.is_some()).await?;
        let versions = read(client, &format!("{path}/versions"), expected.is_some()).await?;
        let (Some(expected), Some(found), Some(versions)) = (expected, found, versions) else { continue };
        living += 1;
        let newest = expected.versions.last().unwrap();
        same_content(&path, &found, newest, expected.versions.len() as i64)?;
        let listed = versions["versions"].as_array().unwrap();
        if listed.len() != expected.versions.len() {
            return Err(format!("{path} has {} versions instead of {}", listed.len(), expected.versions.len()));
        }
        for ((shown, version), number) in listed.iter().rev().zip(&expected.versions).zip(1..) {
            same_content(&path, shown, version, number)?;
        }
    }
    has_total(client, "/api/v1/skills", living).await
}

fn same_content(path: &str, shown: &Value, version: &SkillVersion, number: i64) -> Result<(), String> {
    let SkillVersion { name, description, definition, scope, tags, is_public, .. } = version;
    let definition: Value = serde_json::from_str(definition).unwrap();
    let expected = json!([number, name, description, definition, scope, tags, is_public]);
    let names = ["version", "name", "description", "definition", "scope", "tags", "is_public"];
    same(path, &fields(shown, &names), &expected)
}
