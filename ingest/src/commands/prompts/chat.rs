//! The messages of a chat prompt: kept as they are sent, once they are sound.

use serde_json::value::RawValue;

use crate::json::{Fields, Reader};

const MOST_MESSAGES: usize = 512;
pub const ROLES: &[&str] = &["system", "user", "assistant", "tool", "developer"];

pub struct Chat {
    /// JSON, as it was sent.
    pub messages: String,
    /// What is said in them, in order.
    pub texts: Vec<String>,
}

pub fn read(reader: &mut Reader<'_, '_>, longest: usize) -> Option<Chat> {
    let raw = reader.fields.get("messages")?.get();
    if raw.len() > longest {
        reader.fault("messages", format_args!("is longer than {longest} bytes"));
        return None;
    }
    let Ok(messages) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
        reader.fault("messages", "is not a list");
        return None;
    };
    if messages.is_empty() || messages.len() > MOST_MESSAGES {
        reader.fault("messages", format_args!("has not 1 to {MOST_MESSAGES} entries"));
        return None;
    }
    let mut texts = Vec::new();
    for (at, message) in messages.into_iter().enumerate() {
        if let Some(mut message) = inner(reader, format!("messages[{at}]"), message) {
            said(&mut message, &mut texts);
        }
    }
    Some(Chat { messages: raw.to_owned(), texts })
}

fn said(message: &mut Reader<'_, '_>, texts: &mut Vec<String>) {
    if message.fields.get("role").is_none() {
        message.fault("role", "is missing");
    }
    message.one_of("role", |role| ROLES.contains(&role).then_some(()), ROLES);
    let Some(content) = message.fields.get("content") else {
        // An assistant's calls of tools may be all that it says.
        if message.fields.get("tool_calls").is_none() {
            message.fault("content", "is missing");
        }
        return;
    };
    if content.get().starts_with('"') {
        return texts.extend(message.text("content"));
    }
    let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(content.get()) else {
        return message.fault("content", "is neither text nor a list of parts");
    };
    for (at, part) in parts.into_iter().enumerate() {
        let path = format!("{}content[{at}]", message.prefix);
        let Some(mut part) = inner(message, path, part) else { continue };
        if part.fields.get("type").is_none() {
            part.fault("type", "is missing");
        }
        if part.text("type").is_some_and(|kind| kind == "text") {
            if part.fields.get("text").is_none() {
                part.fault("text", "is missing");
            }
            texts.extend(part.text("text"));
        }
    }
}

/// A reader of an object within, whose faults are the outer one's.
fn inner<'a, 'f>(outer: &'f mut Reader<'_, '_>, path: String, raw: &'a RawValue) -> Option<Reader<'a, 'f>> {
    let Ok(fields) = serde_json::from_str::<Fields<'a>>(raw.get()) else {
        outer.faults.push(format!("{path} is not an object"));
        return None;
    };
    Some(Reader { fields, prefix: format!("{path}."), faults: outer.faults, warnings: outer.warnings })
}
