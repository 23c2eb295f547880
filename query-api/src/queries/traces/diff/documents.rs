//! The answers.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::numbers::Number;

/// As it was asked: of two traces, or of two groups.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum DiffAnswer {
    Traces(TraceDiff),
    Groups(GroupDiff),
}

#[derive(Serialize, ToSchema)]
pub struct TraceDiff {
    /// The trace that is compared with
    pub a: String,
    pub b: String,
    #[serde(flatten)]
    pub diff: Diff,
}

/// `original` and `forked` are the steps of the first and of the second trace.
#[derive(Serialize, ToSchema)]
pub struct Diff {
    /// Null where no step differs
    pub first_divergence: Option<Divergence>,
    /// In the order of their starts
    pub steps: Vec<DiffStep>,
    /// Of all steps, whatever is shown
    pub summary: DiffSummary,
    /// Spans of both beyond the first 10,000, which are not compared
    pub left_out: u64,
    /// Steps of the list
    pub total: u64,
    pub limit: u64,
    pub next_cursor: Option<String>,
}

/// The first step that differs for itself, not only by what comes of steps in it that differ.
#[derive(Serialize, ToSchema)]
pub struct Divergence {
    /// Of the step
    pub index: u64,
    /// Of the second trace, where it has the step
    pub span_id: String,
    /// `input_changed`, `output_changed`, `error_changed`, `model_changed`, `name_changed`, `parent_changed`, `added`,
    /// `removed`, `added_repetition`, `removed_repetition` (a loop goes around more or fewer times) or `moved`
    pub reason: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct DiffStep {
    /// Among all steps of both
    pub index: u64,
    /// `same`, `changed`, `added` or `removed`
    pub status: &'static str,
    /// Of a changed one: `name`, `parent`, `model`, `input`, `error`, `output`
    pub differs: Vec<&'static str>,
    /// Both have it, in another order; it stands where the second has it
    pub moved: bool,
    /// Only one has it: a round of a loop more
    pub repeated: bool,
    pub original: Option<DiffSpan>,
    pub forked: Option<DiffSpan>,
    /// At most 50
    pub changes: Vec<DiffChange>,
    pub changes_left_out: u64,
    /// What the second has more; what is not known of one counts as 0
    #[schema(value_type = Option<f64>)]
    pub cost_delta: Option<Number>,
    pub tokens_delta: Option<i64>,
    #[schema(value_type = Option<f64>)]
    pub duration_delta_ms: Option<Number>,
}

#[derive(Serialize, ToSchema)]
pub struct DiffSpan {
    /// In its own trace, in start order from 0
    pub number: u64,
    pub span_id: String,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    pub started_at: Option<String>,
    #[schema(value_type = Option<f64>)]
    pub duration_ms: Option<Number>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    #[schema(value_type = Option<f64>)]
    pub cost: Option<Number>,
    /// It has an error
    pub failed: bool,
}

#[derive(Serialize, ToSchema)]
pub struct DiffChange {
    /// As `input.messages[1].content`; numbers are those of the second trace, of what was removed those of the first
    pub path: String,
    /// `added`, `removed` or `changed`
    pub op: &'static str,
    /// Any JSON; null where it was added
    #[schema(value_type = serde_json::Value)]
    pub from: Option<Box<RawValue>>,
    /// Any JSON; null where it was removed
    #[schema(value_type = serde_json::Value)]
    pub to: Option<Box<RawValue>>,
    /// A value of more than 4 KiB is shown as a text, its beginning
    pub is_cut: bool,
    /// Of two texts of at most 20,000 bytes
    pub words: Option<Vec<DiffWords>>,
}

#[derive(Serialize, ToSchema)]
pub struct DiffWords {
    /// `equal`, `delete` or `insert`
    pub op: &'static str,
    pub text: String,
}

/// The second trace beside the first.
#[derive(Serialize, ToSchema)]
pub struct DiffSummary {
    #[schema(value_type = f64)]
    pub cost_delta: Number,
    pub tokens_delta: i64,
    #[schema(value_type = Option<f64>)]
    pub duration_delta_ms: Option<Number>,
    pub same: u64,
    pub changed: u64,
    pub added: u64,
    pub removed: u64,
    pub moved: u64,
}

/// Which step of the traces of one name differs how often.
#[derive(Serialize, ToSchema)]
pub struct GroupDiff {
    pub a: DiffGroup,
    pub b: DiffGroup,
    /// The trace of `a` that is most like the others of it: all others are compared with it; null where `a` has none
    pub representative: Option<String>,
    /// Its steps
    pub steps: Vec<GroupStep>,
    /// Steps that others have and it has not, the most frequent in `b` first; at most 200
    pub added: Vec<GroupAdded>,
    pub added_left_out: u64,
}

#[derive(Serialize, ToSchema)]
pub struct DiffGroup {
    pub name: String,
    /// The newest that have ended in the period, up to `traces`
    pub traces: Vec<String>,
    /// How many of them are compared with the representative
    pub compared: u64,
}

#[derive(Serialize, ToSchema)]
pub struct GroupStep {
    pub index: u64,
    pub span_id: String,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    /// How `a` differs within itself; null where it has one trace only
    pub a: Option<Shares>,
    pub b: Option<Shares>,
}

/// Of the traces that are compared, from 0 to 1.
#[derive(Serialize, ToSchema)]
pub struct Shares {
    pub present: f64,
    /// Present, with another name, parent, model, input, error or output
    pub changed: f64,
    /// Present at another place among the others
    pub moved: f64,
    pub removed: f64,
}

#[derive(Serialize, ToSchema)]
pub struct GroupAdded {
    /// The step of the representative behind which they are; null: before the first
    pub after_index: Option<u64>,
    pub span_type: String,
    pub name: String,
    /// Share of the traces that have such
    pub a: Option<f64>,
    pub b: Option<f64>,
    /// One of them
    pub trace_id: String,
    pub span_id: String,
}
