//! A request's body → what it says about a dataset or an item, or all of its faults.

use runtime::Problem;
use schemas::events::datasets::{LONGEST_ITEM, LONGEST_PART};
use schemas::events::{DatasetContent, DatasetItemContent};
use schemas::ids;

use crate::json::{Reader, object};

const LONGEST_NAME: usize = 256;
const LONGEST_DESCRIPTION: usize = 16_384;

/// An item to add.
pub struct New {
    /// Whose snapshot it is.
    pub of: Option<Origin>,
    pub content: DatasetItemContent,
}

pub struct Origin {
    pub trace_id: String,
    pub span_id: Option<String>,
}

pub fn created(body: &[u8], user: &str) -> Result<DatasetContent, Problem> {
    object(body, |reader| {
        if reader.fields.get("name").is_none() {
            reader.fault("name", "is missing");
        }
        dataset(reader, user)
    })
}

pub fn changed(body: &[u8], user: &str) -> Result<DatasetContent, Problem> {
    object(body, |reader| {
        let content = dataset(reader, user);
        if reader.faults.is_empty() && content.name.is_none() && content.description.is_none() {
            reader.faults.push("the body changes none of name, description".to_owned());
        }
        content
    })
}

pub fn item(body: &[u8], user: &str) -> Result<New, Problem> {
    object(body, |reader| {
        let trace_id = reader.id("trace_id", ids::trace_id);
        let span_id = reader.id("span_id", ids::span_id);
        let (has_trace, has_input) = (reader.fields.get("trace_id").is_some(), reader.fields.get("input").is_some());
        match (has_trace, has_input) {
            (true, true) => reader.faults.push("input and trace_id exclude each other".to_owned()),
            (false, false) => reader.faults.push("input is missing, and so is trace_id".to_owned()),
            _ => {}
        }
        if !has_trace && reader.fields.get("span_id").is_some() {
            reader.fault("span_id", "does not go without a trace_id");
        }
        let content = parts(reader, user);
        bounded(reader, &content);
        New { of: trace_id.map(|trace_id| Origin { trace_id, span_id }), content }
    })
}

pub fn item_changed(body: &[u8], user: &str) -> Result<DatasetItemContent, Problem> {
    object(body, |reader| {
        let mut content = parts(reader, user);
        if reader.fields.is_null("input") {
            reader.fault("input", "is null");
        }
        for (name, part) in [("expected_output", &mut content.expected_output), ("metadata", &mut content.metadata)] {
            if reader.fields.is_null(name) {
                *part = Some(String::new());
            }
        }
        let nothing = DatasetItemContent { user_id: user.to_owned(), ..DatasetItemContent::default() };
        if reader.faults.is_empty() && content == nothing {
            reader.faults.push("the body changes none of input, expected_output, metadata".to_owned());
        }
        bounded(reader, &content);
        content
    })
}

/// A line of an import: what an export says of an item.
pub fn imported(reader: &mut Reader<'_, '_>, user: &str) -> DatasetItemContent {
    let content = DatasetItemContent { source: source(reader), ..parts(reader, user) };
    if reader.fields.get("input").is_none() && reader.fields.get("source").is_none() {
        reader.fault("input", "is missing");
    }
    bounded(reader, &content);
    content
}

/// What an item says, all together.
pub fn is_too_long(content: &DatasetItemContent) -> bool {
    let sizes = content.sizes();
    let all = [sizes.input, sizes.expected_output, sizes.metadata, sizes.source];
    all.into_iter().flatten().sum::<i64>() > LONGEST_ITEM
}

fn dataset(reader: &mut Reader<'_, '_>, user: &str) -> DatasetContent {
    let name = reader.name("name", LONGEST_NAME);
    if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        reader.fault("name", "is empty");
    }
    let description = reader.name("description", LONGEST_DESCRIPTION);
    DatasetContent { user_id: user.to_owned(), name, description }
}

