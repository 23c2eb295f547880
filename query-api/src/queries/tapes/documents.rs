//! The answers.

use runtime::http::rfc3339;
use schemas::Money;
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::numbers::Number;

/// As everybody sees it.
#[derive(Clone, Serialize, ToSchema)]
pub struct TapeOut {
    pub slug: String,
    /// Its page
    pub url: String,
    /// The player alone, for an iframe
    pub embed_url: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    /// Whether it is listed
    pub is_public: bool,
    /// Put forward by the operator
    pub featured: bool,
    pub views: i64,
    pub steps: i64,
    /// running, completed or failed: the trace, as it was
    pub status: String,
    pub total_tokens: i64,
    #[schema(value_type = f64)]
    pub total_cost: Number,
    #[schema(value_type = Option<f64>)]
    pub total_duration_ms: Option<Number>,
    /// The first 32
    pub models: Vec<String>,
    /// Of all lines: tapes of one snapshot have one
    pub sha256: String,
    /// Of all lines
    pub bytes: i64,
    pub version: i64,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct OwnTapeOut {
    #[serde(flatten)]
    pub tape: TapeOut,
    /// None: it was imported
    pub trace_id: Option<String>,
    pub created_by: String,
}

#[derive(Serialize, ToSchema)]
pub struct TapeList {
    pub tapes: Vec<OwnTapeOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct TapesExplored {
    pub tapes: Vec<TapeOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
}

/// What a timeline shows: columns, each with a value for every step, in the order of the steps.
#[derive(Default, Serialize, ToSchema)]
pub struct TapeOutline {
    pub slug: String,
    /// How many there are
    pub steps: usize,
    /// Of spans
    pub ids: Vec<String>,
    /// The number of the step that it hangs on, from 1; 0: none. No step hangs on itself, in however many turns
    pub parents: Vec<i64>,
    /// Places in `type_names`
    pub types: Vec<usize>,
    pub type_names: Vec<String>,
    /// Places in `name_texts`
    pub names: Vec<usize>,
    /// Cut to 120 characters
    pub name_texts: Vec<String>,
    /// Places in `model_names`
    pub models: Vec<Option<usize>>,
    pub model_names: Vec<String>,
    /// Microseconds since the start of the trace
    pub offsets: Vec<Option<i64>>,
    /// Microseconds
    pub durations: Vec<Option<i64>>,
    pub input_tokens: Vec<Option<i64>>,
    pub output_tokens: Vec<Option<i64>>,
    /// US dollars
    #[schema(value_type = Vec<Option<f64>>)]
    pub costs: Vec<Option<Number>>,
    /// Numbers of the steps that failed, from 1
    pub failed: Vec<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct TapeSteps {
    /// The number of the first of these, from 1
    pub from: u64,
    /// How many there are in all
    pub total: i64,
    #[schema(value_type = Vec<Object>)]
    pub steps: Vec<Box<RawValue>>,
}

#[derive(Serialize, ToSchema)]
pub struct TapeTrace {
    #[schema(value_type = Object)]
    pub trace: Box<RawValue>,
}

#[derive(Clone, sqlx::FromRow)]
pub struct TapeRow {
    pub tape_id: Uuid,
    pub version: i64,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub is_public: bool,
    pub featured: bool,
    pub trace_id: Option<String>,
    pub steps: i64,
    pub sha256: String,
    pub bytes: i64,
    pub status: String,
    pub duration_us: Option<i64>,
    pub tokens: i64,
    pub cost: String,
    pub models: Vec<String>,
    pub views: i64,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

impl TapeRow {
    /// `base` is where users reach this server.
    pub fn shown(self, base: &str) -> TapeOut {
        TapeOut {
            url: format!("{base}/t/{}", self.slug),
            embed_url: format!("{base}/embed/{}", self.slug),
            slug: self.slug,
            title: self.title,
            description: self.description,
            tags: self.tags,
            is_public: self.is_public,
            featured: self.featured,
            views: self.views,
            steps: self.steps,
            status: self.status,
            total_tokens: self.tokens,
            total_cost: money(&self.cost),
            total_duration_ms: self.duration_us.map(Number::milliseconds),
            models: self.models,
            sha256: self.sha256,
            bytes: self.bytes,
            version: self.version,
            created_at: rfc3339(self.created_at),
            updated_at: rfc3339(self.updated_at),
        }
    }

    pub fn shown_to_its_owner(self, base: &str) -> OwnTapeOut {
        let (trace_id, created_by) = (self.trace_id.clone(), self.created_by.clone());
        OwnTapeOut { tape: self.shown(base), trace_id, created_by }
    }
}

/// The command side has checked it.
pub fn money(text: &str) -> Number {
    Number::money(Money::parse(text).unwrap_or_default().0)
}

/// The command side has checked it.
pub fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
