//! The pieces of a prompt in the order in which a provider reads them.

use std::collections::HashMap;

use serde_json::value::RawValue;

type Object<'a> = HashMap<String, &'a RawValue>;

/// What comes before the messages, in the order of the providers' caches.
const BEFORE: [&str; 6] = ["tools", "system", "system_instruction", "systemInstruction", "instructions", "context"];
const MESSAGES: [&str; 4] = ["messages", "contents", "input", "prompt"];

/// The texts of a prompt's pieces; a prompt that is not of a known form is one piece.
pub fn parts(input: &str) -> Vec<&str> {
    of(input).unwrap_or_else(|| vec![input])
}

fn of(input: &str) -> Option<Vec<&str>> {
    if let Some(list) = list(input) {
        return Some(list);
    }
    let mut object: Object<'_> = serde_json::from_str(input).ok()?;
    // As a client records the arguments of a function.
    if let Some(arguments) = object.get("kwargs").and_then(|raw| serde_json::from_str::<Object<'_>>(raw.get()).ok())
        && MESSAGES.iter().any(|name| arguments.contains_key(*name))
    {
        object = arguments;
    }
    let messages = MESSAGES.iter().find_map(|name| object.get(*name))?.get();
    let mut parts: Vec<&str> = BEFORE.iter().filter_map(|name| object.get(*name)).map(|raw| raw.get()).collect();
    parts.extend(list(messages).unwrap_or_else(|| vec![messages]));
    Some(parts)
}

fn list(text: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}
