//! Avro single-object encoding: marker, schema fingerprint, datum. The only file that names the Avro library.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_avro_fast::Schema;
use serde_avro_fast::ser::SerializerConfig;

const MARKER: [u8; 2] = [0xc3, 0x01];

#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("the record is not an Avro single object")]
    NotSingleObject,
    #[error("the record's schema {0} is not known to this version")]
    UnknownSchema(String),
    #[error("the record is of type {found}, not {expected}")]
    WrongType { expected: &'static str, found: &'static str },
    #[error("the record does not decode: {0}")]
    Malformed(String),
    #[error("the value does not encode: {0}")]
    Unencodable(String),
}

/// One version of one schema.
pub struct Version {
    pub name: &'static str,
    pub version: u32,
    pub text: &'static str,
}

macro_rules! versions {
    ($($folder:literal : $($version:literal),+;)*) => {
        /// Every schema version ever released; old ones stay readable for ever.
        pub const VERSIONS: &[Version] = &[$($(Version {
            name: $folder,
            version: $version,
            text: include_str!(concat!("../avro/", $folder, "/v", $version, ".avsc")),
        },)+)*];
    };
}

versions! {
    "trace_recorded": 1, 2;
    "trace_content": 1;
    "content_chunk": 1;
    "trace_deleted": 1;
    "trace_repriced": 1;
    "golden_set": 1;
    "feedback_given": 1;
    "feedback_content": 1;
    "root_cause_found": 1;
    "root_cause_content": 1;
    "api_key_created": 1;
    "api_key_revoked": 1;
    "price_table_published": 1;
    "skill_created": 1;
    "skill_changed": 1;
    "skill_deleted": 1;
    "skill_content": 1;
    "prompt_created": 1;
    "prompt_version_added": 1;
    "prompt_labelled": 1;
    "prompt_deleted": 1;
    "prompt_content": 1;
    "prompt_version_content": 1;
    "memory_stored": 1;
    "memory_deleted": 1;
    "memory_content": 1;
    "api_key_issued": 1;
    "api_key_changed": 1;
    "api_key_withdrawn": 1;
    "api_key_used": 1;
    "api_key_content": 1;
    "member_seen": 1;
    "dataset_created": 1;
    "dataset_changed": 1;
    "dataset_deleted": 1;
    "dataset_content": 1;
    "dataset_item_added": 1;
    "dataset_item_changed": 1;
    "dataset_item_deleted": 1;
    "dataset_items_imported": 1;
    "dataset_item_content": 1;
    "plan_changed": 1;
    "comment_created": 1;
    "comment_changed": 1;
    "comment_deleted": 1;
    "comment_content": 1;
    "assignment_created": 1;
    "assignment_changed": 1;
    "assignment_deleted": 1;
    "assignment_content": 1;
    "notifications_read": 1;
    "discussion_closed": 1;
    "tape_part_recorded": 1;
    "tape_part_content": 1;
    "tape_published": 1;
    "tape_content": 1;
    "tape_changed": 1;
    "tape_deleted": 1;
    "tape_featured": 1;
    "tape_viewed": 1;
    "tapes_erased": 1;
    "log_created": 1;
    "contents_erased": 1, 2;
    "redriven": 1;
}

struct Parsed {
    name: &'static str,
    schema: Schema,
}

struct Registry {
    by_fingerprint: HashMap<[u8; 8], Parsed>,
    newest: HashMap<&'static str, [u8; 8]>,
}

static REGISTRY: LazyLock<Result<Registry, String>> = LazyLock::new(|| {
    let mut registry = Registry { by_fingerprint: HashMap::new(), newest: HashMap::new() };
    for version in VERSIONS {
        let schema: Schema = version
            .text
            .parse()
            .map_err(|e| format!("schemas/avro/{}/v{}.avsc: {e}", version.name, version.version))?;
        let fingerprint = *schema.rabin_fingerprint();
        registry.newest.insert(version.name, fingerprint);
        registry.by_fingerprint.insert(fingerprint, Parsed { name: version.name, schema });
    }
    Ok(registry)
});

fn registry() -> Result<&'static Registry, CodecError> {
    REGISTRY.as_ref().map_err(|e| CodecError::Malformed(e.clone()))
}

/// Encodes with the newest version of the named schema.
pub fn encode<T: Serialize>(name: &'static str, value: &T) -> Result<Vec<u8>, CodecError> {
    let registry = registry()?;
    let parsed = registry
        .newest
        .get(name)
        .and_then(|fingerprint| registry.by_fingerprint.get(fingerprint))
        .ok_or_else(|| CodecError::UnknownSchema(name.to_owned()))?;
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&MARKER);
    bytes.extend_from_slice(parsed.schema.rabin_fingerprint());
    serde_avro_fast::to_datum(value, bytes, &mut SerializerConfig::new(&parsed.schema))
        .map_err(|e| CodecError::Unencodable(e.to_string()))
}

/// The schema's name and the datum after the header.
fn open(bytes: &[u8]) -> Result<(&'static Parsed, &[u8]), CodecError> {
    let rest = bytes.strip_prefix(&MARKER).ok_or(CodecError::NotSingleObject)?;
    let (fingerprint, datum) = rest.split_first_chunk::<8>().ok_or(CodecError::NotSingleObject)?;
    let parsed = registry()?
        .by_fingerprint
        .get(fingerprint)
        .ok_or_else(|| CodecError::UnknownSchema(fingerprint.iter().map(|b| format!("{b:02x}")).collect()))?;
    Ok((parsed, datum))
}

/// Decodes by the schema that wrote it; fields that this version added take their defaults.
pub fn decode<T: DeserializeOwned>(name: &'static str, bytes: &[u8]) -> Result<T, CodecError> {
    let (parsed, datum) = open(bytes)?;
    if parsed.name != name {
        return Err(CodecError::WrongType { expected: name, found: parsed.name });
    }
    serde_avro_fast::from_datum_slice(datum, &parsed.schema).map_err(|e| CodecError::Malformed(e.to_string()))
}