fn parts(reader: &mut Reader<'_, '_>, user: &str) -> DatasetItemContent {
    DatasetItemContent {
        user_id: user.to_owned(),
        input: part(reader, "input"),
        expected_output: part(reader, "expected_output"),
        metadata: part(reader, "metadata"),
        source: None,
    }
}

fn part(reader: &mut Reader<'_, '_>, name: &str) -> Option<String> {
    let part = reader.payload(name)?;
    if part.len() > LONGEST_PART {
        reader.fault(name, format_args!("is longer than {LONGEST_PART} bytes"));
        return None;
    }
    Some(part)
}

/// Names the trace, at least.
fn source(reader: &mut Reader<'_, '_>) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Source {
        trace_id: String,
        span_id: Option<String>,
    }
    let source = part(reader, "source")?;
    match serde_json::from_str::<Source>(&source) {
        Err(_) => reader.fault("source", "is not an object with a trace_id"),
        Ok(Source { trace_id, span_id }) => {
            if let Err(fault) = ids::trace_id(&trace_id) {
                reader.fault("source.trace_id", fault);
            }
            if let Some(Err(fault)) = span_id.as_deref().map(ids::span_id) {
                reader.fault("source.span_id", fault);
            }
        }
    }
    Some(source)
}

fn bounded(reader: &mut Reader<'_, '_>, content: &DatasetItemContent) {
    if is_too_long(content) {
        let fault = format!("{}the item is longer than {LONGEST_ITEM} bytes", reader.prefix);
        reader.faults.push(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";

    fn refusal<T>(read: Result<T, Problem>) -> String {
        read.err().unwrap().message
    }

    #[test]
    fn an_item_is_by_hand_or_of_a_trace() {
        let by_hand = item(br#"{"input": {"q":  1.50}, "expected_output": null, "metadata": "m"}"#, "ann").unwrap();
        assert!(by_hand.of.is_none());
        assert_eq!(by_hand.content.input.as_deref(), Some(r#"{"q":  1.50}"#));
        assert_eq!((by_hand.content.expected_output, by_hand.content.metadata.as_deref()), (None, Some("\"m\"")));
        let body = format!(r#"{{"trace_id": "{}", "span_id": "00F067AA0BA902B7"}}"#, TRACE.to_uppercase());
        let of = item(body.as_bytes(), "ann").unwrap().of.unwrap();
        assert_eq!((of.trace_id.as_str(), of.span_id.as_deref()), (TRACE, Some("00f067aa0ba902b7")));
        for (body, fault) in [
            (r#"{"input": null}"#.to_owned(), "input is missing, and so is trace_id"),
            (format!(r#"{{"input": 1, "trace_id": "{TRACE}"}}"#), "input and trace_id exclude each other"),
            (r#"{"input": 1, "span_id": "00f067aa0ba902b7"}"#.to_owned(), "span_id does not go without a trace_id"),
            (r#"{"trace_id": "x"}"#.to_owned(), "trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id"),
            (format!(r#"{{"input": "{}"}}"#, "x".repeat(LONGEST_PART)), "input is longer than 262144 bytes"),
            (
                format!(r#"{{"input": "{0}", "expected_output": "{0}", "metadata": 1234}}"#, "x".repeat(262_141)),
                "the item is longer than 524288 bytes",
            ),
        ] {
            assert_eq!(refusal(item(body.as_bytes(), "ann")), fault);
        }
    }

    #[test]
    fn null_takes_away_what_an_item_can_do_without() {
        let changed = item_changed(br#"{"expected_output": null, "metadata": {}}"#, "ann").unwrap();
        assert_eq!((changed.input, changed.expected_output.as_deref()), (None, Some("")));
        assert_eq!(changed.metadata.as_deref(), Some("{}"));
        assert_eq!(refusal(item_changed(br#"{"input": null}"#, "ann")), "input is null");
        let nothing = "the body changes none of input, expected_output, metadata";
        assert_eq!(refusal(item_changed(br#"{"other": 1}"#, "ann")), nothing);
    }
}
