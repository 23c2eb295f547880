//! Memory.

use serde_json::json;
use verify::resources::Resources;

use super::{Command, Creation, RESOURCES, fields, has_total, read, same};
use crate::harness::{Client, Random};

const ROUTE: &str = "POST /memory";

fn creation(entry: usize) -> Creation {
    let body = json!({"key": format!("entry {entry}"), "value": "first", "scope": "global", "category": "fact"});
    Creation { route: ROUTE, key: format!("memory {entry}"), body }
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(random.below(RESOURCES));
    match random.below(10) {
        0..3 => creation.into(),
        3..8 => {
            // Of the same key: another version of the entry, or an entry of its own.
            let mut body = creation.body.clone();
            body["value"] = json!(format!("value {}", random.below(9)));
            body["confidence"] = json!(random.below(5) as f64 / 4.0);
            Creation { route: ROUTE, key: random.next().to_string(), body }.into()
        }
        _ => Command::about(random, creation, "DELETE /memory/{id}"),
    }
}

pub async fn compare(client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
    let of_tenant = || resources.memory.iter().filter(|((of, _), _)| of == tenant);
    for ((_, id), entry) in of_tenant() {
        let path = format!("/api/v1/memory/{id}");
        let found = read(client, &path, true).await?.unwrap_or_default();
        // Of one that was deleted and stored again, some may be erased.
        if let Some(content) = &entry.content {
            let value: serde_json::Value = serde_json::from_str(&content.value).unwrap();
            let shown = fields(&found, &["version", "key", "value", "confidence"]);
            same(&path, &shown, &json!([entry.version, content.key, value, content.confidence]))?;
        }
    }
    for entry in 0..RESOURCES {
        let id = creation(entry).id(tenant).to_string();
        let is_there = resources.memory.contains_key(&(tenant.to_owned(), id.clone()));
        read(client, &format!("/api/v1/memory/{id}"), is_there).await?;
    }
    has_total(client, "/api/v1/memory", of_tenant().count()).await
}
