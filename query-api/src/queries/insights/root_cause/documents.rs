//! What is asked, and the answer.

use insights::root_cause::{Analysis, Comparison};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RootCauseIn {
    #[serde(rename = "traceId", alias = "trace_id")]
    pub trace_id: String,
}

#[derive(Serialize, ToSchema)]
pub struct RootCauseOut {
    #[serde(rename = "traceId")]
    pub trace_id: String,
    #[serde(rename = "traceName")]
    pub trace_name: String,
    /// `local`: the analysis of the span graph
    pub engine: &'static str,
    pub analysis: AnalysisOut,
    pub evidence: RootCauseEvidence,
}

#[derive(Serialize, ToSchema)]
pub struct AnalysisOut {
    pub root_cause: String,
    /// Span type and name of the step that failed
    pub failed_step: String,
    pub contributing_factors: Vec<String>,
    pub suggested_fix: String,
    /// The share of analyses with such evidence that name the right step, 0 to 1
    pub confidence: f64,
}

#[derive(Serialize, ToSchema)]
pub struct RootCauseEvidence {
    /// rate_limit, timeout, context_overflow, bad_arguments, …
    pub kind: &'static str,
    /// The span that caused the failure; null where the trace alone says that it failed
    pub cause_span_id: Option<String>,
    /// The span of `failed_step`
    pub failed_span_id: Option<String>,
    /// From the failed span upwards
    pub chain: Vec<String>,
    /// Further attempts at the call that failed
    pub retries: u64,
    /// Calls that are the same as the cause
    pub repeats: u64,
    /// Calls of the cause's type that ran when it failed
    pub concurrent: u64,
    /// Beside successful traces of the same name
    pub comparison: Option<RunComparison>,
}

#[derive(Serialize, ToSchema)]
pub struct RunComparison {
    pub successful_runs: u64,
    pub tokens: i64,
    pub median_tokens: i64,
    pub duration_ms: Option<f64>,
    pub median_duration_ms: Option<f64>,
    /// The last span that they have in common
    pub parted_after_span_id: Option<String>,
    /// The step that successful runs have next
    pub expected_step: Option<String>,
    /// The span that is here instead
    pub found_span_id: Option<String>,
}

impl RootCauseOut {
    pub fn new(trace_id: String, trace_name: String, analysis: Analysis) -> RootCauseOut {
        let evidence = analysis.evidence;
        RootCauseOut {
            trace_id,
            trace_name,
            engine: "local",
            analysis: AnalysisOut {
                root_cause: analysis.root_cause,
                failed_step: analysis.failed_step,
                contributing_factors: analysis.contributing_factors,
                suggested_fix: analysis.suggested_fix,
                confidence: analysis.confidence,
            },
            evidence: RootCauseEvidence {
                kind: evidence.kind.name(),
                cause_span_id: evidence.cause,
                failed_span_id: evidence.failed,
                chain: evidence.chain,
                retries: evidence.retries as u64,
                repeats: evidence.repeats as u64,
                concurrent: evidence.concurrent as u64,
                comparison: evidence.comparison.map(RunComparison::from),
            },
        }
    }
}

impl From<Comparison> for RunComparison {
    fn from(comparison: Comparison) -> RunComparison {
        let milliseconds = |micros: Option<i64>| micros.map(|micros| micros as f64 / 1e3);
        let parting = comparison.parting;
        let of = |part: fn(&insights::root_cause::Parting) -> Option<String>| parting.as_ref().and_then(part);
        RunComparison {
            successful_runs: comparison.runs as u64,
            tokens: comparison.tokens,
            median_tokens: comparison.median_tokens,
            duration_ms: milliseconds(comparison.duration_us),
            median_duration_ms: milliseconds(comparison.median_duration_us),
            parted_after_span_id: of(|parting| parting.after.clone()),
            expected_step: of(|parting| parting.expected.clone()),
            found_span_id: of(|parting| parting.found.clone()),
        }
    }
}
