//! What the analysis says.

use super::own::Ground;

/// What went wrong, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    RateLimit,
    Timeout,
    ContextOverflow,
    BadArguments,
    Authentication,
    ProviderError,
    InvalidRequest,
    ContentFiltered,
    EmptyOutput,
    MalformedOutput,
    Loop,
    RetriesExhausted,
    Cancelled,
    MissingStep,
    Divergence,
    DependencyError,
    ToolError,
    ResourceExhausted,
    Unfinished,
    Unknown,
}

impl Kind {
    pub const ALL: [Kind; 20] = [
        Kind::RateLimit,
        Kind::Timeout,
        Kind::ContextOverflow,
        Kind::BadArguments,
        Kind::Authentication,
        Kind::ProviderError,
        Kind::InvalidRequest,
        Kind::ContentFiltered,
        Kind::EmptyOutput,
        Kind::MalformedOutput,
        Kind::Loop,
        Kind::RetriesExhausted,
        Kind::Cancelled,
        Kind::MissingStep,
        Kind::Divergence,
        Kind::DependencyError,
        Kind::ToolError,
        Kind::ResourceExhausted,
        Kind::Unfinished,
        Kind::Unknown,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::RateLimit => "rate_limit",
            Kind::Timeout => "timeout",
            Kind::ContextOverflow => "context_overflow",
            Kind::BadArguments => "bad_arguments",
            Kind::Authentication => "authentication",
            Kind::ProviderError => "provider_error",
            Kind::InvalidRequest => "invalid_request",
            Kind::ContentFiltered => "content_filtered",
            Kind::EmptyOutput => "empty_output",
            Kind::MalformedOutput => "malformed_output",
            Kind::Loop => "loop",
            Kind::RetriesExhausted => "retries_exhausted",
            Kind::Cancelled => "cancelled",
            Kind::MissingStep => "missing_step",
            Kind::Divergence => "divergence",
            Kind::DependencyError => "dependency_error",
            Kind::ToolError => "tool_error",
            Kind::ResourceExhausted => "resource_exhausted",
            Kind::Unfinished => "unfinished",
            Kind::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// A sentence: what happened, and where.
    pub root_cause: String,
    /// `<span type>: <name>` of the step that failed, or `trace: <name>`.
    pub failed_step: String,
    pub contributing_factors: Vec<String>,
    pub suggested_fix: String,
    /// At most the share of answers on such evidence that named the planted span, see the module `confidence`.
    pub confidence: f64,
    pub evidence: Evidence,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub kind: Kind,
    pub ground: Ground,
    /// The span that caused the failure: of a malformed call the LLM's step, of a deadline the slow one, of repeats the first.
    pub cause: Option<String>,
    /// The span of `failed_step`; the cause itself where nothing lies between.
    pub failed: Option<String>,
    /// From the failed span upwards, at most [`LONGEST_CHAIN`].
    pub chain: Vec<String>,
    /// Further attempts at the call that failed.
    pub retries: usize,
    /// Calls that are the same as the cause, itself included.
    pub repeats: usize,
    /// Calls of the cause's type that ran when it failed, itself included.
    pub concurrent: usize,
    pub comparison: Option<Comparison>,
}

pub const LONGEST_CHAIN: usize = 100;

/// This run beside successful ones of the same name.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub runs: usize,
    pub parting: Option<Parting>,
    pub tokens: i64,
    pub median_tokens: i64,
    pub duration_us: Option<i64>,
    pub median_duration_us: Option<i64>,
}

/// Where this run leaves the way of the successful ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Parting {
    /// The last span that they have in common.
    pub after: Option<String>,
    /// The step that successful runs have next: `<span type>: <name>`.
    pub expected: Option<String>,
    /// The span that is here, and in no successful run.
    pub found: Option<String>,
}
