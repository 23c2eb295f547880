//! The contract: bytes once written decode for ever, and versions of a schema read each other.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod examples;
mod tapes;

use std::path::PathBuf;

use apache_avro::schema_compatibility::SchemaCompatibility;
use retrace_schemas::codec::{self, VERSIONS};
use retrace_schemas::events::TraceContent;
use retrace_schemas::sealing::{self, SealingKey};
use retrace_schemas::{Event, topics};
use uuid::Uuid;

use examples::{TRACE, content, contents, events};

fn golden(name: &str, version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{name}.v{version}.hex"))
}

fn newest(name: &str) -> u32 {
    VERSIONS.iter().filter(|version| version.name == name).map(|version| version.version).max().unwrap()
}

/// `UPDATE_GOLDEN=1` writes the file of a version that has none yet; one that exists is never written again.
fn same_as_golden(name: &str, bytes: &[u8]) {
    let path = golden(name, newest(name));
    if !path.exists() && std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, sealing::hex(bytes) + "\n").unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(committed.trim(), sealing::hex(bytes), "{name} is written in other bytes than before");
}

fn from_hex(text: &str) -> Vec<u8> {
    text.trim()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn events_are_written_as_before_and_read_back() {
    for (name, event) in events().into_iter().chain(tapes::events()) {
        let bytes = event.encode().unwrap();
        same_as_golden(name, &bytes);
        assert_eq!(Event::decode(event.kind(), &bytes).unwrap().unwrap(), event);
    }
    for (name, bytes) in contents().into_iter().chain(tapes::contents()) {
        same_as_golden(name, &bytes);
    }
    let decoded: TraceContent =
        codec::decode("trace_content", &codec::encode("trace_content", &content()).unwrap()).unwrap();
    assert_eq!(decoded, content());
}

#[test]
fn every_version_has_golden_bytes_that_the_reference_implementation_reads() {
    for version in VERSIONS {
        let path = golden(version.name, version.version);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let bytes = from_hex(&text);
        let schema = apache_avro::Schema::parse_str(version.text).unwrap();
        // Not by `apache_avro`: its 0.22 strays from the specification's canonical form where types have namespaces.
        let canonical = canonical(&serde_json::from_str(version.text).unwrap(), "");
        assert_eq!(bytes[..2], [0xc3, 0x01]);
        assert_eq!(bytes[2..10], rabin(canonical.as_bytes()), "{}: the fingerprint is the schema's", version.name);
        let mut datum = &bytes[10..];
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema).build().unwrap();
        let value = reader.read_value(&mut datum).unwrap();
        assert!(datum.is_empty() && matches!(value, apache_avro::types::Value::Record(_)));
    }
}

