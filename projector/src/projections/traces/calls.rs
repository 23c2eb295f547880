//! The calls of a model within a trace, one by one: what duplicates, retries and shared beginnings of prompts are found by.

use std::collections::BTreeMap;

use insights::calls::{call, parameters, prompt};
use insights::prompt_use::{PromptUse, prompt_use};
use schemas::events::{Cell, PayloadField};

use super::rows::{SpanRow, TraceModelRow};

/// Of one model in one trace; what goes beyond is in the sums only.
const MOST: usize = 1_000;

/// By (start is unknown, start, span).
pub type Calls = BTreeMap<(bool, i64, String), Call>;

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    failed: u8,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cost: i128,
    hash: u64,
    heads: Vec<u64>,
    head_tokens: Vec<u32>,
}

/// What a payload says of the span's call. Of a text in chunks nothing is here.
pub fn read(cell: &Cell, span: &mut SpanRow) {
    let text = (cell.chunks == 0).then_some(cell.value.as_str());
    match cell.field {
        PayloadField::Input => {
            let prompt = text.map(prompt).unwrap_or_default();
            (span.prompt_hash, span.prompt_length) = (prompt.hash, prompt.length);
            (span.head_hashes, span.head_lengths) = prompt.heads.iter().map(|head| (head.hash, head.length)).unzip();
        }
        PayloadField::Metadata => {
            span.parameters_hash = text.map(parameters).unwrap_or_default();
            let PromptUse { prompt, version } = text.and_then(prompt_use).unwrap_or_default();
            (span.used_prompt, span.used_prompt_version) = (prompt, version);
        }
        _ => {}
    }
}

pub fn place(span: &SpanRow) -> (bool, i64, String) {
    (span.started_at.is_none(), span.started_at.unwrap_or(0), span.span_id.clone())
}

impl Call {
    pub fn of(span: &SpanRow) -> Call {
        let input_tokens = span.input_tokens.unwrap_or(0);
        Call {
            failed: span.failed,
            input_tokens,
            output_tokens: span.output_tokens.unwrap_or(0),
            cache_read_tokens: span.cache_read_tokens.unwrap_or(0),
            cost: span.cost.unwrap_or(0),
            hash: call(span.prompt_hash, span.parameters_hash),
            heads: span.head_hashes.clone(),
            head_tokens: span
                .head_lengths
                .iter()
                .map(|length| share(input_tokens, *length, span.prompt_length))
                .collect(),
        }
    }
}

/// The tokens of a beginning, by its share of the prompt's bytes.
fn share(tokens: i64, length: u32, whole: u32) -> u32 {
    let share = i128::from(tokens) * i128::from(length) / i128::from(whole.max(1));
    u32::try_from(share).unwrap_or(u32::MAX)
}

/// Into the row of their model.
pub fn list(calls: &Calls, row: &mut TraceModelRow) {
    for ((is_unknown, started_at, _), call) in calls.iter().take(MOST) {
        row.call_started_at.push(if *is_unknown { row.started_at } else { *started_at });
        row.call_failed.push(call.failed);
        row.call_input_tokens.push(call.input_tokens);
        row.call_output_tokens.push(call.output_tokens);
        row.call_cache_read_tokens.push(call.cache_read_tokens);
        row.call_cost.push(call.cost);
        row.call_hash.push(call.hash);
        row.call_heads.push(call.heads.clone());
        row.call_head_tokens.push(call.head_tokens.clone());
    }
}
