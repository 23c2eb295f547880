//! A request's body → what is to be published, or all of its faults.

use std::collections::HashSet;

use insights::redaction::{Detector, Path};
use runtime::Problem;
use schemas::events::{PayloadField, TapeContent};
use schemas::ids;
use schemas::tapes::{LONGEST_DESCRIPTION, LONGEST_TAG, LONGEST_TITLE, MOST_STEPS, MOST_TAGS};

use crate::json::{Fields, Reader, object};

const MOST_FIELDS: usize = 100;
const LONGEST_FIELD: usize = 512;
/// As many as an identifier of a span has.
const LONGEST_SPAN: usize = 36;
/// Hexadecimal digits of a snapshot's hash.
const HASH_LENGTH: usize = 64;

pub struct New {
    pub trace_id: String,
    /// Of the title, the description and the tags, what is given.
    pub about: TapeContent,
    pub is_public: bool,
    /// Of the preview that was looked at.
    pub sha256: Option<String>,
    pub redact: Redact,
}

/// What is not to be public.
pub struct Redact {
    pub detectors: Vec<Detector>,
    /// Payloads, of the trace and of every span, and the way into them; empty: all of it.
    pub fields: Vec<(PayloadField, Path)>,
    pub spans: HashSet<String>,
}

impl Default for Redact {
    fn default() -> Redact {
        Redact { detectors: Detector::ALL.to_vec(), fields: Vec::new(), spans: HashSet::new() }
    }
}

pub fn new(body: &[u8], user: &str) -> Result<New, Problem> {
    object(body, |reader| {
        let trace_id = reader.id("trace_id", ids::trace_id);
        if reader.fields.get("trace_id").is_none() {
            reader.fault("trace_id", "is missing");
        }
        New {
            trace_id: trace_id.unwrap_or_default(),
            about: about(reader, user),
            is_public: reader.boolean("is_public").unwrap_or(true),
            sha256: hash(reader),
            redact: redact(reader),
        }
    })
}

/// What of a tape changes, and whether it is listed from now on.
pub fn changed(body: &[u8], user: &str) -> Result<(TapeContent, Option<bool>), Problem> {
    object(body, |reader| {
        let (content, is_public) = (about(reader, user), reader.boolean("is_public"));
        let nothing = TapeContent { user_id: user.to_owned(), ..TapeContent::default() };
        if reader.faults.is_empty() && content == nothing && is_public.is_none() {
            reader.faults.push("the body changes none of title, description, tags, is_public".to_owned());
        }
        (content, is_public)
    })
}

fn about(reader: &mut Reader<'_, '_>, user: &str) -> TapeContent {
    let title = reader.name("title", LONGEST_TITLE);
    if title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        reader.fault("title", "is empty");
    }
    let tags = reader.texts("tags", MOST_TAGS, LONGEST_TAG);
    if let Some(at) = tags.iter().flatten().position(|tag| tag.trim().is_empty()) {
        reader.fault(&format!("tags[{at}]"), "is empty");
    }
    TapeContent {
        user_id: user.to_owned(),
        title,
        description: reader.content("description", LONGEST_DESCRIPTION),
        tags: tags.map(distinct),
        snapshot: None,
    }
}

/// In the order of their first appearance.
fn distinct(tags: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    tags.into_iter().filter(|tag| seen.insert(tag.clone())).collect()
}

fn hash(reader: &mut Reader<'_, '_>) -> Option<String> {
    let hash = reader.text("sha256")?;
    if hash.len() != HASH_LENGTH || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        reader.fault("sha256", format_args!("is not {HASH_LENGTH} hexadecimal digits"));
    }
    Some(hash.to_ascii_lowercase())
}