/// The specification's Parsing Canonical Form, of what our schemas use.
fn canonical(schema: &serde_json::Value, namespace: &str) -> String {
    use serde_json::Value;
    const PRIMITIVES: &[&str] = &["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    let full = |name: &str, namespace: &str| {
        if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |items: &Value, each: &dyn Fn(&Value) -> String| {
        items.as_array().unwrap().iter().map(each).collect::<Vec<_>>().join(",")
    };
    match schema {
        Value::String(name) if PRIMITIVES.contains(&name.as_str()) => format!("{name:?}"),
        Value::String(name) => format!("{:?}", full(name, namespace)),
        Value::Array(_) => format!("[{}]", list(schema, &|branch| canonical(branch, namespace))),
        _ if !schema["type"].is_string() => canonical(&schema["type"], namespace),
        _ => {
            let kind = text(&schema["type"]);
            if PRIMITIVES.contains(&kind.as_str()) {
                return format!("{kind:?}");
            }
            if kind == "array" {
                return format!("{{\"type\":\"array\",\"items\":{}}}", canonical(&schema["items"], namespace));
            }
            let own = schema["namespace"].as_str().unwrap_or(namespace);
            let name = full(&text(&schema["name"]), own);
            let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
            let field = |field: &Value| {
                format!("{{\"name\":{:?},\"type\":{}}}", text(&field["name"]), canonical(&field["type"], inner))
            };
            let rest = match kind.as_str() {
                "record" => format!("\"fields\":[{}]", list(&schema["fields"], &field)),
                "enum" => {
                    format!("\"symbols\":[{}]", list(&schema["symbols"], &|symbol| format!("{:?}", text(symbol))))
                }
                _ => format!("\"size\":{}", schema["size"]),
            };
            format!("{{\"name\":{name:?},\"type\":{kind:?},{rest}}}")
        }
    }
}

/// The specification's 64-bit Rabin fingerprint, little endian.
fn rabin(bytes: &[u8]) -> [u8; 8] {
    const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
    let step = |fingerprint: u64, _| (fingerprint >> 1) ^ (EMPTY & (fingerprint & 1).wrapping_neg());
    let table: Vec<u64> = (0..256).map(|byte| (0..8).fold(byte, step)).collect();
    let fingerprint = bytes.iter().fold(EMPTY, |fingerprint, byte| {
        (fingerprint >> 8) ^ table[((fingerprint ^ u64::from(*byte)) & 0xff) as usize]
    });
    fingerprint.to_le_bytes()
}

#[test]
fn versions_of_a_schema_read_each_other() {
    let mut pairs = 0;
    for a in VERSIONS {
        for b in VERSIONS.iter().filter(|b| b.name == a.name) {
            let (reader, writer) = (a.text, b.text);
            let parse = |text| apache_avro::Schema::parse_str(text).unwrap();
            SchemaCompatibility::can_read(&parse(writer), &parse(reader))
                .unwrap_or_else(|e| panic!("{} v{} cannot read v{}: {e}", a.name, a.version, b.version));
            pairs += 1;
        }
    }
    assert!(pairs >= VERSIONS.len());
    // What the check above would say of a change that is not compatible.
    let narrower = VERSIONS[0]
        .text
        .replace("\"name\":\"trace_id\",\"type\":\"string\"", "\"name\":\"trace_id\",\"type\":\"long\"");
    let (old, new) =
        (apache_avro::Schema::parse_str(VERSIONS[0].text).unwrap(), apache_avro::Schema::parse_str(&narrower).unwrap());
    assert!(SchemaCompatibility::can_read(&old, &new).is_err());
}

#[test]
fn what_is_no_event_is_refused_with_its_reason() {
    let bytes = events()[0].1.encode().unwrap();
    for (kind, bytes, expected) in [
        ("dev.retrace.trace.recorded.v1", b"garbage".to_vec(), "is not an Avro single object"),
        ("dev.retrace.trace.deleted.v1", bytes.clone(), "is of type trace_recorded, not trace_deleted"),
        ("dev.retrace.trace.recorded.v1", bytes[..bytes.len() - 3].to_vec(), "does not decode"),
        (
            "dev.retrace.trace.recorded.v1",
            [&[0xc3, 1], &[9; 8][..], &[0; 4]].concat(),
            "schema 0909090909090909 is not known",
        ),
    ] {
        let fault = Event::decode(kind, &bytes).unwrap().unwrap_err().to_string();
        assert!(fault.contains(expected), "{fault}");
    }
    assert!(Event::decode("dev.retrace.trace.recorded.v9", &bytes).is_none());
}

#[test]
fn content_opens_under_its_own_key_and_event_only() {
    let key = SealingKey::generate().unwrap();
    let event = Uuid::now_v7();
    let sealed = sealing::seal(&key, event, b"secret").unwrap();
    assert_eq!(sealing::open(&key.secret, event, &sealed).unwrap(), b"secret");
    assert!(sealing::open(&key.secret, Uuid::now_v7(), &sealed).is_err());
    assert!(sealing::open(&SealingKey::generate().unwrap().secret, event, &sealed).is_err());
    let mut tampered = sealed.clone();
    tampered.bytes[0] ^= 1;
    assert!(sealing::open(&key.secret, event, &tampered).is_err());
}

#[test]
fn a_trace_stays_in_its_partition() {
    // Written into existing logs: these numbers never change.
    assert_eq!(topics::trace_partition("local", TRACE, 16), 15);
    assert_eq!(topics::tenant_partition("local", 16), 3);
    assert_eq!(topics::row_version(1, 5), (1 << 48) | 5);
}
