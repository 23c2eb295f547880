//! In front of every route that needs it: credentials, the rate limit, and what the caller's role and the scopes of its key
//! allow.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use schemas::audit::client::Client;

use super::client_ip::{self, ClientIp};
use super::routes::{Class, Needs, Route};
use super::{InflightBytes, Limits, RequestNames};
use crate::auth::{Authenticator, Credentials, Principal, Seen};
use crate::{Problem, Settings};

#[derive(Clone)]
pub struct Gate {
    authenticator: Arc<Authenticator>,
    limits: Arc<Limits>,
    seen: Seen,
    trusted: Arc<Vec<IpAddr>>,
    secret: Arc<str>,
    key_prefix: Arc<str>,
    inflight: InflightBytes,
}

/// The request is that of another service of this installation.
#[derive(Clone, Copy)]
pub struct Internal(());

impl<S: Send + Sync> FromRequestParts<S> for Internal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Internal, Problem> {
        let internal = parts.extensions.get::<Internal>().copied();
        internal.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "This route is for services of this installation"))
    }
}

#[derive(Clone)]
struct At {
    gate: Gate,
    class: Class,
    needs: Needs,
}

impl Gate {
    pub fn new(
        settings: &Settings,
        authenticator: Arc<Authenticator>,
        limits: Arc<Limits>,
        seen: Seen,
    ) -> anyhow::Result<Gate> {
        Ok(Gate {
            authenticator,
            limits,
            seen,
            trusted: Arc::new(client_ip::trusted(settings)?),
            secret: settings.secret.as_str().into(),
            key_prefix: settings.api_key_prefix.as_str().into(),
            inflight: InflightBytes::new(settings),
        })
    }

    pub(super) fn before<S: Clone + Send + Sync + 'static>(
        &self,
        route: &Route,
        handler: MethodRouter<S>,
    ) -> MethodRouter<S> {
        let at = At { gate: self.clone(), class: route.class, needs: route.needs };
        handler.layer(from_fn_with_state(at, pass))
    }

    /// Who has these credentials, if they allow what is needed: of a door whose requests hold them in their content, and
    /// counts what comes through it by itself.
    pub async fn who(&self, headers: &HeaderMap, ip: ClientIp, needs: Needs) -> Result<(Principal, Client), Problem> {
        let address = ip.0.to_string();
        let (principal, auth) = self.caller(headers, &address).await?;
        self.seen.tell(&principal, headers);
        principal.must(needs)?;
        let client = Client { ip: address, user: principal.user.clone(), auth };
        Ok((principal, client))
    }

    /// Whose request it is, and how its credentials may be shown. Guessing is limited by the address.
    async fn caller(&self, headers: &HeaderMap, address: &str) -> Result<(Principal, String), Problem> {
        let guessed = || self.limits.check(Class::Read, address).map(|_| ());
        match Credentials::of(headers) {
            Ok(credentials) => {
                let auth = credentials.shown(&self.key_prefix);
                Ok((self.authenticator.principal(credentials, guessed).await?, auth))
            }
            Err(problem) => guessed().and(Err(problem)),
        }
    }

    /// Another service of this installation, acting for the caller: the caller was counted where it came in.
    fn is_internal(&self, request: &Request) -> bool {
        let claimed = request.headers().get("x-retrace-internal").map(|value| value.as_bytes()).unwrap_or_default();
        let secret = self.secret.as_bytes();
        !secret.is_empty()
            && claimed.len() == secret.len()
            && claimed.iter().zip(secret).fold(0u8, |acc, (a, b)| acc | (a ^ b)) == 0
    }
}

async fn pass(State(at): State<At>, request: Request, next: Next) -> Response {
    match admit(&at, request).await {
        Ok((request, standing)) => {
            let mut response = next.run(request).await;
            if let Some(standing) = standing {
                standing.write(response.headers_mut());
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    At { gate, class, needs }: &At,
    request: Request,
) -> Result<(Request, Option<super::limits::Standing>), Problem> {
    let class = *class;
    let internal = gate.is_internal(&request);
    let (mut parts, body) = request.into_parts();
    let ip = ClientIp::of(&parts, &gate.trusted);
    parts.extensions.insert(ip);
    parts.extensions.insert(gate.inflight.clone());
    if internal {
        parts.extensions.insert(Internal(()));
    }
    if class == Class::Open {
        return Ok((Request::from_parts(parts, body), None));
    }
    if class == Class::Internal {
        let refused = || Problem::unauthorized("This is for the services of this installation");
        return internal.then(|| (Request::from_parts(parts, body), None)).ok_or_else(refused);
    }
    let address = ip.0.to_string();
    if matches!(class, Class::Webhook | Class::Public) {
        let standing = if internal { None } else { gate.limits.check(class, &address)? };
        return Ok((Request::from_parts(parts, body), standing));
    }
    let (principal, auth) = gate.caller(&parts.headers, &address).await?;
    let standing = if internal { None } else { gate.limits.check(class, &principal.limit_key())? };
    if !internal {
        gate.seen.tell(&principal, &parts.headers);
    }
    principal.must(*needs)?;
    if let Some(names) = parts.extensions.get_mut::<RequestNames>() {
        names.client = Some(Client { ip: address, user: principal.user.clone(), auth });
    }
    parts.extensions.insert(principal);
    Ok((Request::from_parts(parts, body), standing))
}
