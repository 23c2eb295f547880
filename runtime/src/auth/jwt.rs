//! Bearer tokens: RS256 only, keys from a JWKS whose rotation is followed without letting callers cause floods of it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::Principal;
use crate::{Problem, Settings};

pub struct JwtVerifier {
    url: String,
    validation: Validation,
    parties: Vec<String>,
    refresh: Duration,
    client: reqwest::Client,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
    failed: bool,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    org_id: Option<String>,
    org_role: Option<String>,
    azp: Option<String>,
}

impl JwtVerifier {
    /// `None` where no JWKS is configured.
    pub fn new(settings: &Settings) -> anyhow::Result<Option<JwtVerifier>> {
        if settings.jwt_jwks_url.is_empty() {
            return Ok(None);
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 5;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "sub"]);
        if !settings.jwt_issuer.is_empty() {
            validation.set_issuer(&[&settings.jwt_issuer]);
            validation.set_required_spec_claims(&["exp", "sub", "iss"]);
        }
        let audience: Vec<&str> = Settings::list(&settings.jwt_audience).collect();
        if audience.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&audience);
        }
        Ok(Some(JwtVerifier {
            url: settings.jwt_jwks_url.clone(),
            validation,
            parties: Settings::list(&settings.jwt_authorized_parties).map(str::to_owned).collect(),
            refresh: Duration::from_secs(settings.jwt_refresh_seconds),
            client: reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?,
            keys: Mutex::new(Keys::default()),
        }))
    }

    pub async fn verify(&self, token: &str) -> Result<Principal, Problem> {
        let refused = || Problem::unauthorized("The bearer token is not valid");
        let header = decode_header(token).map_err(|_| refused())?;
        if header.alg != Algorithm::RS256 {
            return Err(refused());
        }
        let key = self.key(&header.kid.ok_or_else(refused)?).await?;
        let claims: Claims = decode(token, &key, &self.validation).map_err(|_| refused())?.claims;
        if !self.parties.is_empty() && !claims.azp.is_some_and(|azp| self.parties.contains(&azp)) {
            return Err(refused());
        }
        if claims.sub.is_empty() || claims.sub.contains('\0') {
            return Err(refused());
        }
        let org = claims.org_id.filter(|org| !org.is_empty() && !org.contains('\0'));
        Ok(Principal {
            tenant: org.clone().unwrap_or_else(|| claims.sub.clone()),
            user: claims.sub,
            org,
            role: claims.org_role.unwrap_or_else(|| "owner".to_owned()),
        })
    }

    /// The lock makes concurrent fetches one; an unknown id refetches at most once per interval.
    async fn key(&self, id: &str) -> Result<DecodingKey, Problem> {
        let mut keys = self.keys.lock().await;
        if let Some(key) = keys.by_id.get(id) {
            return Ok(key.clone());
        }
        if keys.fetched.is_none_or(|at| at.elapsed() >= self.refresh) {
            let fetched = self.fetch().await;
            keys.fetched = Some(Instant::now());
            match fetched {
                Ok(by_id) => *keys = Keys { by_id, failed: false, ..std::mem::take(&mut *keys) },
                Err(cause) => {
                    keys.failed = true;
                    tracing::warn!(cause = %cause, "the JWKS cannot be fetched");
                }
            }
        }
        match keys.by_id.get(id) {
            Some(key) => Ok(key.clone()),
            None if keys.failed => {
                Err(Problem::unavailable("The identity provider's keys cannot be fetched", self.refresh.as_secs()))
            }
            None => Err(Problem::unauthorized("The bearer token is not valid")),
        }
    }

    async fn fetch(&self) -> anyhow::Result<HashMap<String, DecodingKey>> {
        let set: JwkSet = self.client.get(&self.url).send().await?.error_for_status()?.json().await?;
        Ok(set
            .keys
            .iter()
            .take(64)
            .filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?)))
            .collect())
    }
}
