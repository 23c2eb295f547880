//! API keys, shown once: a current one a user, and named ones with scopes and an end.

mod current;
pub mod documents;
mod named;
mod parse;
mod rights;

use runtime::Problem;
use runtime::auth::{Principal, hash_key, prefix_of};
use schemas::Event;
use schemas::events::ApiKeyCreated;
use serde_bytes::ByteArray;

use crate::idempotency::Answer;

pub use current::{delete, post};
pub use named::{patch, post as post_named, withdraw};

/// The event that makes `key` the current key of a user.
pub fn created_event(principal: &Principal, key: &str, configured: &str) -> Event {
    Event::ApiKeyCreated(ApiKeyCreated {
        user: principal.user.clone(),
        org: principal.org.clone(),
        role: principal.role.clone(),
        prefix: prefix_of(key, configured),
        sha256: ByteArray::new(hash_key(key)),
    })
}

/// A retry cannot be given the key again: it is told which one it has.
fn already_created(answer: &Answer) -> Problem {
    created_before(answer.body.get("prefix").and_then(serde_json::Value::as_str).unwrap_or_default())
}

fn created_before(prefix: &str) -> Problem {
    let message = format!("The key {prefix}… was created under this Idempotency-Key; it cannot be shown again");
    Problem::new(axum::http::StatusCode::CONFLICT, message)
}
