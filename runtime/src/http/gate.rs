//! In front of every route that needs it: credentials, the rate limit, and what the caller's role allows.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::client_ip::{self, ClientIp};
use super::routes::{Class, Needs, Route};
use super::{InflightBytes, Limits};
use crate::auth::{Authenticator, Credentials};
use crate::{Problem, Settings};

#[derive(Clone)]
pub struct Gate {
    authenticator: Arc<Authenticator>,
    limits: Arc<Limits>,
    trusted: Arc<Vec<IpAddr>>,
    secret: Arc<str>,
    inflight: InflightBytes,
}

#[derive(Clone)]
struct At {
    gate: Gate,
    class: Class,
    needs: Needs,
}

impl Gate {
    pub fn new(settings: &Settings, authenticator: Arc<Authenticator>, limits: Arc<Limits>) -> anyhow::Result<Gate> {
        Ok(Gate {
            authenticator,
            limits,
            trusted: Arc::new(client_ip::trusted(settings)?),
            secret: settings.secret.as_str().into(),
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
    if class == Class::Open {
        return Ok((Request::from_parts(parts, body), None));
    }
    let address = ip.0.to_string();
    let principal = match Credentials::of(&parts.headers) {
        Ok(credentials) => {
            let unknown = || gate.limits.check(Class::Read, &address).map(|_| ());
            gate.authenticator.principal(credentials, unknown).await
        }
        Err(problem) => gate.limits.check(Class::Read, &address).and(Err(problem)),
    }?;
    let standing = if internal { None } else { gate.limits.check(class, &principal.limit_key())? };
    principal.must(*needs)?;
    parts.extensions.insert(principal);
    Ok((Request::from_parts(parts, body), standing))
}