fn redact(reader: &mut Reader<'_, '_>) -> Redact {
    let Some(raw) = reader.fields.get("redact") else { return Redact::default() };
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(raw.get()) else {
        reader.fault("redact", "is not an object");
        return Redact::default();
    };
    let prefix = format!("{}redact.", reader.prefix);
    let mut reader = Reader { fields, prefix, faults: &mut *reader.faults, warnings: &mut *reader.warnings };
    Redact { detectors: detectors(&mut reader), fields: fields_of(&mut reader), spans: spans(&mut reader) }
}

fn detectors(reader: &mut Reader<'_, '_>) -> Vec<Detector> {
    let Some(names) = reader.texts("detectors", Detector::ALL.len(), LONGEST_FIELD) else {
        return Redact::default().detectors;
    };
    let found: Vec<Option<Detector>> = names.iter().map(|name| Detector::parse(name)).collect();
    if found.contains(&None) {
        reader.fault("detectors", format_args!("are not of {}", Detector::ALL.map(Detector::as_str).join(", ")));
    }
    // In the order in which they are applied.
    Detector::ALL.into_iter().filter(|detector| found.contains(&Some(*detector))).collect()
}

fn fields_of(reader: &mut Reader<'_, '_>) -> Vec<(PayloadField, Path)> {
    let mut fields = Vec::new();
    for (at, text) in reader.texts("fields", MOST_FIELDS, LONGEST_FIELD).unwrap_or_default().iter().enumerate() {
        let mut path = text.split('.').map(str::to_owned);
        match path.next().and_then(|field| PayloadField::parse(&field)) {
            Some(field) => fields.push((field, path.collect())),
            None => {
                let all = PayloadField::ALL.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ");
                reader.fault(&format!("fields[{at}]"), format_args!("begins with none of {all}"));
            }
        }
    }
    fields
}

fn spans(reader: &mut Reader<'_, '_>) -> HashSet<String> {
    let mut spans = HashSet::new();
    for (at, text) in reader.texts("spans", MOST_STEPS, LONGEST_SPAN).unwrap_or_default().iter().enumerate() {
        match ids::span_id(text) {
            Ok(id) => {
                spans.insert(id);
            }
            Err(fault) => reader.fault(&format!("spans[{at}]"), fault),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";

    fn faults(rest: &str) -> String {
        new(format!("{{\"trace_id\":\"{TRACE}\"{rest}}}").as_bytes(), "u").err().map_or_else(String::new, |p| p.message)
    }

    #[test]
    fn detectors_are_on_unless_others_are_named() {
        let of = |rest: &str| new(format!("{{\"trace_id\":\"{TRACE}\"{rest}}}").as_bytes(), "u").unwrap();
        let plain = of("");
        assert!(plain.is_public && plain.redact.detectors == Detector::ALL);
        assert_eq!(of(r#","redact":{}"#).redact.detectors, Detector::ALL);
        assert_eq!(of(r#","redact":{"detectors":["emails"]}"#).redact.detectors, [Detector::Emails]);
        assert!(of(r#","redact":{"detectors":[]}"#).redact.detectors.is_empty());
        let fields = of(r#","redact":{"fields":["output","input.messages.*.content"]}"#).redact.fields;
        assert_eq!(fields[0], (PayloadField::Output, Vec::new()));
        assert_eq!(fields[1].1, ["messages", "*", "content"]);
    }

    #[test]
    fn every_fault_is_named() {
        assert_eq!(
            faults(r#","title":" ","tags":[""],"is_public":1,"sha256":"x""#),
            "title is empty; tags[0] is empty; is_public is neither true nor false; sha256 is not 64 hexadecimal digits"
        );
        assert_eq!(
            faults(r#","redact":{"detectors":["names"],"fields":["cost"],"spans":["x"]}"#),
            "redact.detectors are not of keys, emails; \
             redact.fields[0] begins with none of input, output, error, metadata, token_ids, logprobs; \
             redact.spans[0] is neither a UUID nor a 16-hex OpenTelemetry span id"
        );
        assert_eq!(faults(r#","redact":[]"#), "redact is not an object");
    }
}
