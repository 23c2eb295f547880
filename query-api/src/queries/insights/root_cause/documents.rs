//! The answers.

use insights::root_cause::{Analysis, Comparison, Excerpt, Shown};
use runtime::http::micros_rfc3339;
use schemas::events::RootCause;
use serde::Serialize;
use utoipa::ToSchema;

/// What is known without asking a model.
#[derive(Serialize, ToSchema)]
pub struct KnownRootCause {
    pub local: RootCauseOut,
    /// What a model said last, when it was asked
    pub verdict: Option<ModelVerdict>,
    /// What a model is shown when it is asked
    pub excerpt: ExcerptOut,
}

#[derive(Serialize, ToSchema)]
pub struct ModelVerdict {
    /// Whose API it was: `gemini`
    pub engine: String,
    pub model: String,
    pub found_at: String,
    /// SHA-256 of what was asked; as long as it is the same the model is not asked again
    pub question: String,
    /// The span of `failed_step`; null where the model names none
    pub failed_span_id: Option<String>,
    pub analysis: AnalysisOut,
}

impl From<RootCause> for ModelVerdict {
    fn from(RootCause { engine, model, found_at, said }: RootCause) -> ModelVerdict {
        ModelVerdict {
            engine,
            model,
            found_at: micros_rfc3339(found_at),
            question: said.question,
            failed_span_id: said.failed_span_id,
            analysis: AnalysisOut {
                root_cause: said.root_cause,
                failed_step: said.failed_step,
                contributing_factors: said.contributing_factors,
                suggested_fix: said.suggested_fix,
                confidence: said.confidence,
            },
        }
    }
}

/// The steps that tell most; each text is its beginning, without what looks like a credential.
#[derive(Serialize, ToSchema)]
pub struct ExcerptOut {
    pub trace_name: String,
    pub error: Option<String>,
    /// What the local analysis says
    pub suspicion: String,
    pub suspected_step: Option<usize>,
    /// In the order of their starts, numbered from 1
    pub steps: Vec<ExcerptStep>,
    /// How many spans are not shown
    pub left_out: usize,
}

#[derive(Serialize, ToSchema)]
pub struct ExcerptStep {
    pub number: usize,
    pub span_id: String,
    /// The step that it is part of
    pub inside: Option<usize>,
    /// Span type and name
    pub step: String,
    pub model: Option<String>,
    pub failed: bool,
    pub duration_ms: Option<f64>,
    pub tokens: i64,
    pub error: Option<String>,
    pub input: Option<String>,
    pub output: Option<String>,
}

impl From<Excerpt> for ExcerptOut {
    fn from(excerpt: Excerpt) -> ExcerptOut {
        ExcerptOut {
            trace_name: excerpt.trace_name,
            error: excerpt.error,
            suspicion: excerpt.suspicion,
            suspected_step: excerpt.suspected_step,
            steps: excerpt.steps.into_iter().map(ExcerptStep::from).collect(),
            left_out: excerpt.left_out,
        }
    }
}

impl From<Shown> for ExcerptStep {
    fn from(step: Shown) -> ExcerptStep {
        ExcerptStep {
            number: step.number,
            span_id: step.span_id,
            inside: step.inside,
            step: step.step,
            model: step.model,
            failed: step.failed,
            duration_ms: step.duration_us.map(|micros| micros as f64 / 1e3),
            tokens: step.tokens,
            error: step.error,
            input: step.input,
            output: step.output,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct RootCauseOut {
    #[serde(rename = "traceId")]
    pub trace_id: String,
    #[serde(rename = "traceName")]
    pub trace_name: String,
    /// Whose `analysis` it is; `local`: that of the span graph, `gemini`: that of the model
    pub engine: &'static str,
    /// Where a model says it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When the model said so
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_at: Option<String>,
    /// The span of the model's `failed_step`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_span_id: Option<String>,
    /// Why a model that was asked says nothing
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub analysis: AnalysisOut,
    /// Of the span graph, whoever says it
    pub evidence: RootCauseEvidence,
}

#[derive(Serialize, ToSchema)]
pub struct AnalysisOut {
    pub root_cause: String,
    /// Span type and name of the step that failed
    pub failed_step: String,
    pub contributing_factors: Vec<String>,
    pub suggested_fix: String,
    /// Of the local analysis: the share of such that name the right step, 0 to 1; of a model: its own figure
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
            model: None,
            found_at: None,
            failed_span_id: None,
            note: None,
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
