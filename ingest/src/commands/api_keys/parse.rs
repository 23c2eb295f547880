//! A request's body → what it asks of a named key, or all of its faults.

use runtime::Problem;
use runtime::auth::{Role, Scope, Scopes};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::json::{Reader, object};

const LONGEST_NAME: usize = 256;
pub const MOST_SCOPES: usize = 16;
const LONGEST_SCOPE: usize = 64;
pub const ROLES: &[&str] = &["owner", "admin", "member", "viewer"];
/// Ten years.
const LONGEST_LIFE: Duration = Duration::days(3_650);

#[derive(Debug, PartialEq)]
pub struct Issue {
    pub name: String,
    pub scopes: Scopes,
    pub expires_at: Option<OffsetDateTime>,
    pub role: Option<Role>,
}

/// None: it stays.
#[derive(Debug, PartialEq)]
pub struct Change {
    pub name: Option<String>,
    pub scopes: Option<Scopes>,
    /// The inner one: it does not expire.
    pub expires_at: Option<Option<OffsetDateTime>>,
}

pub fn issued(body: &[u8], now: OffsetDateTime) -> Result<Issue, Problem> {
    object(body, |reader| {
        for field in ["name", "scopes"] {
            if reader.fields.get(field).is_none() {
                reader.fault(field, "is missing");
            }
        }
        Issue {
            name: name(reader).unwrap_or_default(),
            scopes: scopes(reader).unwrap_or(Scopes::of::<&str>(&[])),
            expires_at: expires_at(reader, now),
            role: reader.one_of("role", |text| Role::ALL.into_iter().find(|role| role.as_str() == text), ROLES),
        }
    })
}

pub fn changed(body: &[u8], now: OffsetDateTime) -> Result<Change, Problem> {
    object(body, |reader| {
        let change = Change {
            name: name(reader),
            scopes: scopes(reader),
            expires_at: match reader.fields.is_null("expires_at") {
                true => Some(None),
                false => expires_at(reader, now).map(Some),
            },
        };
        if reader.faults.is_empty() && change == (Change { name: None, scopes: None, expires_at: None }) {
            reader.faults.push("the body changes none of name, scopes, expires_at".to_owned());
        }
        change
    })
}

fn name(reader: &mut Reader<'_, '_>) -> Option<String> {
    let name = reader.name("name", LONGEST_NAME)?;
    if name.trim().is_empty() {
        reader.fault("name", "is empty");
    }
    Some(name)
}

fn scopes(reader: &mut Reader<'_, '_>) -> Option<Scopes> {
    let names = reader.texts("scopes", MOST_SCOPES, LONGEST_SCOPE)?;
    if names.is_empty() {
        reader.fault("scopes", "is empty");
    }
    for (at, name) in names.iter().enumerate().filter(|(_, name)| Scope::of(name).is_none()) {
        let what = format!("is not one of {}: {name}", Scope::NAMES.join(", "));
        reader.fault(&format!("scopes[{at}]"), what);
    }
    Some(Scopes::of(&names))
}

fn expires_at(reader: &mut Reader<'_, '_>, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let text = reader.text("expires_at")?;
    let at = OffsetDateTime::parse(&text, &Rfc3339).ok();
    match at {
        None => reader.fault("expires_at", "is not an RFC 3339 time"),
        Some(at) if at <= now => reader.fault("expires_at", "is not in the future"),
        Some(at) if at - now > LONGEST_LIFE => reader.fault("expires_at", "is more than ten years away"),
        Some(_) => {}
    }
    // As the log keeps it.
    at.and_then(|at| at.replace_nanosecond(at.nanosecond() / 1_000 * 1_000).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn issue(body: Value) -> Result<Issue, String> {
        issued(body.to_string().as_bytes(), NOW).map_err(|problem| problem.message)
    }

    fn change(body: Value) -> Result<Change, String> {
        changed(body.to_string().as_bytes(), NOW).map_err(|problem| problem.message)
    }

    #[test]
    fn a_key_has_a_name_and_scopes() {
        let read = issue(json!({"name": "ci", "scopes": ["read", "ingest", "read"], "role": "viewer"})).unwrap();
        assert_eq!((read.name.as_str(), read.scopes.names()), ("ci", vec!["ingest".to_owned(), "read".to_owned()]));
        assert_eq!((read.expires_at, read.role), (None, Some(Role::Viewer)));
        for (body, faults) in [
            (json!({}), "name is missing; scopes is missing"),
            (json!({"name": " ", "scopes": []}), "name is empty; scopes is empty"),
            (
                json!({"name": "a\0", "scopes": ["read", "Write"], "role": "org:admin"}),
                "name contains NUL; scopes[1] is not one of ingest, read, write, admin: Write; \
                 role is not one of owner, admin, member, viewer",
            ),
            (json!({"name": 1, "scopes": "read"}), "name is not text; scopes is not a list of texts"),
        ] {
            assert_eq!(issue(body).unwrap_err(), faults);
        }
    }

    #[test]
    fn it_ends_in_the_future() {
        let of = |at: &str| issue(json!({"name": "ci", "scopes": ["read"], "expires_at": at}));
        let end = of("2026-11-20T12:00:00.1234567+01:00").unwrap().expires_at;
        assert_eq!(end, Some(datetime!(2026-11-20 11:00:00.123456 UTC)));
        for (at, fault) in [
            ("tomorrow", "expires_at is not an RFC 3339 time"),
            ("2026-11-20T10:00:00Z", "expires_at is not in the future"),
            ("2037-01-01T00:00:00Z", "expires_at is more than ten years away"),
        ] {
            assert_eq!(of(at).unwrap_err(), fault);
        }
    }

    #[test]
    fn null_takes_the_end_away_and_nothing_else() {
        let read = change(json!({"expires_at": null, "name": null})).unwrap();
        assert_eq!(read, Change { name: None, scopes: None, expires_at: Some(None) });
        assert_eq!(change(json!({"name": "x"})).unwrap().expires_at, None);
        for body in [json!({}), json!({"name": null}), json!({"role": "viewer"})] {
            assert_eq!(change(body).unwrap_err(), "the body changes none of name, scopes, expires_at");
        }
    }
}
