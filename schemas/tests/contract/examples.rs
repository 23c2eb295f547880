//! An example of every event and of every sealed content.

use retrace_schemas::codec;
use retrace_schemas::events::datasets::{DatasetItemSizes, ImportedItem};
use retrace_schemas::events::{
    ApiKeyChanged, ApiKeyContent, ApiKeyCreated, ApiKeyIssued, ApiKeyRevoked, ApiKeyUsed, ApiKeyWithdrawn,
    AssignmentChanged, AssignmentContent, AssignmentCreated, AssignmentDeleted, Cell, CommentChanged, CommentContent,
    CommentCreated, CommentDeleted, ContentChunk, ContentsErased, DatasetChanged, DatasetContent, DatasetCreated,
    DatasetDeleted, DatasetItemAdded, DatasetItemChanged, DatasetItemContent, DatasetItemDeleted, DatasetItemsImported,
    DiscussionClosed, FeedbackContent, FeedbackGiven, Frontier, GoldenSet, LogCreated, MemberSeen, MemoryContent,
    MemoryDeleted, MemoryStored, NotificationsRead, PayloadField, Phase, PlanChanged, PlanSource, PlanStatus,
    PriceTablePublished, PromptContent, PromptCreated, PromptDeleted, PromptLabelled, PromptVersionAdded,
    PromptVersionContent, RecordHeader, Redriven, RootCauseContent, RootCauseFound, SkillChanged, SkillContent,
    SkillCreated, SkillDeleted, Source, SpanContent, SpanFacts, SpanType, TraceContent, TraceDeleted, TraceRecorded,
    TraceRepriced, TraceStatus,
};
use retrace_schemas::sealing::Sealed;
use retrace_schemas::{Event, Money};
use serde_bytes::ByteArray;

pub const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";

pub fn sealed() -> Sealed {
    Sealed {
        key_id: ByteArray::new([1; 16]),
        key_offset: 42,
        nonce: ByteArray::new([2; 12]),
        digest: ByteArray::new([3; 32]),
        bytes: vec![4, 5, 6],
    }
}

pub fn recorded() -> TraceRecorded {
    let money = |text: &str| Some(Money::parse(text).unwrap());
    TraceRecorded {
        trace_id: TRACE.to_owned(),
        source: Source::Post,
        phase: Phase::Ended,
        price_table: "abc,def".to_owned(),
        status: Some(TraceStatus::Failed),
        started_at: Some(1_763_600_000_000_001),
        ended_at: None,
        total_duration_us: Some(12_500),
        total_tokens: Some(17),
        total_cost: money("12345678.123456789012"),
        lossy: Some(false),
        spans: vec![SpanFacts {
            span_id: "00f067aa0ba902b7".to_owned(),
            phase: Phase::Started,
            span_type: Some(SpanType::ForkPoint),
            model: Some("gpt-4o-mini".to_owned()),
            started_at: Some(1),
            ended_at: Some(2),
            duration_us: None,
            input_tokens: Some(0),
            output_tokens: Some(i64::MAX),
            cache_read_tokens: Some(3),
            cache_write_tokens: Some(0),
            reasoning_tokens: None,
            cost: money("0.0000048"),
            failed: true,
        }],
        content: Some(sealed()),
    }
}

pub fn content() -> TraceContent {
    let cell = |field, value: &str| Cell { field, value: value.to_owned(), chunks: 0, sha256: None };
    TraceContent {
        name: Some("ünïcode \0".to_owned()),
        session_id: Some("s".to_owned()),
        user_id: None,
        project_id: Some("p".to_owned()),
        environment: Some("e".to_owned()),
        tags: Some(vec!["a".to_owned(), String::new()]),
        cells: vec![cell(PayloadField::Input, "{\"v\":1e400}")],
        warnings: vec!["w".to_owned()],
        client_ip: Some("127.0.0.1".to_owned()),
        spans: vec![SpanContent {
            parent_id: Some("00f067aa0ba902b8".to_owned()),
            cells: vec![
                Cell {
                    field: PayloadField::Logprobs,
                    value: String::new(),
                    chunks: 3,
                    sha256: Some(ByteArray::new([9; 32])),
                },
                cell(PayloadField::Error, "boom"),
            ],
            ..SpanContent::default()
        }],
    }
}

pub fn root_cause() -> RootCauseContent {
    RootCauseContent {
        question: "ab".repeat(32),
        root_cause: "the provider refused the third call".to_owned(),
        failed_step: "tool_call: search_web".to_owned(),
        failed_span_id: Some("00f067aa0ba902b7".to_owned()),
        contributing_factors: vec!["no retry".to_owned(), String::new()],
        suggested_fix: "wait".to_owned(),
        confidence: 0.9,
    }
}

