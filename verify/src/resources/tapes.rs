//! "Tapes".

use std::collections::{BTreeMap, BTreeSet};

use schemas::events::{
    TapeChanged, TapeContent, TapeDeleted, TapeFeatured, TapePartContent, TapePartRecorded, TapePiece, TapePublished,
    TapeStep, TapeViewed, TapesErased,
};
use schemas::{codec, sealing};

use super::{Command, Open, Outcome, Resources, done, refused, stale};

const DAY: i64 = 86_400_000_000;

type Key = (String, String);

#[derive(Default)]
pub struct Tapes {
    /// By (tenant, id).
    pub published: BTreeMap<Key, Tape>,
    /// By (tenant, id): those that are not published yet.
    pub waiting: BTreeMap<Key, Upload>,
    /// (tenant, trace id)
    pub untaped: BTreeSet<Key>,
}

#[derive(Clone, Debug)]
pub struct Tape {
    pub version: i64,
    pub is_public: bool,
    pub featured: bool,
    pub trace_id: Option<String>,
    pub steps: i64,
    /// None: some of what it is made of is erased.
    pub content: Option<TapeContent>,
    pub lines: Lines,
    /// Day → who counts.
    pub viewers: BTreeMap<i64, BTreeSet<[u8; 16]>>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Debug)]
pub struct Upload {
    pub snapshot_id: String,
    pub pieces: i64,
    pub came_at: i64,
    pub lines: Lines,
}

/// What the parts have brought that could be opened.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// (line, piece) → its hash.
    pub pieces: BTreeMap<(i64, i64), [u8; 32]>,
    /// By line.
    pub steps: BTreeMap<i64, TapeStep>,
}

impl Lines {
    fn put(&mut self, TapePiece { line, piece, text, step }: TapePiece) {
        self.pieces.entry((line, piece)).or_insert_with(|| sealing::sha256(text.as_bytes()));
        if let Some(step) = step {
            self.steps.entry(line).or_insert(step);
        }
    }
}

impl Tape {
    /// The last day that has a view; 0: none.
    pub fn viewed_on(&self) -> i64 {
        self.viewers.keys().next_back().copied().unwrap_or(0).max(0)
    }
}

impl Resources {
    pub(super) fn record_tape_part(
        &mut self,
        command: &Command<'_>,
        event: &TapePartRecorded,
        open: Open<'_>,
    ) -> Outcome {
        let key = (command.tenant.to_owned(), event.tape_id.clone());
        if self.tapes.published.contains_key(&key) {
            return refused(409, None, "A tape with this id exists".to_owned());
        }
        self.tapes.tidy(command, &key);
        let upload = self.tapes.waiting.remove(&key).filter(|upload| upload.snapshot_id == event.snapshot_id);
        let mut upload = upload.unwrap_or_else(|| Upload {
            snapshot_id: event.snapshot_id.clone(),
            pieces: 0,
            came_at: 0,
            lines: Lines::default(),
        });
        upload.pieces += event.pieces;
        upload.came_at = command.time;
        let content: Option<TapePartContent> =
            open(&event.content).and_then(|plain| codec::decode("tape_part_content", &plain).ok());
        content.unwrap_or_default().pieces.into_iter().for_each(|piece| upload.lines.put(piece));
        self.tapes.waiting.insert(key, upload);
        done(202, None)
    }

    pub(super) fn publish_tape(&mut self, command: &Command<'_>, event: &TapePublished, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.tape_id.clone());
        if self.tapes.published.contains_key(&key) {
            return refused(409, None, "A tape with this id exists".to_owned());
        }
        self.tapes.tidy(command, &key);
        let upload = self.tapes.waiting.remove(&key);
        let is_untaped = |trace: &String| self.tapes.untaped.contains(&(command.tenant.to_owned(), trace.clone()));
        if event.trace_id.as_ref().is_some_and(is_untaped) {
            return refused(404, None, "Trace not found".to_owned());
        }
        let is_whole = |upload: &Upload| upload.snapshot_id == event.snapshot_id && upload.pieces == event.pieces;
        let Some(upload) = upload.filter(is_whole) else {
            return refused(409, None, "Some of the tape did not come: send it again".to_owned());
        };
        let tape = Tape {
            version: 1,
            is_public: event.is_public,
            featured: false,
            trace_id: event.trace_id.clone(),
            steps: event.steps,
            content: content(&event.content, open),
            lines: upload.lines,
            viewers: BTreeMap::new(),
            created_at: command.time,
            updated_at: command.time,
        };
        self.tapes.published.insert(key, tape);
        done(201, Some(1))
    }

    pub(super) fn change_tape(&mut self, command: &Command<'_>, event: &TapeChanged, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.tape_id.clone());
        let Some(tape) = self.tapes.published.get_mut(&key) else { return not_found() };
        if let Some(stale) = stale("tape", event.if_match, tape.version) {
            return stale;
        }
        tape.version += 1;
        tape.is_public = event.is_public.unwrap_or(tape.is_public);
        tape.updated_at = command.time;
        tape.content = tape.content.take().zip(content(&event.content, open)).map(|(before, given)| TapeContent {
            user_id: before.user_id,
            title: given.title.or(before.title),
            description: given.description.or(before.description),
            tags: given.tags.or(before.tags),
            snapshot: before.snapshot,
        });
        done(200, Some(tape.version))
    }

    pub(super) fn delete_tape(&mut self, command: &Command<'_>, event: &TapeDeleted) -> Outcome {
        let key = (command.tenant.to_owned(), event.tape_id.clone());
        let Some(tape) = self.tapes.published.get(&key) else { return not_found() };
        if let Some(stale) = stale("tape", event.if_match, tape.version) {
            return stale;
        }
        self.tapes.published.remove(&key);
        done(204, None)
    }

    pub(super) fn feature_tape(&mut self, command: &Command<'_>, event: &TapeFeatured) -> Outcome {
        let key = (command.tenant.to_owned(), event.tape_id.clone());
        let Some(tape) = self.tapes.published.get_mut(&key) else { return not_found() };
        tape.featured = event.featured;
        done(200, None)
    }

    pub(super) fn view_tape(&mut self, command: &Command<'_>, event: &TapeViewed) {
        let key = (command.tenant.to_owned(), event.tape_id.clone());
        if let Some(tape) = self.tapes.published.get_mut(&key)
            && event.day >= tape.viewed_on() - 1
        {
            tape.viewers.entry(event.day).or_default().insert(event.viewer.into_array());
        }
    }

    pub(super) fn erase_tapes(&mut self, tenant: &str, event: &TapesErased) {
        self.tapes.untaped.insert((tenant.to_owned(), event.trace_id.clone()));
        let is_of = |key: &Key, tape: &Tape| key.0 == tenant && tape.trace_id.as_ref() == Some(&event.trace_id);
        self.tapes.published.retain(|key, tape| !is_of(key, tape));
    }
}

impl Tapes {
    fn tidy(&mut self, command: &Command<'_>, but: &Key) {
        let is_old = |upload: &Upload| upload.came_at < command.time - DAY;
        self.waiting.retain(|key, upload| key.0 != command.tenant || key == but || !is_old(upload));
    }
}

fn content(sealed: &sealing::Sealed, open: Open<'_>) -> Option<TapeContent> {
    codec::decode("tape_content", &open(sealed)?).ok()
}

fn not_found() -> Outcome {
    refused(404, None, "Tape not found".to_owned())
}
