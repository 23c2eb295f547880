//! A request's body → what it says about a prompt, or all of its faults.

use runtime::Problem;
use schemas::events::{PromptContent, PromptVersionContent};
use schemas::ids;

use super::{chat, variables};
use crate::json::{Reader, object};

// Together no more than 512 KiB.
const LONGEST_TEXT: usize = 393_216;
const LONGEST_CONFIG: usize = 65_536;
const LONGEST_DESCRIPTION: usize = 16_384;
const LONGEST_MESSAGE: usize = 4_096;
const LONGEST_MODEL: usize = 256;
const MOST_VARIABLES: usize = 256;
const LONGEST_VARIABLE: usize = 128;

const LONGEST_NAME: usize = 256;
const LONGEST_LABEL: usize = 64;
const MOST_LABELS: usize = 50;
/// What the newest version is always known by.
const LATEST: &str = "latest";

pub struct New {
    pub content: PromptContent,
    pub version: NewVersion,
}

pub struct NewVersion {
    pub content: PromptVersionContent,
    pub labels: Vec<String>,
}

/// Where a label is to point.
#[derive(Default)]
pub struct Target {
    pub version: i64,
    pub from_version: Option<i64>,
}

pub fn created(body: &[u8], user: &str) -> Result<New, Problem> {
    object(body, |reader| {
        let name = name(reader).unwrap_or_default();
        let description = reader.name("description", LONGEST_DESCRIPTION);
        New { content: PromptContent { name, description }, version: version(reader, user) }
    })
}

pub fn added(body: &[u8], user: &str) -> Result<NewVersion, Problem> {
    object(body, |reader| version(reader, user))
}

pub fn target(body: &[u8]) -> Result<Target, Problem> {
    object(body, |reader| {
        let version = reader.whole("version", 1..=i64::MAX);
        if reader.fields.get("version").is_none() {
            reader.fault("version", "is missing");
        }
        Target { version: version.unwrap_or_default(), from_version: reader.whole("from_version", 0..=i64::MAX) }
    })
}

/// The label in a path.
pub fn label(label: &str) -> Result<(), Problem> {
    label_fault(label).map_or(Ok(()), |fault| Err(Problem::bad_request(format!("label {fault}"))))
}

fn name(reader: &mut Reader<'_, '_>) -> Option<String> {
    if reader.fields.get("name").is_none() {
        reader.fault("name", "is missing");
    }
    let name = reader.name("name", LONGEST_NAME)?;
    // A prompt is addressed by id or by name, in a path.
    let fault = if name.trim().is_empty() {
        "is empty"
    } else if ids::resource_id(&name).is_some() {
        "has the form of an id"
    } else if name.contains('/') {
        "contains `/`"
    } else if is_dots(&name) {
        "means a folder in a path"
    } else {
        return Some(name);
    };
    reader.fault("name", fault);
    None
}

fn version(reader: &mut Reader<'_, '_>, user: &str) -> NewVersion {
    let content = reader.content("content", LONGEST_TEXT);
    let chat = chat::read(reader, LONGEST_TEXT);
    match (reader.fields.get("content").is_some(), reader.fields.get("messages").is_some()) {
        (true, true) => reader.faults.push("content and messages exclude each other".to_owned()),
        (false, false) => reader.faults.push("content is missing, and so is messages".to_owned()),
        _ => {}
    }
    if content.as_ref().is_some_and(String::is_empty) {
        reader.fault("content", "is empty");
    }
    let (field, texts) = match &chat {
        Some(chat) => ("messages", chat.texts.as_slice()),
        None => ("content", content.as_slice()),
    };
    let variables = variables::of(texts.iter().map(String::as_str));
    if variables.len() > MOST_VARIABLES {
        reader.fault(field, format_args!("has more than {MOST_VARIABLES} variables"));
    }
    if variables.iter().any(|variable| variable.len() > LONGEST_VARIABLE) {
        reader.fault(field, format_args!("has a variable whose name is longer than {LONGEST_VARIABLE} bytes"));
    }
    let variables = variables.into_iter().map(str::to_owned).collect();
    let content = PromptVersionContent {
        user_id: user.to_owned(),
        content,
        variables,
        messages: chat.map(|chat| chat.messages),
        model: reader.name("model", LONGEST_MODEL),
        config: config(reader),
        message: reader.name("message", LONGEST_MESSAGE),
    };
    NewVersion { content, labels: labels(reader) }
}

fn config(reader: &mut Reader<'_, '_>) -> Option<String> {
    let raw = reader.fields.get("config")?.get();
    if !raw.starts_with('{') {
        reader.fault("config", "is not an object");
    } else if raw.len() > LONGEST_CONFIG {
        reader.fault("config", format_args!("is longer than {LONGEST_CONFIG} bytes"));
    }
    Some(raw.to_owned())
}

