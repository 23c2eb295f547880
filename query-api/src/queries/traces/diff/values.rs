//! What of a step differs, value by value.

use std::time::Instant;

use insights::diff::Part;
use insights::diff::json::{self, Changes};
use insights::diff::text::words;
use serde_json::value::{RawValue, to_raw_value};

use super::super::payloads::Payloads;
use super::super::rows::SpanRow;
use super::documents::{DiffChange, DiffWords};

/// Of a step.
const MOST_CHANGES: usize = 50;
/// Of a longer value the beginning is shown.
const LONGEST_VALUE: usize = 4_096;
/// Longer texts are not compared by words.
const LONGEST_TEXT: usize = 20_000;

/// What a span says, as JSON.
pub struct Said {
    name: Option<String>,
    model: Option<String>,
    input: Option<String>,
    output: Option<String>,
    error: Option<String>,
}

#[derive(Default)]
pub struct Shown {
    pub shown: Vec<DiffChange>,
    pub left_out: usize,
    /// In bytes.
    pub size: usize,
}

impl Said {
    /// With its payloads, which are taken.
    pub fn of(trace_id: &str, span: &SpanRow, payloads: &mut Payloads) -> Said {
        let mut text = |field| payloads.text(trace_id, &span.span_id, field);
        Said {
            input: text("input"),
            output: text("output"),
            error: text("error").as_deref().map(quoted),
            name: Some(quoted(&span.name)),
            model: span.model.as_deref().map(quoted),
        }
    }

    fn part(&self, part: Part) -> Option<(&'static str, Option<&str>)> {
        let (path, value) = match part {
            Part::Name => ("name", &self.name),
            Part::Model => ("model", &self.model),
            Part::Input => ("input", &self.input),
            Part::Output => ("output", &self.output),
            Part::Error => ("error", &self.error),
            // Its id says nothing across traces.
            Part::Parent => return None,
        };
        Some((path, value.as_deref()))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub fn changes(from: &Said, to: &Said, differs: &[Part], deadline: Instant) -> Shown {
    let mut changes = Changes::new(MOST_CHANGES, deadline);
    for part in differs {
        if let Some(((path, one), (_, other))) = from.part(*part).zip(to.part(*part)) {
            changes.compare(path, one, other);
        }
    }
    let left_out = changes.left_out;
    let mut size = 0;
    let shown = changes.found.into_iter().map(|change| {
        let words = change.from.zip(change.to).and_then(|(from, to)| by_words(from, to, deadline));
        let (from, to) = (change.from.map(shortened), change.to.map(shortened));
        let is_cut = [&from, &to].into_iter().flatten().any(|(_, is_cut)| *is_cut);
        let of_words = words.iter().flatten().map(|row| row.text.len()).sum::<usize>();
        let of_value = |value: &Option<(Box<RawValue>, bool)>| value.as_ref().map_or(0, |(json, _)| json.get().len());
        size += of_words + of_value(&from) + of_value(&to);
        DiffChange {
            path: change.path,
            op: match (&from, &to) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            is_cut,
            from: from.map(|(json, _)| json),
            to: to.map(|(json, _)| json),
            words,
        }
    });
    Shown { shown: shown.collect(), left_out, size }
}

/// Of two texts.
fn by_words(from: &str, to: &str, deadline: Instant) -> Option<Vec<DiffWords>> {
    if from.len().max(to.len()) > LONGEST_TEXT {
        return None;
    }
    let rows = words(&json::string(from)?, &json::string(to)?, deadline);
    Some(rows.into_iter().map(|(op, text)| DiffWords { op: op.name(), text }).collect())
}

/// The value, or as a text the beginning of a long one, and which of the two it is.
fn shortened(json: &str) -> (Box<RawValue>, bool) {
    if json.len() <= LONGEST_VALUE
        && let Ok(whole) = RawValue::from_string(json.to_owned())
    {
        return (whole, false);
    }
    let text = json::string(json);
    let text = text.as_deref().unwrap_or(json);
    let beginning = &text[..text.floor_char_boundary(LONGEST_VALUE)];
    (to_raw_value(beginning).unwrap_or_else(|_| RawValue::NULL.to_owned()), true)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(input: &str, model: Option<&str>) -> Said {
        let (name, output, error) = (Some(quoted("chat")), None, None);
        Said { name, model: model.map(quoted), input: Some(input.to_owned()), output, error }
    }

    fn between(from: &Said, to: &Said) -> Shown {
        changes(from, to, &[Part::Parent, Part::Model, Part::Input], Instant::now() + Duration::from_secs(1))
    }

    #[test]
    fn values_are_shown_as_they_were_sent_and_texts_by_words() {
        let shown = between(&said(r#"{"q":"a b","n":1.50}"#, None), &said(r#"{"q":"a c","n":2}"#, Some("m")));
        let line = |change: &DiffChange| {
            let raw = |value: &Option<Box<RawValue>>| value.as_ref().map_or("-", |value| value.get()).to_owned();
            let words = change.words.iter().flatten().map(|row| format!(" {}:{}", row.op, row.text));
            format!(
                "{} {} {} {}{}",
                change.path,
                change.op,
                raw(&change.from),
                raw(&change.to),
                words.collect::<String>()
            )
        };
        let lines: Vec<String> = shown.shown.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "model added - \"m\"",
                "input.n changed 1.50 2",
                "input.q changed \"a b\" \"a c\" equal:a  delete:b insert:c"
            ]
        );
        assert!(shown.size > 0 && shown.left_out == 0);
    }

    #[test]
    fn a_long_value_is_shown_by_its_beginning() {
        let long = |letter: &str| quoted(&letter.repeat(2 * LONGEST_TEXT));
        let shown = between(&said(&long("é"), None), &said(&format!("[{}]", "1,".repeat(LONGEST_TEXT)), None));
        let change = &shown.shown[0];
        assert!(change.is_cut && change.words.is_none());
        let text: String = serde_json::from_str(change.from.as_ref().unwrap().get()).unwrap();
        assert_eq!(text.len(), LONGEST_VALUE);
        assert!(shown.size < 3 * LONGEST_VALUE);
    }
}
