//! Nobody gives a key more than he has himself.

use axum::http::StatusCode;
use runtime::Problem;
use runtime::auth::{Principal, Role, Scopes};
use runtime::http::rfc3339;
use runtime::http::routes::Needs;
use time::OffsetDateTime;

/// The role of a new key: the caller's, or the one asked for where it is not above it.
pub fn role(principal: &Principal, asked: Option<Role>) -> Result<Role, Problem> {
    let own = Role::of(&principal.role);
    match asked {
        Some(role) if role < own => {
            forbidden(format!("The role {} is above yours, which is {}", role.as_str(), own.as_str()))
        }
        asked => Ok(asked.unwrap_or(own)),
    }
}

/// A key that expires makes none that lives longer than it. `end` is that of the other key.
pub fn lives_no_longer(principal: &Principal, end: Option<OffsetDateTime>) -> Result<(), Problem> {
    match principal.expires_at() {
        Some(own) if end.is_none_or(|end| end > own) => {
            forbidden(format!("Your API key expires on {}: it gives no other a later end", rfc3339(own)))
        }
        _ => Ok(()),
    }
}

/// Whether the caller may change the scopes of a key from those it holds. Whoever is asked has all scopes himself.
pub fn scopes(principal: &Principal, asked: Scopes, held: Scopes, of: Role) -> Result<(), Problem> {
    if asked.are_within(held) {
        return Ok(());
    }
    if !principal.may(Needs::Administering) {
        let held = held.names().join(", ");
        return forbidden(format!("Only owners and admins give an API key further scopes; it has {held}"));
    }
    let own = Role::of(&principal.role);
    if of < own {
        let (of, own) = (of.as_str(), own.as_str());
        return forbidden(format!(
            "The API key is of the role {of}, which is above yours, {own}: it gets no further scopes"
        ));
    }
    Ok(())
}

fn forbidden<T>(message: String) -> Result<T, Problem> {
    Err(Problem::new(StatusCode::FORBIDDEN, message))
}

#[cfg(test)]
mod tests {
    use runtime::auth::KeyRights;
    use time::Duration;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const END: OffsetDateTime = datetime!(2026-12-01 0:00 UTC);

    fn caller(role: &str, expires_at: Option<OffsetDateTime>) -> Principal {
        let key = expires_at.map(|_| KeyRights { id: Uuid::nil(), scopes: Scopes::FULL, expires_at });
        Principal { tenant: "acme".to_owned(), user: "ann".to_owned(), org: None, role: role.to_owned(), key }
    }

    fn said<T>(result: Result<T, Problem>) -> Result<T, String> {
        result.map_err(|problem| problem.message)
    }

    #[test]
    fn a_role_is_at_most_ones_own() {
        let member = caller("org:member", None);
        assert_eq!(said(role(&member, None)), Ok(Role::Member));
        assert_eq!(said(role(&member, Some(Role::Viewer))), Ok(Role::Viewer));
        let above = "The role admin is above yours, which is member".to_owned();
        assert_eq!(said(role(&member, Some(Role::Admin))), Err(above));
    }

    #[test]
    fn a_key_that_expires_gives_none_a_later_end() {
        let expiring = caller("owner", Some(END));
        assert_eq!(said(lives_no_longer(&expiring, Some(END))), Ok(()));
        let later = "Your API key expires on 2026-12-01T00:00:00.000000Z: it gives no other a later end".to_owned();
        for end in [None, Some(END + Duration::SECOND)] {
            assert_eq!(said(lives_no_longer(&expiring, end)), Err(later.clone()));
            assert_eq!(said(lives_no_longer(&caller("owner", None), end)), Ok(()));
        }
    }

    #[test]
    fn only_who_administers_widens_scopes_and_not_those_of_a_higher_role() {
        let of = |names: &[&str]| Scopes::of(names);
        let (read, write) = (of(&["read"]), of(&["write"]));
        assert_eq!(said(scopes(&caller("viewer", None), read, write, Role::Owner)), Ok(()));
        assert_eq!(said(scopes(&caller("admin", None), write, read, Role::Member)), Ok(()));
        assert_eq!(
            said(scopes(&caller("member", None), write, read, Role::Member)),
            Err("Only owners and admins give an API key further scopes; it has read".to_owned())
        );
        assert_eq!(
            said(scopes(&caller("admin", None), write, read, Role::Owner)),
            Err("The API key is of the role owner, which is above yours, admin: it gets no further scopes".to_owned())
        );
    }
}
