//! The caller, and the tenant whose data it may touch.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemas::sealing;

use super::Role;
use crate::Problem;
use crate::http::routes::Needs;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub tenant: String,
    pub user: String,
    pub org: Option<String>,
    pub role: String,
}

impl Principal {
    /// What the log calls this user: stable within the tenant, and not a name.
    pub fn actor(&self) -> String {
        let text = format!("{}\0{}", self.tenant, self.user);
        sealing::hex(&sealing::sha256(text.as_bytes())[..12])
    }

    /// Whether the caller's role allows what a route needs.
    pub fn must(&self, needs: Needs) -> Result<(), Problem> {
        let role = Role::of(&self.role);
        if role.allows(needs) {
            return Ok(());
        }
        let message = format!("The role {} does not allow this: it reads only", role.as_str());
        Err(Problem::new(StatusCode::FORBIDDEN, message))
    }

    /// The rate limiter's key.
    pub fn limit_key(&self) -> String {
        format!("{}\0{}", self.tenant, self.user)
    }
}

// The gate in front of every route that needs it has put it there.
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Principal, Problem> {
        parts.extensions.get::<Principal>().cloned().ok_or_else(|| Problem::internal("a route without its gate"))
    }
}
