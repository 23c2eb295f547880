//! Skills.

use serde_json::{Value, json};
use verify::resources::SkillVersion;

use super::compared::{self, LIMIT, read_all, time};
use super::{Body, Command, Compared, Creation, RESOURCES};
use crate::harness::Random;

pub fn creation(skill: usize) -> Creation {
    let body = json!({"name": format!("skill {skill}"), "tags": ["a"], "definition": {"tools": ["t"]}});
    Creation::new("POST /skills", format!("skill {skill}"), body)
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(random.below(RESOURCES));
    let if_match = random.percent(30).then(|| random.between(1, 3) as i64);
    match random.below(10) {
        0..3 => creation.into(),
        3..7 => {
            let body = Some(Body::Json(change(random)));
            Command { if_match, body, ..Command::about(random, creation, "PATCH /skills/{id}") }
        }
        7 | 8 => {
            let body = Some(Body::Json(json!({"version": random.between(1, 4)})));
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

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    let mut listed = Vec::new();
    for (id, skill) in of.all(|resources| &resources.skills) {
        let (first, newest) = (&skill.versions[0], skill.versions.last().unwrap());
        let mut shown = content(newest);
        shown["id"] = json!(id);
        shown["version"] = json!(skill.versions.len());
        shown["created_by"] = json!(first.created_by);
        shown["created_at"] = time(first.created_at);
        shown["updated_by"] = json!(newest.created_by);
        shown["updated_at"] = time(newest.created_at);
        listed.push((first.created_at, shown));
    }
    let ids: Vec<_> = (0..RESOURCES).map(|skill| creation(skill).id(of.by())).collect();
    of.list(random, ("/api/v1/skills", "skills"), listed, &ids).await?;
    for (id, skill) in of.all(|resources| &resources.skills) {
        // An only one is what the list shows.
        if skill.versions.len() == 1 && !random.percent(25) {
            continue;
        }
        let mut expected: Vec<Value> = Vec::new();
        for (version, number) in skill.versions.iter().zip(1..) {
            let mut shown = content(version);
            shown["version"] = json!(number);
            shown["restores"] = json!(version.restores);
            shown["created_by"] = json!(version.created_by);
            shown["created_at"] = time(version.created_at);
            expected.push(shown);
        }
        expected.reverse();
        read_all(of.client(), &format!("/api/v1/skills/{id}/versions?{LIMIT}"), "versions", &expected).await?;
    }
    Ok(())
}

fn content(version: &SkillVersion) -> Value {
    let SkillVersion { name, description, definition, scope, tags, is_public, .. } = version;
    json!({"name": name, "description": description, "definition": compared::json(definition), "scope": scope,
        "tags": tags, "is_public": is_public})
}