pub fn skill() -> SkillContent {
    SkillContent {
        user_id: "u".to_owned(),
        name: Some("research".to_owned()),
        description: None,
        definition: Some("{\"tools\": []}".to_owned()),
        scope: Some("project".to_owned()),
        tags: Some(vec!["web".to_owned()]),
        is_public: Some(true),
    }
}

pub fn memory() -> MemoryContent {
    MemoryContent {
        user_id: "u".to_owned(),
        key: "language".to_owned(),
        value: "\"Rust\"".to_owned(),
        scope: "session".to_owned(),
        category: "preference".to_owned(),
        confidence: 0.75,
        project_id: None,
        session_id: Some("s".to_owned()),
        expires_at: Some(1_763_600_000_000_001),
    }
}

pub fn prompt_version() -> PromptVersionContent {
    PromptVersionContent {
        user_id: "u".to_owned(),
        content: None,
        messages: Some("[{\"role\": \"user\", \"content\": \"{{question}}\"}]".to_owned()),
        variables: vec!["question".to_owned()],
        model: Some("gpt-4o-mini".to_owned()),
        config: Some("{\"temperature\": 0.2}".to_owned()),
        message: Some("shorter".to_owned()),
    }
}

pub fn dataset_item() -> DatasetItemContent {
    DatasetItemContent {
        user_id: "u".to_owned(),
        input: Some("{\"question\": 1}".to_owned()),
        expected_output: Some("\"yes\"".to_owned()),
        metadata: Some(String::new()),
        source: None,
    }
}

fn dataset_events() -> Vec<(&'static str, Event)> {
    let (id, item) = (|| TRACE.to_owned(), || "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01".to_owned());
    let sizes = dataset_item().sizes();
    let created = DatasetCreated { dataset_id: id(), name_hash: ByteArray::new([6; 32]), content: sealed() };
    let changed = DatasetChanged {
        dataset_id: id(),
        if_match: Some(3),
        name_hash: Some(ByteArray::new([7; 32])),
        content: sealed(),
    };
    let added = DatasetItemAdded { dataset_id: id(), item_id: item(), most_items: 1_000_000, sizes, content: sealed() };
    let item_changed = DatasetItemChanged {
        dataset_id: id(),
        item_id: item(),
        if_match: None,
        sizes: DatasetItemSizes { metadata: Some(0), ..DatasetItemSizes::default() },
        content: sealed(),
    };
    let item_deleted = DatasetItemDeleted { dataset_id: id(), item_id: item(), if_match: Some(2), erases: true };
    let imported = DatasetItemsImported {
        dataset_id: id(),
        import_id: item(),
        first: 2,
        total: 2,
        most_items: 1_000_000,
        items: vec![ImportedItem { item_id: item(), sizes, content: sealed() }],
    };
    vec![
        ("dataset_created", Event::DatasetCreated(created)),
        ("dataset_changed", Event::DatasetChanged(changed)),
        ("dataset_deleted", Event::DatasetDeleted(DatasetDeleted { dataset_id: id(), if_match: None })),
        ("dataset_item_added", Event::DatasetItemAdded(added)),
        ("dataset_item_changed", Event::DatasetItemChanged(item_changed)),
        ("dataset_item_deleted", Event::DatasetItemDeleted(item_deleted)),
        ("dataset_items_imported", Event::DatasetItemsImported(imported)),
    ]
}

/// Every event, as an example of its newest version.
/// All of them, by the schema's name.
pub fn events() -> Vec<(&'static str, Event)> {
    let mut events = other_events();
    events.extend(dataset_events());
    events
}

