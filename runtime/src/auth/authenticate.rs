//! Credentials of a request, and whose they are.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use sqlx::PgPool;

use super::{JwtVerifier, KeyRing, Principal, hash_key};
use crate::Problem;

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
                    return Ok(principal);
                }
                unknown()?;
                if self.keys.has_ended(&hash) {
                    return Err(Problem::unauthorized("The API key is not known or was revoked"));
                }
                match self.keys.read_through(&self.pool, &hash).await {
                    Ok(Some(principal)) => Ok(principal),
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
