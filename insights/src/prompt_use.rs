//! Which version of a prompt a span says that it was made with.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::Xxh3;

/// A prompt as its id or its name addresses it, and the version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PromptUse {
    /// Never 0 of a prompt.
    pub prompt: u64,
    pub version: i64,
}

/// Of a span's metadata: `prompt_id`, or else `prompt_name`, with `prompt_version`.
pub fn prompt_use(metadata: &str) -> Option<PromptUse> {
    // Most name none, and need not be parsed.
    if !metadata.contains("prompt_version") {
        return None;
    }
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(metadata).ok()?;
    let version = field(&fields, "prompt_version").filter(|version: &i64| *version >= 1)?;
    let id = field(&fields, "prompt_id").map(|id: String| of_id(&id));
    let prompt = id.or_else(|| field(&fields, "prompt_name").map(|name: String| of_name(&name)))?;
    Some(PromptUse { prompt, version })
}

fn field<T: DeserializeOwned>(fields: &BTreeMap<String, &RawValue>, name: &str) -> Option<T> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

pub fn of_id(id: &str) -> u64 {
    hash("id", &id.to_lowercase())
}

pub fn of_name(name: &str) -> u64 {
    hash("name", name)
}

/// A hash, since the rows that are counted by it outlive what is deleted.
fn hash(kind: &str, text: &str) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(kind.as_bytes());
    hasher.update(b"\0");
    hasher.update(text.as_bytes());
    hasher.digest().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_goes_before_a_name_and_a_version_is_needed() {
        let used = |prompt, version| Some(PromptUse { prompt, version });
        for (metadata, expected) in [
            (r#"{"prompt_id": "0199AA", "prompt_version": 3, "prompt_name": "n"}"#, used(of_id("0199aa"), 3)),
            (r#"{"prompt_name": "Greeting", "prompt_version": 1}"#, used(of_name("Greeting"), 1)),
            (r#"{"prompt_id": 7, "prompt_name": "n", "prompt_version": 1}"#, used(of_name("n"), 1)),
            (r#"{"prompt_name": "Greeting"}"#, None),
            (r#"{"prompt_version": 1}"#, None),
            (r#"{"prompt_name": "n", "prompt_version": 0}"#, None),
            (r#"{"prompt_name": "n", "prompt_version": "1"}"#, None),
            (r#"["prompt_version"]"#, None),
            ("prompt_version", None),
        ] {
            assert_eq!(prompt_use(metadata), expected, "{metadata}");
        }
        assert_ne!(of_id("a"), of_name("a"));
    }
}
