//! What commands were answered, beside what came of them in the fold.

use std::collections::BTreeMap;
use std::sync::Mutex;

use runtime::auth::hash_key;
use schemas::ids;
use uuid::Uuid;
use verify::resources::{Outcome, Resources};

use super::api_keys::{CHANGES, ISSUES, WITHDRAWS};
use super::names::By;
use super::{Command, compared};
use crate::harness::{Answer, Client};

/// An API key is changed this often at the most: each version that a change may be of makes another event of it.
const MOST_VERSIONS: i64 = 20;

/// Commands by their routes: how many were accepted, of how many.
pub type Counts = BTreeMap<&'static str, [usize; 2]>;

/// By the ids of the commands' events.
#[derive(Default)]
pub struct Answers {
    given: Mutex<BTreeMap<Uuid, Given>>,
    /// API keys, each with its tenant: those that were made, as nothing shows them again.
    secrets: Mutex<Vec<(String, String)>>,
}

struct Given {
    command: Command,
    status: u16,
    text: String,
}

impl Given {
    /// A retry cannot be given an API key again.
    fn is_kept_back(&self) -> bool {
        self.status == 409 && self.text.contains("it cannot be shown again")
    }

    /// Whether the outcome explains it. None: the log has no such command.
    fn comes_of(&self, outcome: Option<&Outcome>) -> bool {
        let Given { command, status, text } = self;
        // What is not appended changes nothing, so it cannot have been accepted.
        let Some(outcome) = outcome else { return command.reads && *status >= 400 };
        let is_accepted = outcome.status < 300;
        // Done, and the resource deleted by another command before it could be shown.
        let is_gone = *status == 404 && text.contains(" not found") && matches!(outcome.status, 200 | 201);
        // The first answer was lost, and what is read before the second is not what it was.
        let is_overtaken = command.reads && *status >= 400 && is_accepted;
        // It waits for no outcome, so that a key can be withdrawn twice at once.
        let is_unwaited = command.route == WITHDRAWS && *status == 204 && outcome.status == 404;
        i32::from(outcome.status) == i32::from(*status)
            || is_gone
            || is_overtaken
            || is_unwaited
            || (self.is_kept_back() && is_accepted)
    }
}

impl Answers {
    /// The same command has the same answer however often it is sent. Says whether it is the first.
    pub fn learn(&self, by: By<'_>, command: &Command, answer: &Answer) -> Result<bool, String> {
        let given = Given { command: command.clone(), status: answer.status.as_u16(), text: answer.text.clone() };
        if given.status == 201
            && command.route == ISSUES
            && let Some(key) = answer.json()["key"].as_str()
        {
            self.made(by.tenant, key);
        }
        let mut all = self.given.lock().unwrap();
        let Some(before) = all.get(&command.event(by)) else {
            all.insert(command.event(by), given);
            return Ok(true);
        };
        if before.status == given.status || (before.status == 201 && given.is_kept_back()) {
            return Ok(false);
        }
        Err(format!("{command:?} was answered {} and then {}: {}", before.status, given.status, given.text))
    }

    /// An API key that somebody was shown.
    pub fn made(&self, tenant: &str, key: &str) {
        self.secrets.lock().unwrap().push((tenant.to_owned(), key.to_owned()));
    }

    pub fn count(&self, counts: &mut Counts) {
        for given in self.given.lock().unwrap().values() {
            let [accepted, all] = counts.entry(given.command.route).or_default();
            *accepted += usize::from(given.status < 300);
            *all += 1;
        }
    }

    /// Each is what came of it in the fold.
    pub fn compare(&self, resources: &Resources) -> Result<(), String> {
        for (event, given) in self.given.lock().unwrap().iter() {
            let events: Vec<Uuid> = match given.command.route == CHANGES {
                true => {
                    (1..=MOST_VERSIONS).map(|version| ids::derived(*event, &format!("of version {version}"))).collect()
                }
                false => vec![*event],
            };
            let outcomes: Vec<&Outcome> = events.iter().filter_map(|event| resources.outcomes.get(event)).collect();
            let is_explained = match outcomes.is_empty() {
                true => given.comes_of(None),
                false => outcomes.iter().any(|outcome| given.comes_of(Some(outcome))),
            };
            if !is_explained {
                let Given { command, status, text } = given;
                return Err(format!("{command:?} ({event}) was answered {status} {text}, but came to {outcomes:?}"));
            }
        }
        Ok(())
    }

    /// A key opens what its scopes allow for as long as the fold has it, and nothing afterwards.
    pub async fn compare_keys(&self, client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
        let secrets = self.secrets.lock().unwrap().clone();
        for (_, secret) in secrets.iter().filter(|(of, _)| of == tenant) {
            let mut keys = compared::of_tenant(&resources.api_keys, tenant).map(|(_, key)| key);
            let expected = match keys.find(|key| key.sha256 == hash_key(secret)) {
                None => 401,
                Some(key) if key.scopes == ["ingest"] => 403,
                Some(_) => 200,
            };
            let path = "/api/v1/skills?limit=1";
            let answer = client.with_key(secret).get(path).await;
            if answer.status != expected {
                return Err(format!(
                    "GET {path} with {secret}: {} {} instead of {expected}",
                    answer.status, answer.text
                ));
            }
        }
        Ok(())
    }
}
