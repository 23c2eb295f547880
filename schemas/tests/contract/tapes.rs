//! Of tapes.

use retrace_schemas::events::{
    TapeChanged, TapeContent, TapeDeleted, TapeFeatured, TapePartContent, TapePartRecorded, TapePiece, TapePublished,
    TapeSnapshot, TapeStep, TapeViewed, TapesErased,
};
use retrace_schemas::{Event, codec};
use serde_bytes::ByteArray;

use super::examples::{TRACE, sealed};

pub fn events() -> Vec<(&'static str, Event)> {
    vec![
        (
            "tape_part_recorded",
            Event::TapePartRecorded(TapePartRecorded {
                tape_id: TRACE.to_owned(),
                snapshot_id: TRACE.to_owned(),
                pieces: 3,
                content: sealed(),
            }),
        ),
        (
            "tape_published",
            Event::TapePublished(TapePublished {
                tape_id: TRACE.to_owned(),
                snapshot_id: TRACE.to_owned(),
                pieces: 3,
                steps: 2,
                trace_id: Some(TRACE.to_owned()),
                is_public: true,
                content: sealed(),
            }),
        ),
        (
            "tape_changed",
            Event::TapeChanged(TapeChanged {
                tape_id: TRACE.to_owned(),
                if_match: Some(1),
                is_public: Some(false),
                content: sealed(),
            }),
        ),
        ("tape_deleted", Event::TapeDeleted(TapeDeleted { tape_id: TRACE.to_owned(), if_match: None })),
        ("tape_featured", Event::TapeFeatured(TapeFeatured { tape_id: TRACE.to_owned(), featured: true })),
        (
            "tape_viewed",
            Event::TapeViewed(TapeViewed { tape_id: TRACE.to_owned(), day: 20_783, viewer: ByteArray::new([7; 16]) }),
        ),
        ("tapes_erased", Event::TapesErased(TapesErased { trace_id: TRACE.to_owned() })),
    ]
}

pub fn contents() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("tape_part_content", codec::encode("tape_part_content", &tape_part()).unwrap()),
        ("tape_content", codec::encode("tape_content", &tape()).unwrap()),
    ]
}

fn tape_part() -> TapePartContent {
    let step = TapeStep {
        span_id: "00f067aa0ba902b7".to_owned(),
        parent: Some(1),
        span_type: "llm_call".to_owned(),
        name: "answer".to_owned(),
        model: Some("gpt-4o".to_owned()),
        offset_us: Some(-1),
        duration_us: Some(250),
        input_tokens: Some(3),
        output_tokens: None,
        cost: Some("0.001".to_owned()),
        failed: false,
    };
    let piece = |line, text: &str, step| TapePiece { line, piece: 0, text: text.to_owned(), step };
    TapePartContent { pieces: vec![piece(0, "{}", None), piece(2, "{\"id\":1}", Some(step))] }
}

fn tape() -> TapeContent {
    TapeContent {
        user_id: "u".to_owned(),
        title: Some("How it was found".to_owned()),
        description: None,
        tags: Some(vec!["rag".to_owned()]),
        snapshot: Some(TapeSnapshot {
            slug: "how-it-was-found-0123456789abcdefghjk".to_owned(),
            sha256: "ab".to_owned(),
            bytes: 11,
            status: "completed".to_owned(),
            duration_us: Some(1_500),
            tokens: 3,
            cost: "0.001".to_owned(),
            models: vec!["gpt-4o".to_owned()],
        }),
    }
}
