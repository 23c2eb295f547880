//! Prompts.

use serde_json::json;
use verify::resources::{PromptVersion, Resources};

use super::{Command, Creation, RESOURCES, fields, has_total, read, same};
use crate::harness::{Client, Random};

const LABELS: [&str; 2] = ["production", "canary"];

fn creation(prompt: usize) -> Creation {
    let body = json!({"name": format!("prompt {prompt}"), "content": "Hello {{x}}", "labels": ["production"]});
    Creation { route: "POST /prompts", key: format!("prompt {prompt}"), body }
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
            Command { if_match, body: Some(body), ..Command::about(random, creation, "POST /prompts/{id}/versions") }
        }
        7..9 => {
            let mut body = json!({"version": random.between(1, 3)});
            if random.percent(30) {
                body["from_version"] = json!(random.between(1, 2));
            }
            let command = Command::about(random, creation, "PUT /prompts/{id}/labels/{label}");
            Command { parts: vec![label], body: Some(body), ..command }
        }
        9 => {
            let command = Command::about(random, creation, "DELETE /prompts/{id}/labels/{label}");
            Command { parts: vec![label], ..command }
        }
        _ => Command { if_match, ..Command::about(random, creation, "DELETE /prompts/{id}") },
    };
    Command { joint: "\0", ..command }
}

pub async fn compare(client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
    let mut living = 0;
    for prompt in 0..RESOURCES {
        let id = creation(prompt).id(tenant).to_string();
        let path = format!("/api/v1/prompts/{id}");
        let expected = resources.prompts.get(&(tenant.to_owned(), id));
        let Some(expected) = expected else {
            read(client, &path, false).await?;
            continue;
        };
        living += 1;
        let found = read(client, &path, true).await?.unwrap_or_default();
        let shown = fields(&found, &["labels", "latest_version", "versions_total"]);
        let latest = expected.versions.len();
        same(&path, &shown, &json!([expected.labels, latest, latest]))?;
        let contents: Vec<_> =
            found["versions"].as_array().unwrap().iter().map(|version| &version["content"]).collect();
        let text = |version: &PromptVersion| version.content.as_ref().and_then(|content| content.content.clone());
        let expected: Vec<_> = expected.versions.iter().rev().map(text).collect();
        same(&path, &json!(contents), &json!(expected))?;
    }
    has_total(client, "/api/v1/prompts", living).await
}
