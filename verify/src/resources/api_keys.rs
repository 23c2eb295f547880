//! "API keys" and "Members".

use schemas::codec;
use schemas::events::{ApiKeyChanged, ApiKeyContent, ApiKeyIssued, ApiKeyWithdrawn};
use schemas::sealing::Sealed;
use schemas::{Event, events};

use super::{Command, Open, Outcome, Resources, done, refused};

#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    pub version: i64,
    pub is_current: bool,
    pub user: String,
    pub org: Option<String>,
    pub role: String,
    /// None of a current key.
    pub name: Name,
    pub prefix: String,
    pub sha256: [u8; 32],
    pub scopes: Vec<String>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Name {
    None,
    Is(String),
    /// Erased, so that it cannot be known.
    Lost,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub role: String,
    pub first_seen_at: i64,
    pub last_seen_at: i64,
}

impl Resources {
    /// What is no command: nobody waits for what comes of it.
    /// By now.
    pub(super) fn is_member(&self, tenant: &str, user: &str) -> bool {
        self.members.contains_key(&(tenant.to_owned(), user.to_owned()))
    }

    pub(super) fn note(&mut self, command: &Command<'_>) {
        match command.event {
            Event::ApiKeyCreated(event) => {
                self.member(command, &event.user, &event.role).role.clone_from(&event.role);
                self.end_current(command.tenant, &event.user);
                let key = current(command, event);
                self.api_keys.insert((command.tenant.to_owned(), event.key_id().to_string()), key);
            }
            Event::ApiKeyRevoked(event) => self.end_current(command.tenant, &event.user),
            Event::ApiKeyUsed(event) => {
                let member = self.member(command, &event.user, &event.role);
                member.last_seen_at = member.last_seen_at.max(command.time);
                let id = (command.tenant.to_owned(), event.key_id.clone());
                if let Some(key) = self.api_keys.get_mut(&id) {
                    key.last_used_at = key.last_used_at.max(Some(command.time));
                }
            }
            Event::MemberSeen(event) => {
                let member = self.member(command, &event.user, &event.role);
                member.role.clone_from(&event.role);
                member.last_seen_at = member.last_seen_at.max(command.time);
            }
            _ => {}
        }
    }

    /// The one that there is, or a new one.
    fn member(&mut self, command: &Command<'_>, user: &str, role: &str) -> &mut Member {
        let (first_seen_at, last_seen_at) = (command.time, command.time);
        let new = || Member { role: role.to_owned(), first_seen_at, last_seen_at };
        self.members.entry((command.tenant.to_owned(), user.to_owned())).or_insert_with(new)
    }

    fn end_current(&mut self, tenant: &str, user: &str) {
        self.api_keys.retain(|(of, _), key| of != tenant || key.user != user || !key.is_current);
    }

    pub(super) fn issue_api_key(&mut self, command: &Command<'_>, event: &ApiKeyIssued, open: Open<'_>) -> Outcome {
        self.member(command, &event.user, &event.role);
        let counts = |(tenant, _): &(String, String), key: &ApiKey| {
            let in_force = key.expires_at.is_none_or(|end| end > command.time);
            tenant == command.tenant && key.user == event.user && !key.is_current && in_force
        };
        let held = self.api_keys.iter().filter(|(id, key)| counts(id, key)).count() as i64;
        if held >= event.at_most {
            let reason =
                format!("There are {held} named API keys of this user, the most there may be: revoke one first");
            return refused(409, None, reason);
        }
        let id = (command.tenant.to_owned(), event.key_id.clone());
        if self.api_keys.contains_key(&id) {
            return refused(409, None, "An API key with this id exists".to_owned());
        }
        let key = ApiKey {
            version: 1,
            is_current: false,
            user: event.user.clone(),
            org: event.org.clone(),
            role: event.role.clone(),
            name: name(&event.content, open),
            prefix: event.prefix.clone(),
            sha256: event.sha256.into_array(),
            scopes: event.scopes.clone(),
            created_at: command.time,
            expires_at: event.expires_at,
            last_used_at: None,
        };
        self.api_keys.insert(id, key);
        done(201, Some(1))
    }

    pub(super) fn change_api_key(&mut self, command: &Command<'_>, event: &ApiKeyChanged, open: Open<'_>) -> Outcome {
        let id = (command.tenant.to_owned(), event.key_id.clone());
        let key = self.api_keys.get_mut(&id).filter(|key| key.user == event.user && !key.is_current);
        let Some(key) = key else { return not_found() };
        if key.version != event.version {
            return refused(409, None, "The API key was changed at the same time: read it again".to_owned());
        }
        key.version += 1;
        key.scopes.clone_from(&event.scopes);
        key.expires_at = event.expires_at;
        if let Some(content) = &event.content {
            key.name = name(content, open);
        }
        done(200, Some(key.version))
    }

    pub(super) fn withdraw_api_key(&mut self, command: &Command<'_>, event: &ApiKeyWithdrawn) -> Outcome {
        let id = (command.tenant.to_owned(), event.key_id.clone());
        if self.api_keys.get(&id).is_none_or(|key| key.user != event.user) {
            return not_found();
        }
        self.api_keys.remove(&id);
        done(204, None)
    }
}

fn current(command: &Command<'_>, event: &events::ApiKeyCreated) -> ApiKey {
    ApiKey {
        version: 1,
        is_current: true,
        user: event.user.clone(),
        org: event.org.clone(),
        role: event.role.clone(),
        name: Name::None,
        prefix: event.prefix.clone(),
        sha256: event.sha256.into_array(),
        scopes: vec!["admin".to_owned()],
        created_at: command.time,
        expires_at: None,
        last_used_at: None,
    }
}

fn name(sealed: &Sealed, open: Open<'_>) -> Name {
    let content = open(sealed).and_then(|plain| codec::decode::<ApiKeyContent>("api_key_content", &plain).ok());
    content.map_or(Name::Lost, |content| Name::Is(content.name))
}

fn not_found() -> Outcome {
    refused(404, None, "API key not found".to_owned())
}
