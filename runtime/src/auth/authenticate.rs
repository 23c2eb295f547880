//! Credentials of a request, and whose they are.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use sqlx::PgPool;
use time::OffsetDateTime;

use super::{JwtVerifier, KeyRing, Principal, hash_key, prefix_of};
use crate::Problem;
use crate::http::rfc3339;

pub enum Credentials<'a> {
    ApiKey(&'a str),
    Jwt(&'a str),
}

impl<'a> Credentials<'a> {
    /// `x-retrace-key`, or a bearer token; OTLP exporters send API keys as bearer tokens.
    pub fn of(headers: &'a HeaderMap) -> Result<Credentials<'a>, Problem> {
        if let Some(value) = headers.get("x-retrace-key") {
            let key = value.to_str().map_err(|_| Problem::unauthorized("The API key is not valid"))?;
            return if key.starts_with("rt_") {
                Ok(Credentials::ApiKey(key))
            } else {
                Err(Problem::unauthorized("The API key is not valid: keys start with `rt_`"))
            };
        }
        let value = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| Problem::unauthorized("Credentials are missing: send x-retrace-key or a bearer token"))?;
        match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                let token = token.trim();
                Ok(if token.starts_with("rt_") { Credentials::ApiKey(token) } else { Credentials::Jwt(token) })
            }
            _ => Err(Problem::unauthorized("The Authorization header is not a bearer token")),
        }
    }

    /// What of them may be shown; `configured` is the prefix of new keys.
    pub fn shown(&self, configured: &str) -> String {
        match self {
            Credentials::ApiKey(key) => format!("api_key {}", prefix_of(key, configured)),
            Credentials::Jwt(_) => "bearer".to_owned(),
        }
    }
}

pub struct Authenticator {
    pub keys: Arc<KeyRing>,
    pub jwt: Option<JwtVerifier>,
    pub pool: PgPool,
}

impl Authenticator {
    /// `unknown` is asked before the store is, and for every token that does not hold, so that guessing is limited.
    pub async fn principal(
        &self,
        credentials: Credentials<'_>,
        unknown: impl Fn() -> Result<(), Problem>,
    ) -> Result<Principal, Problem> {
        match credentials {
            Credentials::Jwt(token) => match &self.jwt {
                Some(verifier) => verifier.verify(token, unknown).await,
                None => Err(Problem::unauthorized("Bearer tokens are not configured on this server")),
            },
            Credentials::ApiKey(key) => {
                if !self.keys.is_complete() {
                    return Err(Problem::unavailable("The API key cannot be checked yet: the log is being read", 2));
                }
                let hash = hash_key(key);
                if let Some(principal) = self.keys.find(&hash) {
                    return in_time(principal, unknown);
                }
                unknown()?;
                if self.keys.has_ended(&hash) {
                    return Err(Problem::unauthorized("The API key is not known or was revoked"));
                }
                match self.keys.read_through(&self.pool, &hash).await {
                    Ok(Some(principal)) => in_time(principal, unknown),
                    Ok(None) => Err(Problem::unauthorized("The API key is not known or was revoked")),
                    // Every key of the snapshot and of the log since is known without the store.
                    Err(cause) => {
                        tracing::warn!(%cause, "an unknown API key could not be looked up");
                        Err(Problem::unavailable("The API key cannot be checked at the moment", 2))
                    }
                }
            }
        }
    }
}

/// By this node's clock.
fn in_time(principal: Principal, unknown: impl Fn() -> Result<(), Problem>) -> Result<Principal, Problem> {
    match principal.expires_at() {
        Some(end) if end <= OffsetDateTime::now_utc() => {
            unknown()?;
            Err(Problem::unauthorized(format!("The API key expired on {}", rfc3339(end))))
        }
        _ => Ok(principal),
    }
}
