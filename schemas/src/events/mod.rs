//! The events. One variant a kind; which topic, schema and CloudEvents type it has.

pub mod api_keys;
pub mod collaboration;
pub mod datasets;
pub mod feedback;
pub mod log;
pub mod members;
pub mod memory;
pub mod plans;
pub mod prices;
pub mod prompts;
pub mod root_cause;
pub mod skills;
pub mod tapes;
pub mod traces;

use crate::codec::{self, CodecError};
use crate::topics;

pub use api_keys::{
    ApiKeyChanged, ApiKeyContent, ApiKeyCreated, ApiKeyIssued, ApiKeyRevoked, ApiKeyUsed, ApiKeyWithdrawn,
};
pub use collaboration::{
    AssignmentChanged, AssignmentContent, AssignmentCreated, AssignmentDeleted, CommentChanged, CommentContent,
    CommentCreated, CommentDeleted, DiscussionClosed, NotificationsRead,
};
pub use datasets::{
    DatasetChanged, DatasetContent, DatasetCreated, DatasetDeleted, DatasetItemAdded, DatasetItemChanged,
    DatasetItemContent, DatasetItemDeleted, DatasetItemsImported,
};
pub use feedback::{FeedbackContent, FeedbackGiven};
pub use log::{ContentsErased, Frontier, LogCreated, RecordHeader, Redriven};
pub use members::MemberSeen;
pub use memory::{MemoryContent, MemoryDeleted, MemoryStored};
pub use plans::{PlanChanged, PlanSource, PlanStatus};
pub use prices::PriceTablePublished;
pub use prompts::{
    PromptContent, PromptCreated, PromptDeleted, PromptLabelled, PromptVersionAdded, PromptVersionContent,
};
pub use root_cause::{RootCause, RootCauseContent, RootCauseFound};
pub use skills::{SkillChanged, SkillContent, SkillCreated, SkillDeleted};
pub use tapes::{
    TapeChanged, TapeContent, TapeDeleted, TapeFeatured, TapePartContent, TapePartRecorded, TapePiece, TapePublished,
    TapeSnapshot, TapeStep, TapeViewed, TapesErased,
};
pub use traces::{
    Cell, ContentChunk, GoldenSet, PayloadField, Phase, Source, SpanContent, SpanFacts, SpanType, TraceContent,
    TraceDeleted, TraceRecorded, TraceRepriced, TraceStatus,
};

macro_rules! events {
    ($($variant:ident, $schema:literal, $kind:literal, $topic:expr;)*) => {
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($variant($variant),)* }

        impl Event {
            pub fn kind(&self) -> &'static str {
                match self { $(Event::$variant(_) => $kind,)* }
            }
            pub fn topic(&self) -> &'static str {
                match self { $(Event::$variant(_) => $topic,)* }
            }
            pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
                match self { $(Event::$variant(event) => codec::encode($schema, event),)* }
            }
            /// `None` for a kind that this version does not know: the caller decides what that means.
            pub fn decode(kind: &str, bytes: &[u8]) -> Option<Result<Event, CodecError>> {
                match kind {
                    $($kind => Some(codec::decode($schema, bytes).map(Event::$variant)),)*
                    _ => None,
                }
            }
        }
    };
}