/// Each once.
fn labels(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for (at, label) in reader.texts("labels", MOST_LABELS, LONGEST_LABEL).into_iter().flatten().enumerate() {
        // A long one is a fault already.
        if let Some(fault) = label_fault(&label).filter(|_| label.len() <= LONGEST_LABEL) {
            reader.fault(&format!("labels[{at}]"), fault);
        } else if !kept.contains(&label) {
            kept.push(label);
        }
    }
    kept
}

fn label_fault(label: &str) -> Option<&'static str> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !(1..=LONGEST_LABEL).contains(&label.len()) || !label.bytes().all(is_known) {
        return Some("is not 1 to 64 letters (a to z), digits, `_`, `-` and `.`");
    }
    if is_dots(label) {
        return Some("means a folder in a path");
    }
    (label == LATEST).then_some("is reserved: `latest` is always the newest version")
}

/// Clients resolve these before they send a path.
fn is_dots(text: &str) -> bool {
    matches!(text, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        created(body.as_bytes(), "ann").err().unwrap().message
    }

    #[test]
    fn a_text_prompt_is_read() {
        let body = r#"{"name": "greeting", "content": "Hello {{name}}", "model": "m", "config": {"t": 1.0},
                       "labels": ["production", "production"], "message": "first", "unknown": 1}"#;
        let New { content, version } = created(body.as_bytes(), "ann").unwrap();
        assert_eq!((content.name.as_str(), content.description), ("greeting", None));
        assert_eq!(version.labels, ["production"]);
        assert_eq!(version.content.variables, ["name"]);
        assert_eq!(version.content.config.as_deref(), Some(r#"{"t": 1.0}"#));
        assert_eq!((version.content.messages, version.content.user_id.as_str()), (None, "ann"));
    }

    #[test]
    fn a_chat_prompt_is_kept_as_it_is_sent() {
        let messages = r#"[{"role":"system","content":"Be {{tone}}."},  {"role":"user","name":"u","content":[
            {"type":"text","text":"\u007b{question}}"},{"type":"image_url","image_url":{"url":"{{no}}"}}]}]"#;
        let calls = r#"{"messages": [{"role":"assistant","content":null,"tool_calls":[{}]}]}"#;
        assert!(added(calls.as_bytes(), "ann").is_ok());
        let body = format!(r#"{{"messages": {messages}}}"#);
        let version = added(body.as_bytes(), "ann").unwrap();
        assert_eq!(version.content.messages.as_deref(), Some(messages));
        assert_eq!(version.content.variables, ["tone", "question"]);
    }

    #[test]
    fn every_fault_names_its_field() {
        for (name, fault) in [
            ("\"\"", "name is empty"),
            ("7", "name is not text"),
            ("null", "name is missing"),
            ("\"a/b\"", "name contains `/`"),
            ("\"..\"", "name means a folder in a path"),
            ("\"9DEBEEAFb46e44fd8a0a7efe35a59df9\"", "name has the form of an id"),
            ("\"a\\u0000\"", "name contains NUL"),
        ] {
            assert_eq!(refusal(&format!(r#"{{"name": {name}, "content": "x"}}"#)), fault);
        }
        for (version, fault) in [
            ("", "content is missing, and so is messages"),
            (
                r#", "content": "x", "messages": [{"role": "user", "content": ""}]"#,
                "content and messages exclude each other",
            ),
            (r#", "content": """#, "content is empty"),
            (r#", "messages": {}"#, "messages is not a list"),
            (r#", "messages": []"#, "messages has not 1 to 512 entries"),
            (r#", "messages": [1]"#, "messages[0] is not an object"),
            (
                r#", "messages": [{"content": "x"}, {"role": "bot", "content": 1}]"#,
                "messages[0].role is missing; messages[1].role is not one of system, user, assistant, tool, developer; \
                 messages[1].content is neither text nor a list of parts",
            ),
            (
                r#", "messages": [{"role": "user", "content": [1, {}, {"type": "text"}]}, {"role": "user"}]"#,
                "messages[0].content[0] is not an object; messages[0].content[1].type is missing; \
                 messages[0].content[2].text is missing; messages[1].content is missing",
            ),
            (r#", "content": "x", "config": []"#, "config is not an object"),
            (
                r#", "content": "x", "labels": ["a", "b c", "latest"]"#,
                "labels[1] is not 1 to 64 letters (a to z), digits, `_`, `-` and `.`; \
                 labels[2] is reserved: `latest` is always the newest version",
            ),
        ] {
            assert_eq!(refusal(&format!(r#"{{"name": "n"{version}}}"#)), fault);
        }
        let long = format!(r#"{{"name": "n", "content": "{{{{{}}}}}"}}"#, "x".repeat(129));
        assert_eq!(refusal(&long), "content has a variable whose name is longer than 128 bytes");
        assert_eq!(
            target(br#"{"from_version": -1}"#).err().unwrap().message,
            "version is missing; from_version is not a whole number from 0"
        );
    }
}