fn other_events() -> Vec<(&'static str, Event)> {
    vec![
        ("trace_recorded", Event::TraceRecorded(recorded())),
        (
            "content_chunk",
            Event::ContentChunk(ContentChunk {
                trace_id: TRACE.to_owned(),
                sha256: ByteArray::new([7; 32]),
                n: 1,
                of: 2,
                content: sealed(),
            }),
        ),
        ("trace_deleted", Event::TraceDeleted(TraceDeleted { trace_id: TRACE.to_owned() })),
        (
            "trace_repriced",
            Event::TraceRepriced(TraceRepriced { trace_id: TRACE.to_owned(), price_table: "abc,def".to_owned() }),
        ),
        ("golden_set", Event::GoldenSet(GoldenSet { trace_id: TRACE.to_owned(), golden: true })),
        (
            "feedback_given",
            Event::FeedbackGiven(FeedbackGiven { trace_id: TRACE.to_owned(), value: -1, content: sealed() }),
        ),
        (
            "root_cause_found",
            Event::RootCauseFound(RootCauseFound {
                trace_id: TRACE.to_owned(),
                engine: "gemini".to_owned(),
                model: "gemini-2.5-flash".to_owned(),
                input_tokens: 4_000,
                output_tokens: 200,
                content: sealed(),
            }),
        ),
        (
            "api_key_created",
            Event::ApiKeyCreated(ApiKeyCreated {
                user: "u".to_owned(),
                org: Some("o".to_owned()),
                role: "member".to_owned(),
                prefix: "rt_12345678".to_owned(),
                sha256: ByteArray::new([8; 32]),
            }),
        ),
        ("api_key_revoked", Event::ApiKeyRevoked(ApiKeyRevoked { user: "u".to_owned() })),
        (
            "price_table_published",
            Event::PriceTablePublished(PriceTablePublished {
                hash: "h".to_owned(),
                scope: String::new(),
                table: vec![1, 2, 3],
            }),
        ),
        ("log_created", Event::LogCreated(LogCreated { log_id: "l".to_owned(), epoch: 0, partitions: 16 })),
        (
            "contents_erased",
            Event::ContentsErased(ContentsErased {
                keys: 5,
                upto: vec![Frontier { partition: 3, offset: 1 << 40 }],
                workspace_upto: vec![Frontier { partition: 15, offset: 7 }],
            }),
        ),
        ("skill_created", Event::SkillCreated(SkillCreated { skill_id: TRACE.to_owned(), content: sealed() })),
        (
            "skill_changed",
            Event::SkillChanged(SkillChanged {
                skill_id: TRACE.to_owned(),
                if_match: Some(3),
                restores: Some(1),
                content: sealed(),
            }),
        ),
        ("skill_deleted", Event::SkillDeleted(SkillDeleted { skill_id: TRACE.to_owned(), if_match: None })),
        (
            "prompt_created",
            Event::PromptCreated(PromptCreated {
                prompt_id: TRACE.to_owned(),
                name_hash: ByteArray::new([6; 32]),
                labels: vec!["production".to_owned()],
                content: sealed(),
                version: sealed(),
            }),
        ),
        (
            "prompt_version_added",
            Event::PromptVersionAdded(PromptVersionAdded {
                prompt_id: TRACE.to_owned(),
                if_match: Some(1),
                labels: Vec::new(),
                version: sealed(),
            }),
        ),
        (
            "prompt_labelled",
            Event::PromptLabelled(PromptLabelled {
                prompt_id: TRACE.to_owned(),
                label: "production".to_owned(),
                version: Some(2),
                from_version: Some(0),
            }),
        ),
        ("prompt_deleted", Event::PromptDeleted(PromptDeleted { prompt_id: TRACE.to_owned(), if_match: Some(2) })),
        (
            "memory_stored",
            Event::MemoryStored(MemoryStored {
                memory_id: TRACE.to_owned(),
                key_hash: ByteArray::new([8; 32]),
                content: sealed(),
            }),
        ),
        ("memory_deleted", Event::MemoryDeleted(MemoryDeleted { memory_id: TRACE.to_owned() })),
        (
            "api_key_issued",
            Event::ApiKeyIssued(ApiKeyIssued {
                key_id: TRACE.to_owned(),
                user: "u".to_owned(),
                org: None,
                role: "member".to_owned(),
                prefix: "rt_12345678".to_owned(),
                sha256: ByteArray::new([8; 32]),
                scopes: vec!["ingest".to_owned(), "read".to_owned()],
                expires_at: Some(1_763_600_000_000_001),
                at_most: 50,
                content: sealed(),
            }),
        ),
        (
            "api_key_changed",
            Event::ApiKeyChanged(ApiKeyChanged {
                key_id: TRACE.to_owned(),
                user: "u".to_owned(),
                version: 3,
                scopes: vec!["read".to_owned()],
                expires_at: None,
                content: Some(sealed()),
            }),
        ),
        (
            "api_key_withdrawn",
            Event::ApiKeyWithdrawn(ApiKeyWithdrawn { key_id: TRACE.to_owned(), user: "u".to_owned() }),
        ),
        (
            "api_key_used",
            Event::ApiKeyUsed(ApiKeyUsed { key_id: TRACE.to_owned(), user: "u".to_owned(), role: "member".to_owned() }),
        ),
        ("member_seen", Event::MemberSeen(MemberSeen { user: "u".to_owned(), role: "admin".to_owned() })),
        (
            "plan_changed",
            Event::PlanChanged(PlanChanged {
                plan: "pro".to_owned(),
                status: PlanStatus::PastDue,
                source: PlanSource::Billing,
                cause: "subscription.on_hold".to_owned(),
                subscription_id: "sub_1".to_owned(),
                customer_id: "cus_1".to_owned(),
                subscribed_at: 1_763_600_000_000_000,
                occurred_at: 1_763_600_000_000_001,
                ends_at: Some(1_764_204_800_000_001),
            }),
        ),
        (
            "comment_created",
            Event::CommentCreated(CommentCreated {
                comment_id: TRACE.to_owned(),
                trace_id: TRACE.to_owned(),
                span_id: Some("00f067aa0ba902b7".to_owned()),
                reply_to_id: None,
                by: "u".to_owned(),
                mentions: vec!["user_2abc".to_owned()],
                content: sealed(),
            }),
        ),
        (
            "comment_changed",
            Event::CommentChanged(CommentChanged {
                comment_id: TRACE.to_owned(),
                if_match: Some(1),
                by: "u".to_owned(),
                mentions: Vec::new(),
                content: sealed(),
            }),
        ),
        (
            "comment_deleted",
            Event::CommentDeleted(CommentDeleted {
                comment_id: TRACE.to_owned(),
                if_match: None,
                by: "u".to_owned(),
                moderates: true,
            }),
        ),
        (
            "assignment_created",
            Event::AssignmentCreated(AssignmentCreated {
                assignment_id: TRACE.to_owned(),
                trace_id: TRACE.to_owned(),
                assignee_id: "user_2abc".to_owned(),
                by: "u".to_owned(),
                content: sealed(),
            }),
        ),
        (
            "assignment_changed",
            Event::AssignmentChanged(AssignmentChanged {
                assignment_id: TRACE.to_owned(),
                if_match: Some(2),
                by: "u".to_owned(),
                status: Some("resolved".to_owned()),
                assignee_id: None,
                content: Some(sealed()),
            }),
        ),
        (
            "assignment_deleted",
            Event::AssignmentDeleted(AssignmentDeleted {
                assignment_id: TRACE.to_owned(),
                if_match: None,
                by: "u".to_owned(),
                moderates: false,
            }),
        ),
        (
            "notifications_read",
            Event::NotificationsRead(NotificationsRead { user_id: "u".to_owned(), ids: Some(vec![TRACE.to_owned()]) }),
        ),
        ("discussion_closed", Event::DiscussionClosed(DiscussionClosed { trace_id: TRACE.to_owned() })),
        (
            "redriven",
            Event::Redriven(Redriven {
                projection: "traces".to_owned(),
                origin_offset: 41,
                headers: vec![RecordHeader { key: "ce_id".to_owned(), value: vec![0xff, 0] }],
                value: vec![1, 2, 3],
            }),
        ),
    ]
}

