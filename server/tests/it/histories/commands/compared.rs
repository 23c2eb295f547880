//! Reads beside the fold, as few as show everything: the rows themselves are compared in any case (`Installation::play`), so
//! that what is proved here is that they are shown as they are.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;
use verify::resources::Resources;

use super::names::By;
use crate::harness::{Client, Random, same};

/// All that a list shows at once.
pub const LIMIT: &str = "limit=200";

/// A tenant whose resources are read.
pub struct Compared<'a> {
    pub tenant: &'a str,
    pub traces: &'a [String],
    /// Those of them that are there.
    pub visible: &'a [&'a str],
    /// By name.
    pub users: &'a [(&'a str, Client)],
    pub resources: &'a Resources,
}

/// What the fold has of a tenant, by id.
pub fn of_tenant<'m, V>(
    all: &'m BTreeMap<(String, String), V>,
    tenant: &str,
) -> impl Iterator<Item = (&'m str, &'m V)> {
    let start = (tenant.to_owned(), String::new());
    all.range(start.clone()..)
        .take_while(move |((of, _), _)| *of == start.0)
        .map(|((_, id), resource)| (id.as_str(), resource))
}

impl<'a> Compared<'a> {
    /// Who may see all but what is a user's own.
    pub fn client(&self) -> &'a Client {
        &self.users[0].1
    }

    pub fn is_visible(&self, trace: &str) -> bool {
        self.visible.contains(&trace)
    }

    /// Ids do not depend on the user.
    pub fn by(&self) -> By<'a> {
        By { tenant: self.tenant, user: self.users[0].0, traces: self.traces }
    }

    pub fn all<V: 'a>(
        &self,
        of: fn(&Resources) -> &BTreeMap<(String, String), V>,
    ) -> impl Iterator<Item = (&'a str, &'a V)> {
        of_tenant(of(self.resources), self.tenant)
    }

    /// All resources of a noun, the newest first. Now and then one of them is read by its id as well, which is another
    /// statement: as the list shows it, or a 404.
    pub async fn list(
        &self,
        random: &mut Random,
        (path, field): (&str, &str),
        expected: Vec<Listed>,
        ids: &[Uuid],
    ) -> Result<(), String> {
        let expected = newest_first(expected);
        read_all(self.client(), &format!("{path}?{LIMIT}"), field, &expected).await?;
        if random.percent(15) && !ids.is_empty() {
            let id = random.pick(ids).to_string();
            let path = format!("{path}/{id}");
            let shown = expected.iter().find(|shown| shown["id"] == id);
            let Some(found) = read(self.client(), &path, shown.is_some()).await? else { return Ok(()) };
            for (name, value) in shown.and_then(Value::as_object).into_iter().flatten() {
                same(value, &found[name], &format!("GET {path} .{name}"))?;
            }
        }
        Ok(())
    }
}

/// When it was made, and as it is shown.
pub type Listed = (i64, Value);

/// Those of one moment by their ids.
pub fn newest_first(mut listed: Vec<Listed>) -> Vec<Value> {
    oldest_first(&mut listed);
    listed.into_iter().rev().map(|(_, shown)| shown).collect()
}

pub fn oldest_first(listed: &mut [Listed]) {
    listed.sort_by_key(|(at, shown)| (*at, shown["id"].as_str().unwrap_or_default().to_owned()));
}

/// A list that has all on its first page, with these and no others.
pub async fn read_all(client: &Client, path: &str, field: &str, expected: &[Value]) -> Result<(), String> {
    let found = read(client, path, true).await?.unwrap_or_default();
    is_all(path, field, expected, &found)
}

/// What a list has answered.
pub fn is_all(path: &str, field: &str, expected: &[Value], found: &Value) -> Result<(), String> {
    same(&Value::Array(expected.to_vec()), &found[field], &format!("GET {path} .{field}"))?;
    if found["total"] == expected.len() && found["next_cursor"].is_null() {
        return Ok(());
    }
    Err(format!("GET {path}: {} in all instead of {}", found["total"], expected.len()))
}

/// The resource, unless the fold has none: then it is a 404.
pub async fn read(client: &Client, path: &str, is_there: bool) -> Result<Option<Value>, String> {
    let found = client.get(path).await;
    match (found.status.as_u16(), is_there) {
        (200, true) => Ok(Some(found.json())),
        (404, false) => Ok(None),
        (status, _) => Err(format!("GET {path}: {status} {}", found.text)),
    }
}

/// Of what is shown, what has been sent as JSON.
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

pub fn time(micros: i64) -> Value {
    Value::String(runtime::http::micros_rfc3339(micros))
}
