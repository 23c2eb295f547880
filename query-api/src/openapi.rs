//! The OpenAPI document, and a page to read it.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Map, Value};
use utoipa::OpenApi;

use crate::prices;
use crate::queries::{
    analytics, api_keys, audit, billing, collaboration, datasets, feedback, insights, members, memory, models, prompts,
    skills, tapes, traces, usage,
};

#[derive(OpenApi)]
#[openapi(components(schemas(
    traces::documents::TraceOut,
    traces::documents::TraceWithSpans,
    traces::documents::TraceList,
    traces::documents::SpanOut,
    traces::documents::SpanList,
    traces::documents::SpanPlace,
    traces::diff::documents::DiffAnswer,
    traces::diff::documents::TraceDiff,
    traces::diff::documents::Diff,
    traces::diff::documents::Divergence,
    traces::diff::documents::DiffStep,
    traces::diff::documents::DiffSpan,
    traces::diff::documents::DiffChange,
    traces::diff::documents::DiffWords,
    traces::diff::documents::DiffSummary,
    traces::diff::documents::GroupDiff,
    traces::diff::documents::DiffGroup,
    traces::diff::documents::GroupStep,
    traces::diff::documents::Shares,
    traces::diff::documents::GroupAdded,
    feedback::FeedbackOut,
    feedback::Verdict,
    api_keys::documents::ApiKeyOut,
    usage::documents::UsageOut,
    usage::documents::UsedOf,
    usage::documents::DailyUsageOut,
    usage::documents::DayUsage,
    usage::documents::MonthCounts,
    analytics::documents::CostsOut,
    analytics::documents::Figures,
    analytics::documents::ModelCosts,
    analytics::documents::DayCosts,
    analytics::documents::IntervalCosts,
    analytics::documents::Groups,
    analytics::documents::GroupCosts,
    analytics::documents::Previous,
    analytics::CostIntelligenceOut,
    analytics::FeatureCosts,
    analytics::ModelEfficiency,
    analytics::Recommendation,
    analytics::Evidence,
    models::documents::ModelsOut,
    models::documents::ModelOut,
    prices::ModelPrice,
    prices::PriceTier,
    insights::drift::documents::DriftOut,
    insights::drift::documents::MetricDrift,
    insights::drift::documents::Window,
    insights::drift::documents::GroupDrift,
    insights::drift::documents::Split,
    insights::anomalies::documents::AnomaliesOut,
    insights::anomalies::documents::AnomalyOut,
    insights::anomalies::documents::EvidenceOut,
    insights::anomalies::documents::Insufficient,
    insights::anomalies::documents::MissingOut,
    insights::anomalies::documents::BacktestOut,
    insights::anomalies::documents::BacktestGaps,
    insights::anomalies::documents::Episode,
    insights::failures::documents::FailuresOut,
    insights::failures::documents::FailureCluster,
    insights::failures::documents::FailurePoint,
    insights::failures::documents::FailedTraces,
    insights::failures::documents::FailedTrace,
    insights::root_cause::documents::KnownRootCause,
    insights::root_cause::documents::ModelVerdict,
    insights::root_cause::documents::ExcerptOut,
    insights::root_cause::documents::ExcerptStep,
    insights::root_cause::documents::RootCauseOut,
    insights::root_cause::documents::AnalysisOut,
    insights::root_cause::documents::RootCauseEvidence,
    insights::root_cause::documents::RunComparison,
    skills::documents::SkillOut,
    skills::documents::SkillList,
    skills::documents::SkillVersionOut,
    skills::documents::SkillVersionList,
    prompts::documents::PromptOut,
    prompts::documents::PromptSummary,
    prompts::documents::PromptList,
    prompts::documents::PromptVersionOut,
    prompts::documents::PromptVersionList,
    prompts::documents::PromptUses,
    prompts::documents::PromptUsed,
    prompts::documents::PromptVersionUsed,
    prompts::documents::PromptDiff,
    prompts::documents::PromptChange,
    prompts::documents::PromptLines,
    memory::documents::MemoryOut,
    memory::documents::MemoryList,
    memory::documents::MemorySearchIn,
    memory::documents::MemoryFound,
    memory::documents::MemoryHit,
    api_keys::documents::NamedApiKeyOut,
    api_keys::documents::NamedApiKeyList,
    members::MemberOut,
    members::MemberList,
    datasets::documents::DatasetOut,
    datasets::documents::DatasetSummary,
    datasets::documents::DatasetList,
    datasets::documents::DatasetItemOut,
    datasets::documents::DatasetItemList,
    datasets::documents::DatasetVersionOut,
    datasets::documents::DatasetVersionList,
    billing::BillingPlanOut,
    billing::PlanLimits,
    collaboration::documents::CommentOut,
    collaboration::documents::CommentList,
    collaboration::documents::AssignmentOut,
    collaboration::documents::AssignmentList,
    collaboration::documents::NotificationOut,
    collaboration::documents::NotificationList,
    audit::AuditHeads,
    audit::AuditHead,
    tapes::documents::TapeOut,
    tapes::documents::OwnTapeOut,
    tapes::documents::TapeList,
    tapes::documents::TapesExplored,
    tapes::documents::TapeOutline,
    tapes::documents::TapeSteps,
    tapes::documents::TapeTrace,
)))]
struct Documented;

pub fn schemas() -> Map<String, Value> {
    let document = serde_json::to_value(Documented::openapi()).unwrap_or_default();
    document.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// `/api/v1/openapi.json` and `/docs`.
pub fn docs_router(document: Value) -> Router {
    const PAGE: &str = include_str!("docs.html");
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    Router::new()
        .route("/api/v1/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }))
        .route("/docs", get(|| async { ([(header::CONTENT_SECURITY_POLICY, "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'")], Html(PAGE)) }))
}
