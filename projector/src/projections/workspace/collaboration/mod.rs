//! What members say to each other about traces (ADR 0018).

pub mod assignments;
pub mod comments;
pub mod discussions;
pub mod notifications;

use uuid::Uuid;

/// The command side makes no other ids.
fn uuid(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}
