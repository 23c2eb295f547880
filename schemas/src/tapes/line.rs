//! What the lines of a tape say. The fields' order is that of the file.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{LONGEST_DESCRIPTION, LONGEST_ID, LONGEST_NAME, LONGEST_TAG, LONGEST_TITLE, MOST_TAGS};
use crate::events::{SpanType, TraceStatus};
use crate::{Money, ids};

/// What its author says of a tape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
}

/// The trace, as far as it is public: also what query-api shows of one can be read as this.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TraceLine {
    pub name: String,
    pub status: String,
    pub started_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    pub total_tokens: i64,
    pub total_cost: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_duration_ms: Option<Box<RawValue>>,
    pub models: Vec<String>,
    /// Spans of the trace that its tape does not have.
    #[serde(default)]
    pub left_out: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
}

/// A step: a span, as query-api shows one too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepLine {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_agent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ids: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Box<RawValue>>,
}

/// What is wrong with a field.
type Fault = (&'static str, &'static str);

impl About {
    pub(super) fn check(&self) -> Result<(), Fault> {
        let length = self.title.chars().count();
        if length == 0 || length > LONGEST_TITLE {
            return Err(("title", "is empty or too long"));
        }
        if self.description.len() > LONGEST_DESCRIPTION {
            return Err(("description", "is too long"));
        }
        let is_tag = |tag: &String| (1..=LONGEST_TAG).contains(&tag.chars().count());
        if self.tags.len() > MOST_TAGS || !self.tags.iter().all(is_tag) {
            return Err(("tags", "are too many, empty or too long"));
        }
        texts("title", [Some(&self.title), Some(&self.description)].into_iter().chain(self.tags.iter().map(Some)), None)
    }
}

impl TraceLine {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if TraceStatus::parse(&self.status).is_none() {
            return Err(("status", "is none of a trace"));
        }
        texts("name", [Some(&self.name)].into_iter(), Some(LONGEST_NAME))?;
        texts("models", self.models.iter().map(Some), Some(LONGEST_ID))?;
        times([Some(&self.started_at), self.ended_at.as_ref()])?;
        amounts("total_cost", Some(&*self.total_cost))?;
        amounts("total_duration_ms", self.total_duration_ms.as_deref())?;
        counts([Some(self.total_tokens), Some(self.left_out)])
    }
}

impl StepLine {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if ids::span_id(&self.id).as_ref() != Ok(&self.id) {
            return Err(("id", "is no span's"));
        }
        if SpanType::parse(&self.span_type).is_none() {
            return Err(("span_type", "is none of a span"));
        }
        texts("name", [Some(&self.name)].into_iter(), Some(LONGEST_NAME))?;
        let names = [&self.parent_id, &self.model, &self.agent_id, &self.parent_agent_id, &self.agent_role];
        texts("model", names.into_iter().map(Option::as_ref), Some(LONGEST_NAME))?;
        times([self.started_at.as_ref(), self.ended_at.as_ref()])?;
        amounts("cost", self.cost.as_deref())?;
        amounts("duration_ms", self.duration_ms.as_deref())?;
        counts([
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
        ])
    }

    pub fn failed(&self) -> bool {
        self.error.is_some() || self.span_type == SpanType::Error.as_str()
    }
}

/// Without NUL, which the stores cannot hold.
fn texts<'a>(
    name: &'static str,
    mut all: impl Iterator<Item = Option<&'a String>>,
    longest: Option<usize>,
) -> Result<(), Fault> {
    let is_sound = |text: &String| !text.contains('\0') && longest.is_none_or(|most| text.chars().count() <= most);
    if all.all(|text| text.is_none_or(is_sound)) { Ok(()) } else { Err((name, "holds NUL or is too long")) }
}

fn times<const N: usize>(all: [Option<&String>; N]) -> Result<(), Fault> {
    let is_time = |text: &String| OffsetDateTime::parse(text, &Rfc3339).is_ok();
    if all.into_iter().flatten().all(is_time) { Ok(()) } else { Err(("started_at", "or ended_at is no RFC 3339 time")) }
}

/// Decimal numbers that are none below 0 and not beyond what a trace can have.
fn amounts(name: &'static str, amount: Option<&RawValue>) -> Result<(), Fault> {
    const MOST: Money = Money(100_000_000_000_000 * 1_000_000_000_000);
    let is_one = |raw: &RawValue| Money::parse(raw.get()).is_ok_and(|amount| (Money::ZERO..MOST).contains(&amount));
    if amount.is_none_or(is_one) { Ok(()) } else { Err((name, "is not an amount")) }
}

fn counts<const N: usize>(all: [Option<i64>; N]) -> Result<(), Fault> {
    if all.into_iter().flatten().all(|count| count >= 0) {
        Ok(())
    } else {
        Err(("total_tokens", "or another count is negative"))
    }
}
