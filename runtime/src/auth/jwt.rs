//! Bearer tokens: RS256 only, keys from a JWKS whose rotation is followed without letting callers cause floods of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{Principal, Role};
use crate::{Problem, Settings};

pub struct JwtVerifier {
    validation: Validation,
    parties: Vec<String>,
    keys: Arc<KeySet>,
}

/// The identity provider's keys as last published. Whoever needs none but these never waits for the provider.
struct KeySet {
    url: String,
    refresh: Duration,
    client: reqwest::Client,
    by_id: RwLock<HashMap<String, DecodingKey>>,
    fetching: Mutex<Fetches>,
}

/// After so long the keys are looked at again though none is missing: a withdrawn one must not live for ever.
const RENEW_AFTER: Duration = Duration::from_secs(300);

#[derive(Default)]
struct Fetches {
    last: Option<Instant>,
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
        let mut required = vec!["exp", "sub"];
        if !settings.jwt_issuer.is_empty() {
            validation.set_issuer(&[&settings.jwt_issuer]);
            required.push("iss");
        }
        let audience: Vec<&str> = Settings::list(&settings.jwt_audience).collect();
        if audience.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&audience);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        Ok(Some(JwtVerifier {
            validation,
            parties: Settings::list(&settings.jwt_authorized_parties).map(str::to_owned).collect(),
            keys: Arc::new(KeySet {
                url: settings.jwt_jwks_url.clone(),
                refresh: Duration::from_secs(settings.jwt_refresh_seconds),
                client: reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?,
                by_id: RwLock::default(),
                fetching: Mutex::default(),
            }),
        }))
    }

    /// `guessed` is asked once for every token that does not hold, so that guessing is limited.
    pub async fn verify(&self, token: &str, guessed: impl Fn() -> Result<(), Problem>) -> Result<Principal, Problem> {
        let refused = || guessed().err().unwrap_or_else(invalid);
        let header = decode_header(token).map_err(|_| refused())?;
        let id = header.kid.filter(|_| header.alg == Algorithm::RS256).ok_or_else(refused)?;
        let key = match KeySet::known(&self.keys, &id) {
            Some(key) => key,
            None => self.keys.look_up(&id).await?.ok_or_else(refused)?,
        };
        let claims: Claims = decode(token, &key, &self.validation).map_err(|_| refused())?.claims;
        self.principal(claims).ok_or_else(refused)
    }

    fn principal(&self, claims: Claims) -> Option<Principal> {
        if !self.parties.is_empty() && !claims.azp.is_some_and(|azp| self.parties.contains(&azp)) {
            return None;
        }
        if claims.sub.is_empty() || claims.sub.contains('\0') {
            return None;
        }
        let org = claims.org_id.filter(|org| !org.is_empty() && !org.contains('\0'));
        // Who has no organisation owns what there is; in one, a token without a role is a member's.
        let alone = if org.is_none() { Role::Owner } else { Role::Member }.as_str().to_owned();
        Some(Principal {
            tenant: org.clone().unwrap_or_else(|| claims.sub.clone()),
            user: claims.sub,
            org,
            role: claims.org_role.unwrap_or(alone),
            key: None,
        })
    }
}

impl KeySet {
    /// Old keys are renewed beside the request, which does not wait for that.
    fn known(this: &Arc<KeySet>, id: &str) -> Option<DecodingKey> {
        let key = this.get(id)?;
        if let Ok(fetches) = this.fetching.try_lock()
            && fetches.is_older_than(RENEW_AFTER)
        {
            drop(fetches);
            let keys = Arc::clone(this);
            tokio::spawn(async move { keys.renew(&mut *keys.fetching.lock().await).await });
        }
        Some(key)
    }

    /// One caller fetches, the others wait for it; an unknown id causes at most one fetch an interval.
    async fn look_up(&self, id: &str) -> Result<Option<DecodingKey>, Problem> {
        let mut fetches = self.fetching.lock().await;
        if let Some(key) = self.get(id) {
            return Ok(Some(key));
        }
        self.renew(&mut fetches).await;
        match self.get(id) {
            None if fetches.failed => {
                Err(Problem::unavailable("The identity provider's keys cannot be fetched", self.refresh.as_secs()))
            }
            found => Ok(found),
        }
    }

    fn get(&self, id: &str) -> Option<DecodingKey> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// What was published before stays in force while the provider cannot be reached.
    async fn renew(&self, fetches: &mut Fetches) {
        if !fetches.is_older_than(self.refresh) {
            return;
        }
        let fetched = self.fetch().await;
        fetches.last = Some(Instant::now());
        fetches.failed = fetched.is_err();
        match fetched {
            Ok(by_id) => *self.by_id.write().unwrap_or_else(PoisonError::into_inner) = by_id,
            Err(cause) => tracing::warn!(cause = %cause, "the JWKS cannot be fetched"),
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

impl Fetches {
    fn is_older_than(&self, age: Duration) -> bool {
        self.last.is_none_or(|at| at.elapsed() >= age)
    }
}

fn invalid() -> Problem {
    Problem::unauthorized("The bearer token is not valid")
}
