//! A request's body → an entry, or all of its faults.

use runtime::Problem;
use schemas::events::MemoryContent;
use schemas::events::memory::{CATEGORIES, SCOPES};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::json::{Reader, object};

const LONGEST_KEY: usize = 512;
pub const LONGEST_VALUE: usize = 65_536;
const LONGEST_ID: usize = 512;
/// Ten years.
const LONGEST_LIFE: i64 = 10 * 365 * 86_400;

pub fn stored(body: &[u8], user: &str, now: OffsetDateTime) -> Result<MemoryContent, Problem> {
    object(body, |reader| {
        for name in ["key", "value", "scope"] {
            if reader.fields.get(name).is_none() {
                reader.fault(name, "is missing");
            }
        }
        let scope = reader.one_of("scope", |text| known(text, SCOPES), SCOPES);
        let content = MemoryContent {
            user_id: user.to_owned(),
            key: name(reader, "key", LONGEST_KEY).unwrap_or_default(),
            value: value(reader).unwrap_or_default(),
            scope: scope.unwrap_or_default().to_owned(),
            category: reader
                .one_of("category", |text| known(text, CATEGORIES), CATEGORIES)
                .unwrap_or("fact")
                .to_owned(),
            confidence: confidence(reader).unwrap_or(1.0),
            project_id: name(reader, "project_id", LONGEST_ID),
            session_id: name(reader, "session_id", LONGEST_ID),
            expires_at: expires_at(reader, now),
        };
        for owner in ["project", "session"] {
            let field = format!("{owner}_id");
            match (scope, reader.fields.get(&field)) {
                (Some(scope), None) if scope == owner => {
                    reader.fault(&field, format_args!("is missing, where scope is {scope}"));
                }
                (Some("global"), Some(_)) => reader.fault(&field, "does not go with scope global"),
                _ => {}
            }
        }
        content
    })
}

fn known(text: &str, all: &'static [&'static str]) -> Option<&'static str> {
    all.iter().copied().find(|known| *known == text)
}

fn name(reader: &mut Reader<'_, '_>, field: &str, longest: usize) -> Option<String> {
    let name = reader.name(field, longest)?;
    if name.is_empty() {
        reader.fault(field, "is empty");
    }
    Some(name)
}

fn value(reader: &mut Reader<'_, '_>) -> Option<String> {
    let raw = reader.fields.get("value")?.get();
    let length = if raw.starts_with('"') { reader.text("value")?.len() } else { raw.len() };
    if length == 0 {
        reader.fault("value", "is empty");
    }
    if length > LONGEST_VALUE {
        reader.fault("value", format_args!("is longer than {LONGEST_VALUE} bytes"));
    }
    if holds_nul(raw) {
        reader.fault("value", "contains NUL");
    }
    Some(raw.to_owned())
}