events! {
    TraceRecorded, "trace_recorded", "dev.retrace.trace.recorded.v1", topics::TELEMETRY;
    ContentChunk, "content_chunk", "dev.retrace.content.chunk.v1", topics::TELEMETRY;
    TraceDeleted, "trace_deleted", "dev.retrace.trace.deleted.v1", topics::TELEMETRY;
    TraceRepriced, "trace_repriced", "dev.retrace.trace.repriced.v1", topics::TELEMETRY;
    GoldenSet, "golden_set", "dev.retrace.golden.set.v1", topics::TELEMETRY;
    FeedbackGiven, "feedback_given", "dev.retrace.feedback.given.v1", topics::TELEMETRY;
    RootCauseFound, "root_cause_found", "dev.retrace.root_cause.found.v1", topics::TELEMETRY;
    ApiKeyCreated, "api_key_created", "dev.retrace.api_key.created.v1", topics::WORKSPACE;
    ApiKeyRevoked, "api_key_revoked", "dev.retrace.api_key.revoked.v1", topics::WORKSPACE;
    PriceTablePublished, "price_table_published", "dev.retrace.price_table.published.v1", topics::WORKSPACE;
    SkillCreated, "skill_created", "dev.retrace.skill.created.v1", topics::WORKSPACE;
    SkillChanged, "skill_changed", "dev.retrace.skill.changed.v1", topics::WORKSPACE;
    SkillDeleted, "skill_deleted", "dev.retrace.skill.deleted.v1", topics::WORKSPACE;
    PromptCreated, "prompt_created", "dev.retrace.prompt.created.v1", topics::WORKSPACE;
    PromptVersionAdded, "prompt_version_added", "dev.retrace.prompt.version_added.v1", topics::WORKSPACE;
    PromptLabelled, "prompt_labelled", "dev.retrace.prompt.labelled.v1", topics::WORKSPACE;
    PromptDeleted, "prompt_deleted", "dev.retrace.prompt.deleted.v1", topics::WORKSPACE;
    MemoryStored, "memory_stored", "dev.retrace.memory.stored.v1", topics::WORKSPACE;
    MemoryDeleted, "memory_deleted", "dev.retrace.memory.deleted.v1", topics::WORKSPACE;
    ApiKeyIssued, "api_key_issued", "dev.retrace.api_key.issued.v1", topics::WORKSPACE;
    ApiKeyChanged, "api_key_changed", "dev.retrace.api_key.changed.v1", topics::WORKSPACE;
    ApiKeyWithdrawn, "api_key_withdrawn", "dev.retrace.api_key.withdrawn.v1", topics::WORKSPACE;
    ApiKeyUsed, "api_key_used", "dev.retrace.api_key.used.v1", topics::WORKSPACE;
    MemberSeen, "member_seen", "dev.retrace.member.seen.v1", topics::WORKSPACE;
    DatasetCreated, "dataset_created", "dev.retrace.dataset.created.v1", topics::WORKSPACE;
    DatasetChanged, "dataset_changed", "dev.retrace.dataset.changed.v1", topics::WORKSPACE;
    DatasetDeleted, "dataset_deleted", "dev.retrace.dataset.deleted.v1", topics::WORKSPACE;
    DatasetItemAdded, "dataset_item_added", "dev.retrace.dataset.item_added.v1", topics::WORKSPACE;
    DatasetItemChanged, "dataset_item_changed", "dev.retrace.dataset.item_changed.v1", topics::WORKSPACE;
    DatasetItemDeleted, "dataset_item_deleted", "dev.retrace.dataset.item_deleted.v1", topics::WORKSPACE;
    DatasetItemsImported, "dataset_items_imported", "dev.retrace.dataset.items_imported.v1", topics::WORKSPACE;
    PlanChanged, "plan_changed", "dev.retrace.plan.changed.v1", topics::WORKSPACE;
    CommentCreated, "comment_created", "dev.retrace.comment.created.v1", topics::WORKSPACE;
    CommentChanged, "comment_changed", "dev.retrace.comment.changed.v1", topics::WORKSPACE;
    CommentDeleted, "comment_deleted", "dev.retrace.comment.deleted.v1", topics::WORKSPACE;
    AssignmentCreated, "assignment_created", "dev.retrace.assignment.created.v1", topics::WORKSPACE;
    AssignmentChanged, "assignment_changed", "dev.retrace.assignment.changed.v1", topics::WORKSPACE;
    AssignmentDeleted, "assignment_deleted", "dev.retrace.assignment.deleted.v1", topics::WORKSPACE;
    NotificationsRead, "notifications_read", "dev.retrace.notifications.read.v1", topics::WORKSPACE;
    DiscussionClosed, "discussion_closed", "dev.retrace.discussion.closed.v1", topics::WORKSPACE;
    TapePartRecorded, "tape_part_recorded", "dev.retrace.tape.part_recorded.v1", topics::WORKSPACE;
    TapePublished, "tape_published", "dev.retrace.tape.published.v1", topics::WORKSPACE;
    TapeChanged, "tape_changed", "dev.retrace.tape.changed.v1", topics::WORKSPACE;
    TapeDeleted, "tape_deleted", "dev.retrace.tape.deleted.v1", topics::WORKSPACE;
    TapeFeatured, "tape_featured", "dev.retrace.tape.featured.v1", topics::WORKSPACE;
    TapeViewed, "tape_viewed", "dev.retrace.tape.viewed.v1", topics::WORKSPACE;
    TapesErased, "tapes_erased", "dev.retrace.tape.all_erased.v1", topics::WORKSPACE;
    ContentsErased, "contents_erased", "dev.retrace.contents.erased.v1", topics::WORKSPACE;
    LogCreated, "log_created", "dev.retrace.log.created.v1", topics::WORKSPACE;
    Redriven, "redriven", "dev.retrace.log.redriven.v1", topics::WORKSPACE;
}
