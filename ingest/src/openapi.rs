//! The schemas of the bodies that ingest reads and writes.

use serde_json::{Map, Value};
use utoipa::OpenApi;

use crate::commands::{
    api_keys, billing, collaboration, datasets, feedback, memory, prompts, root_cause, skills, tapes, traces,
};

#[derive(OpenApi)]
#[openapi(components(schemas(
    traces::documents::TraceIn,
    traces::documents::SpanIn,
    traces::documents::TraceAccepted,
    traces::documents::GoldenIn,
    traces::documents::GoldenOut,
    traces::documents::HaltIn,
    traces::documents::HaltOut,
    traces::documents::ReplayIn,
    traces::documents::ReplayOut,
    feedback::FeedbackIn,
    feedback::FeedbackGivenOut,
    root_cause::documents::RootCauseIn,
    api_keys::documents::ApiKeyCreatedOut,
    skills::documents::SkillIn,
    skills::documents::SkillPatch,
    skills::documents::SkillDefinition,
    skills::documents::SkillRestoreIn,
    prompts::documents::PromptIn,
    prompts::documents::PromptVersionIn,
    prompts::documents::PromptMessage,
    prompts::documents::PromptLabelIn,
    memory::documents::MemoryIn,
    api_keys::documents::NamedApiKeyIn,
    api_keys::documents::NamedApiKeyPatch,
    api_keys::documents::NamedApiKeyCreatedOut,
    datasets::documents::DatasetIn,
    datasets::documents::DatasetPatch,
    datasets::documents::DatasetItemIn,
    datasets::documents::DatasetItemPatch,
    datasets::documents::DatasetLines,
    billing::documents::CheckoutIn,
    billing::documents::CheckoutOut,
    billing::documents::PortalOut,
    billing::documents::DodoWebhookIn,
    billing::documents::WebhookOut,
    collaboration::documents::CommentIn,
    collaboration::documents::CommentPatch,
    collaboration::documents::AssignmentIn,
    collaboration::documents::AssignmentPatch,
    collaboration::documents::NotificationsReadIn,
    tapes::documents::TapeIn,
    tapes::documents::TapeRedact,
    tapes::documents::TapePatch,
    tapes::documents::TapeLines,
    tapes::documents::TapePreview,
    tapes::documents::TapeRedaction,
)))]
struct Documented;

pub fn schemas() -> Map<String, Value> {
    let document = serde_json::to_value(Documented::openapi()).unwrap_or_default();
    document.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default()
}