/// Whether a text in the JSON does: only an escape can say it, and not one of the backslash itself.
fn holds_nul(raw: &str) -> bool {
    let is_escape = |at: usize| raw[..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0;
    raw.match_indices("\\u0000").any(|(at, _)| is_escape(at))
}

fn confidence(reader: &mut Reader<'_, '_>) -> Option<f64> {
    let raw = reader.fields.get("confidence")?.get();
    match serde_json::from_str::<f64>(raw) {
        Ok(confidence) if (0.0..=1.0).contains(&confidence) => Some(confidence.abs()),
        _ => {
            reader.fault("confidence", "is not a number from 0 to 1");
            None
        }
    }
}

/// Microseconds since 1970.
fn expires_at(reader: &mut Reader<'_, '_>, now: OffsetDateTime) -> Option<i64> {
    let at = reader.fields.get("expires_at");
    if reader.fields.get("ttl_seconds").is_some() && at.is_some() {
        reader.faults.push("ttl_seconds and expires_at exclude each other".to_owned());
    }
    let ttl = reader.whole("ttl_seconds", 1..=LONGEST_LIFE).map(|seconds| now + Duration::seconds(seconds));
    let at = at.and_then(|_| {
        let text = reader.text("expires_at")?;
        let at = OffsetDateTime::parse(&text, &Rfc3339).ok();
        match at {
            None => reader.fault("expires_at", "is not an RFC 3339 time"),
            Some(at) if at <= now => reader.fault("expires_at", "is not in the future"),
            Some(at) if at - now > Duration::seconds(LONGEST_LIFE) => {
                reader.fault("expires_at", "is more than ten years away");
            }
            Some(_) => {}
        }
        at
    });
    ttl.or(at).map(|at| (at.unix_timestamp_nanos() / 1000) as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn read(changes: Value) -> Result<MemoryContent, String> {
        let mut body = json!({"key": "k", "value": "v", "scope": "global"});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        stored(body.to_string().as_bytes(), "ann", NOW).map_err(|problem| problem.message)
    }

    #[test]
    fn defaults_are_a_certain_fact_that_stays() {
        let entry = read(json!({})).unwrap();
        assert_eq!((entry.category.as_str(), entry.confidence, entry.expires_at), ("fact", 1.0, None));
        assert_eq!((entry.value.as_str(), entry.user_id.as_str()), ("\"v\"", "ann"));
    }

    #[test]
    fn a_value_is_kept_as_it_is_sent() {
        let body = br#"{"key": "k", "scope": "global", "value": {"b":  1.50, "a": "\u00e9"}}"#;
        assert_eq!(stored(body, "ann", NOW).unwrap().value, r#"{"b":  1.50, "a": "\u00e9"}"#);
        // A text's length is that of what it says.
        let escaped = format!(r#"{{"key": "k", "scope": "global", "value": "{}"}}"#, "\\u0041".repeat(65_536));
        assert!(stored(escaped.as_bytes(), "ann", NOW).is_ok());
        assert!(read(json!({"value": "\\u0000"})).is_ok());
        for (value, fault) in [
            (json!(""), "value is empty"),
            (json!("x".repeat(65_537)), "value is longer than 65536 bytes"),
            (json!(["x".repeat(65_533)]), "value is longer than 65536 bytes"),
            (json!("\0"), "value contains NUL"),
            (json!([{"\\\0": 1}]), "value contains NUL"),
            (Value::Null, "value is missing"),
        ] {
            assert_eq!(read(json!({"value": value})).unwrap_err(), fault);
        }
    }

    #[test]
    fn a_scope_says_which_ids_it_takes() {
        let ids = json!({"project_id": "p", "session_id": "s"});
        for (scope, fault) in [
            ("session", "session_id is missing, where scope is session"),
            ("project", "project_id is missing, where scope is project"),
        ] {
            assert_eq!(read(json!({"scope": scope})).unwrap_err(), fault);
            assert!(read(json!({"scope": scope, "project_id": "p", "session_id": "s"})).is_ok());
        }
        assert_eq!(
            read(ids).unwrap_err(),
            "project_id does not go with scope global; session_id does not go with scope global"
        );
        assert_eq!(read(json!({"scope": "Global"})).unwrap_err(), "scope is not one of session, project, global");
    }

    #[test]
    fn a_life_ends_within_ten_years() {
        let at = |time: OffsetDateTime| Some((time.unix_timestamp_nanos() / 1000) as i64);
        assert_eq!(read(json!({"ttl_seconds": 1})).unwrap().expires_at, at(NOW + Duration::seconds(1)));
        assert_eq!(
            read(json!({"expires_at": "2026-11-20T12:00:00+01:00"})).unwrap().expires_at,
            at(NOW + Duration::HOUR)
        );
        let far = format!("ttl_seconds is not a whole number from 1 to {LONGEST_LIFE}");
        for (body, fault) in [
            (json!({"ttl_seconds": 0}), far.as_str()),
            (json!({"ttl_seconds": LONGEST_LIFE + 1}), far.as_str()),
            (json!({"ttl_seconds": "60"}), far.as_str()),
            (json!({"expires_at": "tomorrow"}), "expires_at is not an RFC 3339 time"),
            (json!({"expires_at": "2026-11-20T10:00:00Z"}), "expires_at is not in the future"),
            (json!({"expires_at": "2036-11-20T10:00:00Z"}), "expires_at is more than ten years away"),
            (
                json!({"ttl_seconds": 1, "expires_at": "2027-01-01T00:00:00Z"}),
                "ttl_seconds and expires_at exclude each other",
            ),
        ] {
            assert_eq!(read(body).unwrap_err(), fault);
        }
    }

    #[test]
    fn a_confidence_is_a_share() {
        assert_eq!(read(json!({"confidence": 0})).unwrap().confidence, 0.0);
        for confidence in [json!(1.1), json!(-0.1), json!("1"), json!(true)] {
            let fault = read(json!({"confidence": confidence})).unwrap_err();
            assert_eq!(fault, "confidence is not a number from 0 to 1");
        }
    }
}
