//! The fields that differ.

use std::collections::{BTreeMap, BTreeSet};

use insights::diff::json::compact;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::super::documents::PromptChange;
use super::super::versions::VersionRow;

pub fn between(from: &VersionRow, to: &VersionRow) -> Vec<PromptChange> {
    let mut changes = Vec::new();
    let mut compare = |path: String, from: Option<Box<RawValue>>, to: Option<Box<RawValue>>| {
        let op = match (&from, &to) {
            (Some(from), Some(to)) if compact(from.get()) != compact(to.get()) => "changed",
            (Some(_), None) => "removed",
            (None, Some(_)) => "added",
            _ => return,
        };
        changes.push(PromptChange { path, op, from, to });
    };
    compare("content".to_owned(), json(&from.content), json(&to.content));
    let (mut before, mut after) = (messages(from).into_iter(), messages(to).into_iter());
    for at in 0..before.len().max(after.len()) {
        compare(format!("messages[{at}]"), before.next(), after.next());
    }
    compare("model".to_owned(), json(&from.model), json(&to.model));
    let (mut before, mut after) = (config(from), config(to));
    for key in before.keys().chain(after.keys()).cloned().collect::<BTreeSet<_>>() {
        compare(format!("config.{key}"), before.remove(&key), after.remove(&key));
    }
    compare("variables".to_owned(), json(&Some(&from.variables)), json(&Some(&to.variables)));
    changes
}

fn json<T: Serialize>(value: &Option<T>) -> Option<Box<RawValue>> {
    value.as_ref().and_then(|value| to_raw_value(value).ok())
}

fn messages(version: &VersionRow) -> Vec<Box<RawValue>> {
    version.messages.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn config(version: &VersionRow) -> BTreeMap<String, Box<RawValue>> {
    version.config.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::version;
    use super::*;

    fn shown(from: &VersionRow, to: &VersionRow) -> Vec<String> {
        let raw = |value: Option<Box<RawValue>>| value.map_or("-".to_owned(), |value| value.get().to_owned());
        let line =
            |change: PromptChange| format!("{} {} {} {}", change.path, change.op, raw(change.from), raw(change.to));
        between(from, to).into_iter().map(line).collect()
    }

    #[test]
    fn texts_and_settings_are_compared_by_field() {
        let before = VersionRow {
            model: Some("a".to_owned()),
            config: Some(r#"{"t": 1, "stop": ["x", "y"], "gone": null}"#.to_owned()),
            ..version(Some("x"), None)
        };
        let after = VersionRow {
            config: Some(r#"{"stop":["x","y"],"t":2,"new":true}"#.to_owned()),
            variables: vec!["x".to_owned()],
            ..version(Some("{{x}}"), None)
        };
        assert_eq!(
            shown(&before, &after),
            [
                r#"content changed "x" "{{x}}""#,
                r#"model removed "a" -"#,
                "config.gone removed null -",
                "config.new added - true",
                "config.t changed 1 2",
                r#"variables changed [] ["x"]"#
            ]
        );
        assert!(shown(&before, &before).is_empty());
    }

    #[test]
    fn messages_are_compared_by_place() {
        let before = version(None, Some(r#"[{"role":"user","content":"a"},{"role":"user","content":"b"}]"#));
        let after = version(None, Some(r#"[{"role": "user", "content": "a"}, {"role":"user","content":"c"}, 3]"#));
        assert_eq!(
            shown(&before, &after),
            [
                r#"messages[1] changed {"role":"user","content":"b"} {"role":"user","content":"c"}"#,
                "messages[2] added - 3"
            ]
        );
        let text = version(Some("a"), None);
        assert_eq!(shown(&before, &text).len(), 3);
    }
}
