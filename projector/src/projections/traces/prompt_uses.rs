//! Which versions of prompts the spans of a trace say that they were made with.

use std::collections::BTreeMap;

use super::rows::{PromptUseRow, SpanRow, TraceRow};

/// By prompt and version.
#[derive(Clone, Debug, Default)]
pub struct PromptUses(BTreeMap<(u64, i64), Used>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Used {
    calls: i64,
    failed: i64,
    tokens: i64,
    cost: i128,
}

impl PromptUses {
    /// Adds `sign` times the span.
    pub fn add(&mut self, span: &SpanRow, sign: i64) {
        if span.used_prompt == 0 {
            return;
        }
        let key = (span.used_prompt, span.used_prompt_version);
        let used = self.0.entry(key).or_default();
        used.calls += sign;
        used.failed += sign * i64::from(span.failed);
        used.tokens += sign * (span.input_tokens.unwrap_or(0) + span.output_tokens.unwrap_or(0));
        used.cost += i128::from(sign) * span.cost.unwrap_or(0);
        if used.calls == 0 {
            self.0.remove(&key);
        }
    }

    pub fn rows(&self, of: &TraceRow) -> Vec<PromptUseRow> {
        let row = |((prompt, prompt_version), used): (&(u64, i64), &Used)| PromptUseRow {
            tenant: of.tenant.clone(),
            prompt: *prompt,
            prompt_version: *prompt_version,
            partition: of.partition,
            version: 0,
            calls: used.calls,
            failed: used.failed,
            tokens: used.tokens,
            cost: used.cost,
        };
        self.0.iter().map(row).collect()
    }
}
