//! API keys: the named ones of a user, who may be another than the one who asks. The current ones are in `current_key`.

use serde_json::{Value, json};
use verify::resources::Name;

use super::compared::{LIMIT, Listed, is_all, newest_first, read, time};
use super::{Body, Command, Compared, Creation, RESOURCES};
use crate::harness::{Random, without};

pub const ISSUES: &str = "POST /api-keys/all";
pub const CHANGES: &str = "PATCH /api-keys/all/{id}";
pub const WITHDRAWS: &str = "DELETE /api-keys/all/{id}";
/// What each may at first.
const SCOPES: [&[&str]; RESOURCES] = [&["ingest", "read"], &["write"]];

pub fn creation(key: usize) -> Creation {
    let body = json!({"name": format!("key {key}"), "scopes": SCOPES[key]});
    Creation::new(ISSUES, format!("api key {key}"), body)
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(*random.pick(&[0, 0, 1]));
    let if_match = random.percent(30).then(|| random.between(1, 3) as i64);
    match random.below(10) {
        0..4 => creation.into(),
        4..8 => {
            let body = match random.below(4) {
                0 => json!({"scopes": ["ingest"]}),
                // More than the first one has.
                1 => json!({"scopes": ["write"]}),
                2 => json!({"expires_at": "2029-01-01T00:00:00Z", "scopes": ["read"]}),
                _ => json!({"name": format!("name {}", random.below(9)), "expires_at": null}),
            };
            let command = Command::about(random, creation, CHANGES);
            Command { if_match, body: Some(Body::Json(body)), reads: true, ..command }
        }
        _ => Command { reads: true, ..Command::about(random, creation, WITHDRAWS) },
    }
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    for (user, client) in of.users {
        let of_user = of.all(|resources| &resources.api_keys).filter(|(_, key)| key.user == *user);
        let listed: Vec<Listed> = of_user
            .map(|(id, key)| {
                let name = if let Name::Is(name) = &key.name { json!(name) } else { Value::Null };
                let shown = json!({"id": id, "user_id": key.user, "is_current": key.is_current, "name": name,
                    "prefix": key.prefix, "scopes": key.scopes, "role": key.role, "version": key.version,
                    "created_at": time(key.created_at), "expires_at": key.expires_at.map(time)});
                (key.created_at, shown)
            })
            .collect();
        // The one that everybody has from the beginning.
        if listed.len() == 1 && !random.percent(20) {
            continue;
        }
        let path = format!("/api/v1/api-keys/all?{LIMIT}");
        let mut found = read(client, &path, true).await?.unwrap_or_default();
        for key in found["api_keys"].as_array_mut().into_iter().flatten() {
            // They are in use meanwhile.
            *key = without(key.take(), &["last_used_at"]);
        }
        is_all(&path, "api_keys", &newest_first(listed), &found)?;
    }
    Ok(())
}
