//! The schemas of the bodies that ingest reads and writes.

use serde_json::{Map, Value};
use utoipa::OpenApi;

use crate::commands::{api_keys, feedback, memory, prompts, root_cause, skills, traces};

#[derive(OpenApi)]
#[openapi(components(schemas(
    traces::documents::TraceIn,
    traces::documents::SpanIn,
    traces::documents::TraceAccepted,
    traces::documents::GoldenIn,
    traces::documents::GoldenOut,
    feedback::FeedbackIn,
    root_cause::documents::RootCauseIn,
    api_keys::ApiKeyCreatedOut,
    skills::documents::SkillIn,
    skills::documents::SkillPatch,
    skills::documents::SkillDefinition,
    skills::documents::SkillRestoreIn,
    prompts::documents::PromptIn,
    prompts::documents::PromptVersionIn,
    prompts::documents::PromptMessage,
    prompts::documents::PromptLabelIn,
    memory::documents::MemoryIn,
)))]
struct Documented;

pub fn schemas() -> Map<String, Value> {
    let document = serde_json::to_value(Documented::openapi()).unwrap_or_default();
    document.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default()
}
