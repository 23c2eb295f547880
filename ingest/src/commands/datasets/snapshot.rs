//! What a trace or span says now, kept as an item: it is no longer needed then.

use axum::http::HeaderMap;
use runtime::Problem;
use schemas::events::DatasetItemContent;
use schemas::events::datasets::{LONGEST_ITEM, LONGEST_PART};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::parse::{New, Origin, is_too_long};
use crate::ask::Ask;

/// Of a trace or a span, as query-api shows it.
#[derive(Deserialize)]
struct Recorded {
    name: String,
    span_type: Option<String>,
    /// Of a span.
    model: Option<String>,
    /// Of a trace.
    #[serde(default)]
    models: Vec<String>,
    started_at: Option<String>,
    input: Option<Box<RawValue>>,
    output: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
}

/// Where the item is from.
#[derive(Serialize)]
struct Source<'a> {
    trace_id: &'a str,
    span_id: Option<&'a str>,
    name: &'a str,
    span_type: Option<&'a str>,
    models: Vec<&'a str>,
    started_at: Option<&'a str>,
    /// Where something else is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a RawValue>,
}

/// The content of a new item: by hand as it is, of a trace or span with what these say.
pub async fn content(
    ask: &Ask,
    headers: &HeaderMap,
    request_id: &str,
    New { of, content }: &New,
) -> Result<DatasetItemContent, Problem> {
    let Some(of) = of else { return Ok(content.clone()) };
    let (path, what) = match &of.span_id {
        Some(span) => (format!("/api/v1/traces/{}/spans/{span}", of.trace_id), "Span"),
        None => (format!("/api/v1/traces/{}?spans=false", of.trace_id), "Trace"),
    };
    let recorded: Recorded = ask.read(headers, request_id, &path, what).await?;
    let what = what.to_ascii_lowercase();
    let mut faults = Vec::new();
    for (name, part, replaced) in [
        ("input", &recorded.input, false),
        ("output", &recorded.output, false),
        ("metadata", &recorded.metadata, content.metadata.is_some()),
    ] {
        if !replaced && part.as_ref().is_some_and(|part| part.get().len() > LONGEST_PART) {
            faults.push(format!("the {what}'s {name} is longer than {LONGEST_PART} bytes"));
        }
    }
    let content = merged(of, &recorded, content)?;
    if faults.is_empty() && is_too_long(&content) {
        faults.push(format!("the item is longer than {LONGEST_ITEM} bytes with what the {what} says"));
    }
    if faults.is_empty() { Ok(content) } else { Err(Problem::faults(faults)) }
}

fn merged(of: &Origin, recorded: &Recorded, given: &DatasetItemContent) -> Result<DatasetItemContent, Problem> {
    let text = |part: &Option<Box<RawValue>>| part.as_ref().map(|part| part.get().to_owned());
    let source = Source {
        trace_id: &of.trace_id,
        span_id: of.span_id.as_deref(),
        name: &recorded.name,
        span_type: recorded.span_type.as_deref(),
        models: recorded.models.iter().chain(&recorded.model).map(String::as_str).collect(),
        started_at: recorded.started_at.as_deref(),
        output: recorded.output.as_deref().filter(|_| given.expected_output.is_some()),
    };
    Ok(DatasetItemContent {
        user_id: given.user_id.clone(),
        input: text(&recorded.input),
        expected_output: given.expected_output.clone().or_else(|| text(&recorded.output)),
        metadata: given.metadata.clone().or_else(|| text(&recorded.metadata)),
        source: Some(serde_json::to_string(&source).map_err(Problem::internal)?),
    })
}
