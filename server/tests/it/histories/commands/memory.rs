//! Memory.

use serde_json::{Value, json};

use super::compared::{self, time};
use super::{Command, Compared, Creation, RESOURCES};
use crate::harness::Random;

const ROUTE: &str = "POST /memory";

pub fn creation(entry: usize) -> Creation {
    let body = json!({"key": format!("entry {entry}"), "value": "first", "scope": "global", "category": "fact"});
    Creation::new(ROUTE, format!("memory {entry}"), body)
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
            Creation::new(ROUTE, random.next().to_string(), body).into()
        }
        _ => Command::about(random, creation, "DELETE /memory/{id}"),
    }
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    let mut listed = Vec::new();
    for (id, entry) in of.all(|resources| &resources.memory) {
        let content = entry.content.as_ref().ok_or_else(|| format!("the content of memory {id} is lost"))?;
        let shown = json!({"id": id, "key": content.key, "value": compared::json(&content.value),
            "scope": content.scope, "category": content.category, "confidence": content.confidence,
            "project_id": content.project_id, "session_id": content.session_id,
            "expires_at": content.expires_at.map_or(Value::Null, time), "version": entry.version,
            "created_by": entry.created_by, "created_at": time(entry.created_at),
            "updated_by": content.user_id, "updated_at": time(entry.updated_at)});
        listed.push((entry.created_at, shown));
    }
    let mut ids: Vec<_> = (0..RESOURCES).map(|entry| creation(entry).id(of.by())).collect();
    ids.extend(listed.iter().filter_map(|(_, shown)| shown["id"].as_str()?.parse::<uuid::Uuid>().ok()));
    of.list(random, ("/api/v1/memory", "memories"), listed, &ids).await
}
