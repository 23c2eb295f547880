//! Identity of traces and spans: the lower-cased text of a UUID or of an OpenTelemetry id.

use uuid::Uuid;

use crate::sealing;

/// Lower-cases a trace id, or says what was expected.
pub fn trace_id(text: &str) -> Result<String, &'static str> {
    accept(text, 32).ok_or("is neither a UUID nor a 32-hex OpenTelemetry trace id")
}

/// Lower-cases a span id, or says what was expected.
pub fn span_id(text: &str) -> Result<String, &'static str> {
    accept(text, 16).ok_or("is neither a UUID nor a 16-hex OpenTelemetry span id")
}

fn accept(text: &str, hex: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let plain = bytes.len() == hex && bytes.iter().all(u8::is_ascii_hexdigit);
    let hyphened = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    (plain || hyphened).then(|| text.to_ascii_lowercase())
}

/// The lower-cased id of a workspace resource, or none: nothing else can name one.
pub fn resource_id(text: &str) -> Option<String> {
    Uuid::try_parse(text).ok().map(|id| id.hyphenated().to_string())
}

/// What a unique name of a workspace resource is known by in the clear: it outlives the name.
pub fn name_hash(noun: &str, tenant: &str, name: &str) -> [u8; 32] {
    sealing::sha256(format!("{noun}\0{tenant}\0{name}").as_bytes())
}

/// By what the log knows an entry of a tenant's memory again, without saying its key. None of the parts holds a NUL.
pub fn memory_key_hash(
    tenant: &str,
    scope: &str,
    project_id: Option<&str>,
    session_id: Option<&str>,
    key: &str,
) -> [u8; 32] {
    let (project_id, session_id) = (project_id.unwrap_or_default(), session_id.unwrap_or_default());
    sealing::sha256(["memory", tenant, scope, project_id, session_id, key].join("\0").as_bytes())
}

/// The event that says that somebody was seen in an interval: the same on every node.
pub fn sighting(tenant: &str, kind: &str, who: &str, role: &str, interval: i64) -> Uuid {
    let names = format!("{kind}\0{tenant}\0{who}\0{role}\0{interval}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, names.as_bytes())
}

/// Of what an event tells a user, once.
pub fn notification_id(event: Uuid, user: &str) -> Uuid {
    derived(event, &format!("notification\0{user}"))
}

/// A new event id: time ordered.
pub fn event_id() -> Uuid {
    Uuid::now_v7()
}

/// One event id a second time gives the same derived id: results of jobs and retried commands use it.
pub fn derived(from: Uuid, purpose: &str) -> Uuid {
    Uuid::new_v5(&from, purpose.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_or_otel_ids() {
        assert_eq!(trace_id("9DEBEEAF-b46e-44fd-8a0a-7efe35a59df9").unwrap(), "9debeeaf-b46e-44fd-8a0a-7efe35a59df9");
        assert!(trace_id("4bf92f3577b34da6a3ce929d0e0e4736").is_ok());
        assert!(span_id("00F067AA0BA902B7").is_ok());
        for bad in
            ["", "x", "00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e473g", "{9debeeaf-b46e-44fd-8a0a-7efe35a59df9}"]
        {
            assert!(trace_id(bad).is_err(), "{bad}");
        }
        assert!(span_id("4bf92f3577b34da6a3ce929d0e0e4736").is_err());
    }

    #[test]
    fn a_key_of_the_memory_is_one_of_its_tenant_and_scope() {
        let hash = memory_key_hash("acme", "session", None, Some("s"), "key");
        assert_eq!(hash, sealing::sha256(b"memory\0acme\0session\0\0s\0key"));
        for other in [
            memory_key_hash("other", "session", None, Some("s"), "key"),
            memory_key_hash("acme", "session", Some("s"), None, "key"),
            memory_key_hash("acme", "global", None, None, "s\u{1}key"),
        ] {
            assert_ne!(hash, other);
        }
    }
}