/// Encoded, by the schema's name.
pub fn contents() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("trace_content", codec::encode("trace_content", &content()).unwrap()),
        (
            "feedback_content",
            codec::encode("feedback_content", &FeedbackContent { user_id: "u".to_owned(), note: Some("n".to_owned()) })
                .unwrap(),
        ),
        ("root_cause_content", codec::encode("root_cause_content", &root_cause()).unwrap()),
        ("memory_content", codec::encode("memory_content", &memory()).unwrap()),
        (
            "comment_content",
            codec::encode("comment_content", &CommentContent { body: "look @user_2abc".to_owned() }).unwrap(),
        ),
        (
            "assignment_content",
            codec::encode("assignment_content", &AssignmentContent { note: "by Friday".to_owned() }).unwrap(),
        ),
        ("skill_content", codec::encode("skill_content", &skill()).unwrap()),
        (
            "dataset_content",
            codec::encode(
                "dataset_content",
                &DatasetContent { user_id: "u".to_owned(), name: Some("golden".to_owned()), description: None },
            )
            .unwrap(),
        ),
        ("dataset_item_content", codec::encode("dataset_item_content", &dataset_item()).unwrap()),
        (
            "prompt_content",
            codec::encode("prompt_content", &PromptContent { name: "greeting".to_owned(), description: None }).unwrap(),
        ),
        ("prompt_version_content", codec::encode("prompt_version_content", &prompt_version()).unwrap()),
        ("api_key_content", codec::encode("api_key_content", &ApiKeyContent { name: "ci".to_owned() }).unwrap()),
    ]
}
