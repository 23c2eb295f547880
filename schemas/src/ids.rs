//! Identity of traces and spans: the lower-cased text of a UUID or of an OpenTelemetry id.

use uuid::Uuid;

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
}
