//! Commands on the workspace: what each is answered is its outcome in the fold, and what is read is what the fold has.

mod memory;
mod prompts;
mod skills;

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::Method;
use schemas::{ids, sealing};
use serde_json::Value;
use uuid::Uuid;
use verify::resources::Resources;

use crate::harness::{Client, Random};

/// Of each noun; both tenants have some of the same names.
const RESOURCES: usize = 2;

/// What makes a resource. Its Idempotency-Key is always the same, so that the id is known before it is there.
#[derive(Clone, Debug)]
struct Creation {
    route: &'static str,
    key: String,
    body: Value,
}

#[derive(Clone, Debug)]
pub struct Command {
    /// Of the Idempotency-Key: sent again it is the same command.
    key: String,
    /// `POST /skills/{id}/restore`
    route: &'static str,
    /// The resource that `{id}` is of.
    about: Option<Creation>,
    /// What stands for the other `{…}` of the route.
    parts: Vec<String>,
    if_match: Option<i64>,
    body: Option<Value>,
    /// What ingest puts between id, parts and body to hash them.
    joint: &'static str,
}

/// What commands were answered, by the ids of their events.
#[derive(Default)]
pub struct Answers(Mutex<BTreeMap<Uuid, (u16, String)>>);

impl Creation {
    fn id(&self, tenant: &str) -> Uuid {
        derived(tenant, self.route, &self.key, &self.body.to_string())
    }
}

impl From<Creation> for Command {
    fn from(Creation { route, key, body }: Creation) -> Command {
        Command { key, route, about: None, parts: Vec::new(), if_match: None, body: Some(body), joint: "" }
    }
}

impl Command {
    pub fn draw(random: &mut Random) -> Command {
        match random.below(3) {
            0 => skills::draw(random),
            1 => prompts::draw(random),
            _ => memory::draw(random),
        }
    }

    fn about(random: &mut Random, creation: Creation, route: &'static str) -> Command {
        let key = random.next().to_string();
        Command { key, route, about: Some(creation), parts: Vec::new(), if_match: None, body: None, joint: "" }
    }

    /// Method, path, headers and body.
    pub fn request(&self, tenant: &str) -> (Method, String, Vec<(&'static str, String)>, Option<Value>) {
        let (method, path) = self.route.split_once(' ').unwrap();
        let id = self.about.as_ref().map(|creation| creation.id(tenant).to_string());
        let mut values = id.iter().chain(&self.parts);
        let segment = |segment: &str| match segment.starts_with('{') {
            true => values.next().unwrap().clone(),
            false => segment.to_owned(),
        };
        let path: Vec<String> = path.split('/').map(segment).collect();
        let mut headers = vec![("idempotency-key", self.key.clone())];
        headers.extend(self.if_match.map(|version| ("if-match", format!("\"{version}\""))));
        (method.parse().unwrap(), format!("/api/v1{}", path.join("/")), headers, self.body.clone())
    }

    fn event(&self, tenant: &str) -> Uuid {
        let id = self.about.as_ref().map(|creation| creation.id(tenant).to_string());
        let body = self.body.as_ref().map(Value::to_string);
        let asked: Vec<&str> = id.iter().chain(&self.parts).chain(&body).map(String::as_str).collect();
        ids::derived(derived(tenant, self.route, &self.key, &asked.join(self.joint)), "command")
    }
}

impl Answers {
    /// The same command has the same answer however often it is sent.
    pub fn learn(&self, tenant: &str, command: &Command, status: u16, text: &str) -> Result<(), String> {
        let answer = (status, text.to_owned());
        let mut answers = self.0.lock().unwrap();
        let before = answers.entry(command.event(tenant)).or_insert_with(|| answer.clone());
        if before.0 == answer.0 {
            return Ok(());
        }
        Err(format!("{command:?} was answered {} and then {}: {text}", before.0, answer.0))
    }

    /// Each is what came of it in the fold.
    pub fn compare(&self, resources: &Resources) -> Result<(), String> {
        for (event, (status, text)) in self.0.lock().unwrap().iter() {
            let outcome = resources.outcomes.get(event).ok_or_else(|| format!("{event} is not in the log: {text}"))?;
            // Done, and the resource deleted by another command before it could be shown.
            let is_gone = *status == 404 && text.contains(" not found") && matches!(outcome.status, 200 | 201);
            if i32::from(outcome.status) != i32::from(*status) && !is_gone {
                return Err(format!("a command was answered {status} {text}, but came to {outcome:?}"));
            }
        }
        Ok(())
    }
}

/// What REST says of a tenant's resources, beside the fold.
pub async fn compare(client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
    skills::compare(client, tenant, resources).await?;
    prompts::compare(client, tenant, resources).await?;
    memory::compare(client, tenant, resources).await
}

/// The resource, unless the fold has none: then it is a 404.
async fn read(client: &Client, path: &str, is_there: bool) -> Result<Option<Value>, String> {
    let found = client.get(path).await;
    match (found.status.as_u16(), is_there) {
        (200, true) => Ok(Some(found.json())),
        (404, false) => Ok(None),
        (status, _) => Err(format!("GET {path}: {status} {}", found.text)),
    }
}

async fn has_total(client: &Client, path: &str, expected: usize) -> Result<(), String> {
    let list = client.get(path).await;
    if list.status == 200 && list.json()["total"] == expected {
        return Ok(());
    }
    Err(format!("GET {path}: {} instead of {expected} in all", list.text))
}

fn same(path: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("GET {path}: {found} instead of {expected}")) }
}

/// Of what is shown, these fields.
fn fields(shown: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| shown[*name].clone()).collect()
}

/// As ingest derives ids from an Idempotency-Key and what was asked under it.
fn derived(tenant: &str, route: &str, key: &str, asked: &str) -> Uuid {
    let names = format!("{tenant}\0{route}\0{key}\0");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &[names.as_bytes(), &sealing::sha256(asked.as_bytes())].concat())
}
