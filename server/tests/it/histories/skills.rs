//! Commands on skills: what each is answered is its outcome in the fold, and what is read is the fold's skill.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::Method;
use schemas::{ids, sealing};
use serde_json::{Value, json};
use uuid::Uuid;
use verify::resources::{Resources, SkillVersion};

use crate::harness::{Client, Random};

/// Both tenants have skills of the same names.
pub const SKILLS: usize = 2;
const CREATE: &str = "POST /skills";
const CHANGE: &str = "PATCH /skills/{id}";
const RESTORE: &str = "POST /skills/{id}/restore";
const DELETE: &str = "DELETE /skills/{id}";

#[derive(Clone, Debug)]
pub struct Command {
    /// Of the Idempotency-Key: sent again it is the same command.
    key: u64,
    skill: usize,
    if_match: Option<i64>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Create,
    Change(Value),
    Restore(i64),
    Delete,
}

/// What commands were answered, by the ids of their events.
#[derive(Default)]
pub struct Answers(Mutex<BTreeMap<Uuid, (u16, String)>>);

impl Command {
    pub fn draw(random: &mut Random) -> Command {
        let what = match random.below(10) {
            0..3 => What::Create,
            3..7 => What::Change(change(random)),
            7 | 8 => What::Restore(random.between(1, 4) as i64),
            _ => What::Delete,
        };
        let if_match = (random.percent(30) && !matches!(what, What::Create)).then(|| random.between(1, 3) as i64);
        Command { key: random.next(), skill: random.below(SKILLS), if_match, what }
    }

    /// Method, path, headers and body.
    pub fn request(&self, tenant: &str) -> (Method, String, Vec<(&'static str, String)>, Option<Value>) {
        let path = format!("/api/v1/skills/{}", skill_id(tenant, self.skill));
        let (method, path, body) = match &self.what {
            What::Create => {
                let body =
                    json!({"name": format!("skill {}", self.skill), "tags": ["a"], "definition": {"tools": ["t"]}});
                (Method::POST, "/api/v1/skills".to_owned(), Some(body))
            }
            What::Change(body) => (Method::PATCH, path, Some(body.clone())),
            What::Restore(version) => (Method::POST, format!("{path}/restore"), Some(json!({"version": version}))),
            What::Delete => (Method::DELETE, path, None),
        };
        let mut headers = vec![("idempotency-key", self.idempotency_key())];
        headers.extend(self.if_match.map(|version| ("if-match", format!("\"{version}\""))));
        (method, path, headers, body)
    }

    fn idempotency_key(&self) -> String {
        match self.what {
            // So that its id is known beforehand.
            What::Create => creation_key(self.skill),
            _ => self.key.to_string(),
        }
    }

    fn event(&self, tenant: &str) -> Uuid {
        let route = match self.what {
            What::Create => CREATE,
            What::Change(_) => CHANGE,
            What::Restore(_) => RESTORE,
            What::Delete => DELETE,
        };
        let id = skill_id(tenant, self.skill).to_string();
        let asked = match &self.what {
            What::Create => creation(self.skill).to_string(),
            What::Change(body) => format!("{id}{body}"),
            What::Restore(version) => format!("{id}{}", json!({"version": version})),
            What::Delete => id,
        };
        ids::derived(derived(tenant, route, &self.idempotency_key(), &asked), "command")
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
            // Done, and the skill deleted by another command before it could be shown.
            let is_gone = *status == 404 && text.contains("Skill not found") && matches!(outcome.status, 200 | 201);
            if i32::from(outcome.status) != i32::from(*status) && !is_gone {
                return Err(format!("a command was answered {status} {text}, but came to {outcome:?}"));
            }
        }
        Ok(())
    }
}

/// What REST says of a tenant's skills, beside the fold.
pub async fn compare(client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
    let mut living = 0;
    for skill in 0..SKILLS {
        let id = skill_id(tenant, skill).to_string();
        let path = format!("/api/v1/skills/{id}");
        let expected = resources.skills.get(&(tenant.to_owned(), id.clone()));
        let (found, versions) = (client.get(&path).await, client.get(&format!("{path}/versions")).await);
        let Some(expected) = expected else {
            if found.status != 404 || versions.status != 404 {
                return Err(format!("GET {path}: {} instead of 404", found.text));
            }
            continue;
        };
        living += 1;
        if found.status != 200 || versions.status != 200 {
            return Err(format!("GET {path}: {} {}", found.status, found.text));
        }
        let newest = expected.versions.last().unwrap();
        same_content(&found.json(), newest, expected.versions.len() as i64)?;
        let listed = versions.json();
        let listed = listed["versions"].as_array().unwrap();
        if listed.len() != expected.versions.len() {
            return Err(format!("{path} has {} versions instead of {}", listed.len(), expected.versions.len()));
        }
        for ((shown, version), number) in listed.iter().rev().zip(&expected.versions).zip(1..) {
            same_content(shown, version, number)?;
        }
    }
    let list = client.get("/api/v1/skills").await;
    if list.status != 200 || list.json()["total"] != living {
        return Err(format!("GET /api/v1/skills: {} instead of {living} skills", list.text));
    }
    Ok(())
}

fn same_content(shown: &Value, version: &SkillVersion, number: i64) -> Result<(), String> {
    let SkillVersion { name, description, definition, scope, tags, is_public, .. } = version;
    let definition: Value = serde_json::from_str(definition).unwrap();
    let expected = json!([number, name, description, definition, scope, tags, is_public]);
    let fields = ["version", "name", "description", "definition", "scope", "tags", "is_public"];
    let found = Value::Array(fields.iter().map(|field| shown[field].clone()).collect());
    if found == expected { Ok(()) } else { Err(format!("a skill is {found} instead of {expected}")) }
}

fn change(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({"description": format!("text {}", random.below(9))}),
        1 => json!({"tags": ["a", format!("tag {}", random.below(3))], "is_public": random.percent(50)}),
        2 => json!({"definition": {"max_iterations": random.between(1, 9)}, "scope": "project"}),
        _ => json!({"name": format!("name {}", random.below(9))}),
    }
}

fn creation(skill: usize) -> Value {
    json!({"name": format!("skill {skill}"), "tags": ["a"], "definition": {"tools": ["t"]}})
}

fn skill_id(tenant: &str, skill: usize) -> Uuid {
    derived(tenant, CREATE, &creation_key(skill), &creation(skill).to_string())
}

fn creation_key(skill: usize) -> String {
    format!("skill {skill}")
}

/// As ingest derives ids from an Idempotency-Key and what was asked under it.
fn derived(tenant: &str, route: &str, key: &str, asked: &str) -> Uuid {
    let names = format!("{tenant}\0{route}\0{key}\0");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &[names.as_bytes(), &sealing::sha256(asked.as_bytes())].concat())
}
