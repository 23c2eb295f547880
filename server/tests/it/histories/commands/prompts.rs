//! Prompts.

use serde_json::{Value, json};
use verify::resources::PromptVersion;

use super::compared::{self, read, time};
use super::{Body, Command, Compared, Creation, Part, RESOURCES};
use crate::harness::{Random, same};

const LABELS: [&str; 2] = ["production", "canary"];

pub fn creation(prompt: usize) -> Creation {
    let body = json!({"name": format!("prompt {prompt}"), "content": "Hello {{x}}", "labels": ["production"]});
    Creation::new("POST /prompts", format!("prompt {prompt}"), body)
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(random.below(RESOURCES));
    let if_match = random.percent(30).then(|| random.between(1, 3) as i64);
    let label = (*random.pick(&LABELS)).to_owned();
    let command = match random.below(12) {
        0..3 => return creation.into(),
        3..7 => {
            let body = json!({"content": format!("Text {} {{{{y}}}}", random.below(9)), "labels": [label]});
            let body = if random.percent(50) { json!({"messages": [{"role": "user", "content": "Hi"}]}) } else { body };
            let command = Command::about(random, creation, "POST /prompts/{id}/versions");
            Command { if_match, body: Some(Body::Json(body)), ..command }
        }
        7..9 => {
            let mut body = json!({"version": random.between(1, 3)});
            if random.percent(30) {
                body["from_version"] = json!(random.between(1, 2));
            }
            let mut command = Command::about(random, creation, "PUT /prompts/{id}/labels/{label}");
            command.parts.push(Part::Text(label));
            Command { body: Some(Body::Json(body)), ..command }
        }
        9 => {
            let mut command = Command::about(random, creation, "DELETE /prompts/{id}/labels/{label}");
            command.parts.push(Part::Text(label));
            command
        }
        _ => Command { if_match, ..Command::about(random, creation, "DELETE /prompts/{id}") },
    };
    Command { joint: "\0", ..command }
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    let mut listed = Vec::new();
    for (id, prompt) in of.all(|resources| &resources.prompts) {
        let content = prompt.content.clone().unwrap_or_default();
        let created_at = prompt.versions[0].created_at;
        let shown = json!({"id": id, "name": content.name, "description": content.description.unwrap_or_default(),
            "labels": prompt.labels, "latest_version": prompt.versions.len(),
            "created_by": by(&prompt.versions[0]), "created_at": time(created_at),
            "updated_at": time(prompt.updated_at)});
        listed.push((created_at, shown));
    }
    let ids: Vec<_> = (0..RESOURCES).map(|prompt| creation(prompt).id(of.by())).collect();
    of.list(random, ("/api/v1/prompts", "prompts"), listed, &ids).await?;
    for (id, prompt) in of.all(|resources| &resources.prompts) {
        let path = format!("/api/v1/prompts/{id}");
        let found = read(of.client(), &path, true).await?.unwrap_or_default();
        same(&json!(prompt.versions.len()), &found["versions_total"], &format!("GET {path} .versions_total"))?;
        let versions = prompt.versions.iter().zip(1..).map(|(version, number)| shown(number, version));
        let mut expected: Vec<Value> = versions.collect();
        expected.reverse();
        same(&Value::Array(expected), &found["versions"], &format!("GET {path} .versions"))?;
    }
    Ok(())
}

fn shown(number: i64, version: &PromptVersion) -> Value {
    let content = version.content.clone().unwrap_or_default();
    json!({"version": number, "content": content.content, "messages": content.messages.as_deref().map(compared::json),
        "variables": content.variables, "model": content.model,
        "config": content.config.as_deref().map(compared::json), "message": content.message,
        "created_by": content.user_id, "created_at": time(version.created_at)})
}

fn by(version: &PromptVersion) -> &str {
    version.content.as_ref().map_or("", |content| &content.user_id)
}
