//! The lines of a tape → events that bring them, and the one that publishes it.

use runtime::Problem;
use runtime::auth::Principal;
use schemas::events::tapes::owner;
use schemas::events::{
    TapeContent, TapePartContent, TapePartRecorded, TapePiece, TapePublished, TapeSnapshot, TapeStep,
};
use schemas::sealing::{self, SealingKey};
use schemas::{Event, codec, ids, tapes, topics};
use serde::Serialize;
use uuid::Uuid;

use crate::decide::Ids;
use crate::state::AppState;

/// Of a line's piece.
const LONGEST_PIECE: usize = 262_144;
/// Of the pieces of one event, before they are sealed.
const MOST_BYTES: usize = 600_000;
/// What a piece takes in an event beside its texts.
const BESIDE: usize = 512;

/// A tape that is to be.
pub struct Publication<'a> {
    pub trace_id: Option<String>,
    pub is_public: bool,
    /// With a title.
    pub content: TapeContent,
    pub figures: TapeSnapshot,
    pub lines: Vec<&'a str>,
    pub steps: Vec<TapeStep>,
}

pub struct Events {
    pub slug: String,
    /// What the log calls the tape.
    pub subject: String,
    pub events: Vec<(Uuid, Event)>,
}

impl Publication<'_> {
    /// The parts, then the publication. Under an Idempotency-Key the same lines make the same events again, and other ones
    /// come to the same tape.
    pub async fn events(self, state: &AppState, principal: &Principal, made: &Ids) -> Result<Events, Problem> {
        let title = self.content.title.as_deref().unwrap_or_default();
        let random = u128::from_be_bytes(state.signer.derive("tape slug", made.resource.as_bytes()));
        let slug = tapes::slug(title, random);
        let tape_id = tapes::id(&slug).ok_or_else(|| Problem::internal("a slug that names nothing"))?;
        let (subject, tenant) = (owner(&tape_id), &principal.tenant);
        let partition = topics::tenant_partition(tenant, topics::PARTITIONS);
        let key = state.sealing_keys.once(&state.publisher, tenant, &subject, partition).await?;
        let snapshot = ids::derived(made.event, &self.figures.sha256);
        let steps = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        let (mut events, mut pieces) = (Vec::new(), 0);
        for (number, part) in parts(pieces_of(&self.lines, self.steps)).into_iter().enumerate() {
            let id = ids::derived(snapshot, &format!("part {number}"));
            let count = part.len() as i64;
            pieces += count;
            let event = TapePartRecorded {
                tape_id: tape_id.clone(),
                snapshot_id: snapshot.to_string(),
                pieces: count,
                content: sealed(&key, id, "tape_part_content", &TapePartContent { pieces: part })?,
            };
            events.push((id, Event::TapePartRecorded(event)));
        }
        let figures = TapeSnapshot { slug: slug.clone(), ..self.figures };
        let content = TapeContent { snapshot: Some(figures), ..self.content };
        let published = TapePublished {
            tape_id,
            snapshot_id: snapshot.to_string(),
            pieces,
            steps,
            trace_id: self.trace_id,
            is_public: self.is_public,
            content: sealed(&key, made.event, "tape_content", &content)?,
        };
        events.push((made.event, Event::TapePublished(published)));
        Ok(Events { slug, subject, events })
    }
}

fn sealed<T: Serialize>(
    key: &SealingKey,
    event: Uuid,
    schema: &'static str,
    content: &T,
) -> Result<sealing::Sealed, Problem> {
    let plain = codec::encode(schema, content).map_err(Problem::internal)?;
    sealing::seal(key, event, &plain).map_err(Problem::internal)
}

/// The first line is the trace's, the others are the steps'.
fn pieces_of(lines: &[&str], steps: Vec<TapeStep>) -> Vec<TapePiece> {
    let steps = std::iter::once(None).chain(steps.into_iter().map(Some));
    let mut pieces = Vec::with_capacity(lines.len());
    for ((line, text), mut step) in (0..).zip(lines).zip(steps) {
        for (piece, text) in (0..).zip(cut(text)) {
            pieces.push(TapePiece { line, piece, text: text.to_owned(), step: step.take() });
        }
    }
    pieces
}

/// No character is cut.
fn cut(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while text.len() > LONGEST_PIECE {
        let (piece, rest) = text.split_at(text.floor_char_boundary(LONGEST_PIECE));
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

/// As many to an event as it holds; the same for the same pieces.
fn parts(pieces: Vec<TapePiece>) -> Vec<Vec<TapePiece>> {
    let (mut parts, mut held): (Vec<Vec<TapePiece>>, usize) = (Vec::new(), 0);
    for piece in pieces {
        let shown = piece.step.as_ref().map_or(0, |step| step.name.len() + step.model.as_ref().map_or(0, String::len));
        let bytes = piece.text.len() + shown + BESIDE;
        match parts.last_mut() {
            Some(part) if held + bytes <= MOST_BYTES => {
                held += bytes;
                part.push(piece);
            }
            _ => {
                held = bytes;
                parts.push(vec![piece]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str) -> TapeStep {
        TapeStep {
            span_id: name.to_owned(),
            parent: None,
            span_type: "action".to_owned(),
            name: name.to_owned(),
            model: None,
            offset_us: None,
            duration_us: None,
            input_tokens: None,
            output_tokens: None,
            cost: None,
            failed: false,
        }
    }

    #[test]
    fn a_long_line_comes_in_pieces_and_no_event_is_too_long() {
        let long = "é".repeat(1_000_000);
        let lines = ["trace", long.as_str(), "short"];
        let pieces = pieces_of(&lines, vec![step("a"), step("b")]);
        let whole: String = pieces.iter().filter(|piece| piece.line == 1).map(|piece| piece.text.as_str()).collect();
        assert_eq!(whole, long);
        let with_steps: Vec<_> =
            pieces.iter().filter(|piece| piece.step.is_some()).map(|p| (p.line, p.piece)).collect();
        assert_eq!(with_steps, [(1, 0), (2, 0)]);
        let parts = parts(pieces.clone());
        assert!(parts.iter().all(|part| part.iter().map(|piece| piece.text.len()).sum::<usize>() <= MOST_BYTES));
        assert_eq!(parts.concat(), pieces);
        assert!(parts.len() > 3);
    }
}
