//! The caller, and the tenant whose data it may touch.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemas::sealing;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Role, Scopes};
use crate::Problem;
use crate::http::routes::Needs;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub tenant: String,
    pub user: String,
    pub org: Option<String>,
    pub role: String,
    /// None for a bearer token.
    pub key: Option<KeyRights>,
}

/// What an API key takes away from what its role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRights {
    pub id: Uuid,
    pub scopes: Scopes,
    pub expires_at: Option<OffsetDateTime>,
}

impl Principal {
    /// What the log calls this user: stable within the tenant, and not a name.
    pub fn actor(&self) -> String {
        let text = format!("{}\0{}", self.tenant, self.user);
        sealing::hex(&sealing::sha256(text.as_bytes())[..12])
    }

    pub fn may(&self, needs: Needs) -> bool {
        self.must(needs).is_ok()
    }

    /// Whether the caller's role, and the scopes of its key, allow what a route needs.
    pub fn must(&self, needs: Needs) -> Result<(), Problem> {
        let forbidden = |message: String| Err(Problem::new(StatusCode::FORBIDDEN, message));
        let role = Role::of(&self.role);
        if !role.allows(needs) {
            let why = if role == Role::Viewer { "it reads only" } else { "it takes an owner or an admin" };
            return forbidden(format!("The role {} does not allow this: {why}", role.as_str()));
        }
        if self.key.is_some_and(|key| !key.scopes.allows(needs)) {
            let scope = Scopes::for_what(needs);
            return forbidden(format!("The API key does not allow this: it lacks the scope {scope}"));
        }
        Ok(())
    }

    /// When the caller's key ends, if it does.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.key.and_then(|key| key.expires_at)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_refused_what_either_its_role_or_its_scopes_do_not_allow() {
        let of = |role: &str, scopes: Option<&[&str]>| Principal {
            tenant: "acme".to_owned(),
            user: "ann".to_owned(),
            org: None,
            role: role.to_owned(),
            key: scopes.map(|names| KeyRights { id: Uuid::nil(), scopes: Scopes::of(names), expires_at: None }),
        };
        let said = |principal: Principal, needs| principal.must(needs).map_err(|problem| problem.message);
        assert_eq!(said(of("viewer", None), Needs::OwnKeys), Ok(()));
        assert_eq!(said(of("org:admin", Some(&["admin"])), Needs::Administering), Ok(()));
        for (principal, needs, expected) in [
            (of("viewer", Some(&["read"])), Needs::Writing, "The role viewer does not allow this: it reads only"),
            (
                of("member", Some(&["admin"])),
                Needs::Administering,
                "The role member does not allow this: it takes an owner or an admin",
            ),
            (
                of("owner", Some(&["read"])),
                Needs::Recording,
                "The API key does not allow this: it lacks the scope ingest",
            ),
            (
                of("owner", Some(&["write"])),
                Needs::OwnKeys,
                "The API key does not allow this: it lacks the scope admin",
            ),
        ] {
            assert_eq!(said(principal, needs), Err(expected.to_owned()));
        }
    }
}
