//! "Tapes".

use schemas::events::{
    TapeChanged, TapeContent, TapeDeleted, TapeFeatured, TapePartContent, TapePartRecorded, TapePiece, TapePublished,
    TapeViewed, TapesErased,
};

use super::*;
use crate::resources::Tape;

const TAPE: &str = "1c1d2c1e-1111-4e51-8f4c-1f6a5f1f7a01";
const OTHER: &str = "2c1d2c1e-1111-4e51-8f4c-1f6a5f1f7a01";
const FIRST: &str = "3c1d2c1e-1111-4e51-8f4c-1f6a5f1f7a01";
const SECOND: &str = "4c1d2c1e-1111-4e51-8f4c-1f6a5f1f7a01";
const NOT_WHOLE: &str = "Some of the tape did not come: send it again";

type Came = (i16, Option<i64>, Option<String>);

fn refused(status: i16, reason: &str) -> Came {
    (status, None, Some(reason.to_owned()))
}

impl Log {
    fn taped(&mut self, id: Uuid, event: &Event) -> Came {
        self.append(id, event);
        let outcome = self.fold.resources(None).outcomes[&id].clone();
        (outcome.status, outcome.version, outcome.reason)
    }

    fn part(&mut self, tape: &str, snapshot: &str, lines: &[i64]) -> Came {
        let id = ids::event_id();
        let piece = |line: &i64| TapePiece { line: *line, piece: 0, text: format!("of {snapshot}"), step: None };
        let content = TapePartContent { pieces: lines.iter().map(piece).collect() };
        let event = TapePartRecorded {
            tape_id: tape.to_owned(),
            snapshot_id: snapshot.to_owned(),
            pieces: lines.len() as i64,
            content: self.seal(id, "tape_part_content", &content),
        };
        self.taped(id, &Event::TapePartRecorded(event))
    }

    fn tape_it(&mut self, tape: &str, snapshot: &str, pieces: i64) -> Came {
        let id = ids::event_id();
        let content = TapeContent { user_id: "u".to_owned(), title: Some("t".to_owned()), ..TapeContent::default() };
        let event = TapePublished {
            tape_id: tape.to_owned(),
            snapshot_id: snapshot.to_owned(),
            pieces,
            steps: pieces - 1,
            trace_id: Some(TRACE.to_owned()),
            is_public: true,
            content: self.seal(id, "tape_content", &content),
        };
        self.taped(id, &Event::TapePublished(event))
    }

    fn retitle(&mut self, if_match: Option<i64>, title: &str) -> Came {
        let id = ids::event_id();
        let content = TapeContent { user_id: "v".to_owned(), title: Some(title.to_owned()), ..TapeContent::default() };
        let content = self.seal(id, "tape_content", &content);
        let event = TapeChanged { tape_id: TAPE.to_owned(), if_match, is_public: Some(false), content };
        self.taped(id, &Event::TapeChanged(event))
    }

    fn untape(&mut self, if_match: Option<i64>) -> Came {
        self.taped(ids::event_id(), &Event::TapeDeleted(TapeDeleted { tape_id: TAPE.to_owned(), if_match }))
    }

    fn viewed_on(&mut self, day: i64, viewer: u8) {
        let viewed = TapeViewed { tape_id: TAPE.to_owned(), day, viewer: ByteArray::new([viewer; 16]) };
        self.append(ids::event_id(), &Event::TapeViewed(viewed));
    }

    fn tape(&self) -> Option<Tape> {
        self.fold.resources(None).tapes.published.get(&(TENANT.to_owned(), TAPE.to_owned())).cloned()
    }
}

fn published() -> Log {
    let mut log = Log::new();
    log.part(TAPE, FIRST, &[0, 1]);
    log.tape_it(TAPE, FIRST, 2);
    log
}

#[test]
fn a_tape_comes_to_be_once_all_its_parts_are_there() {
    let mut log = Log::new();
    assert_eq!(log.part(TAPE, FIRST, &[0, 1]), (202, None, None));
    assert!(log.tape().is_none());
    assert_eq!(log.part(TAPE, FIRST, &[2]), (202, None, None));
    assert_eq!(log.tape_it(TAPE, FIRST, 3), (201, Some(1), None));
    let tape = log.tape().unwrap();
    assert_eq!((tape.version, tape.steps, tape.created_at, tape.lines.pieces.len()), (1, 2, at(3), 3));
    assert_eq!(log.part(TAPE, FIRST, &[3]), refused(409, "A tape with this id exists"));
    assert_eq!(log.tape_it(TAPE, FIRST, 3), refused(409, "A tape with this id exists"));
}

#[test]
fn what_is_not_whole_does_not_come_and_waits_no_more() {
    let mut log = Log::new();
    log.part(TAPE, FIRST, &[0, 1]);
    assert_eq!(log.tape_it(TAPE, FIRST, 3), refused(409, NOT_WHOLE));
    assert_eq!(log.tape_it(TAPE, FIRST, 2), refused(409, NOT_WHOLE));
    log.part(TAPE, FIRST, &[0, 1]);
    assert_eq!(log.tape_it(TAPE, SECOND, 2), refused(409, NOT_WHOLE));
    assert!(log.tape().is_none());
}

#[test]
fn a_later_reading_takes_the_place_of_one_that_waits() {
    let mut log = Log::new();
    log.part(TAPE, FIRST, &[0, 1, 2]);
    log.part(TAPE, SECOND, &[0, 1]);
    assert_eq!(log.tape_it(TAPE, SECOND, 2), (201, Some(1), None));
    let of_second = sealing::sha256(format!("of {SECOND}").as_bytes());
    assert!(log.tape().unwrap().lines.pieces.values().all(|hash| *hash == of_second));
}

#[test]
fn parts_wait_for_a_day_when_others_come() {
    let mut log = Log::new();
    log.part(TAPE, FIRST, &[0]);
    log.next += 24 * 3600 + 1;
    log.part(OTHER, SECOND, &[0]);
    assert_eq!(log.tape_it(TAPE, FIRST, 1), refused(409, NOT_WHOLE));
    // Its own are taken whenever they end.
    log.next += 24 * 3600 + 1;
    assert_eq!(log.tape_it(OTHER, SECOND, 1), (201, Some(1), None));
}

#[test]
fn what_is_said_about_a_tape_changes_by_version() {
    let mut log = published();
    assert_eq!(log.retitle(Some(1), "new"), (200, Some(2), None));
    let tape = log.tape().unwrap();
    let content = tape.content.unwrap();
    assert_eq!((content.title.as_deref(), content.user_id.as_str()), (Some("new"), "u"));
    assert_eq!((tape.is_public, tape.updated_at), (false, at(3)));
    let stale = "The tape is at version 2, not at 1 as If-Match says".to_owned();
    assert_eq!(log.retitle(Some(1), "x"), (412, Some(2), Some(stale.clone())));
    assert_eq!(log.untape(Some(1)), (412, Some(2), Some(stale)));
    assert_eq!(log.untape(None), (204, None, None));
    assert_eq!(log.untape(None), refused(404, "Tape not found"));
    assert_eq!(log.retitle(None, "x"), refused(404, "Tape not found"));
}

#[test]
fn a_tape_is_featured_and_is_not() {
    let mut log = published();
    let feature = |featured, tape: &str| Event::TapeFeatured(TapeFeatured { tape_id: tape.to_owned(), featured });
    assert_eq!(log.taped(ids::event_id(), &feature(true, TAPE)), (200, None, None));
    assert!(log.tape().unwrap().featured);
    assert_eq!(log.taped(ids::event_id(), &feature(false, TAPE)), (200, None, None));
    assert!(!log.tape().unwrap().featured);
    assert_eq!(log.taped(ids::event_id(), &feature(true, OTHER)), refused(404, "Tape not found"));
}

#[test]
fn a_viewer_counts_once_a_day_and_not_of_days_that_are_past() {
    let mut log = published();
    for (day, viewer) in [(10, 1), (10, 1), (10, 2), (11, 1), (10, 3), (13, 1), (11, 9), (12, 1), (12, 1)] {
        log.viewed_on(day, viewer);
    }
    let tape = log.tape().unwrap();
    let views: Vec<_> = tape.viewers.iter().map(|(day, viewers)| (*day, viewers.len())).collect();
    assert_eq!((views, tape.viewed_on()), (vec![(10, 3), (11, 1), (12, 1), (13, 1)], 13));
}

#[test]
fn erased_with_its_trace_a_tape_is_gone_and_no_other_one_comes() {
    let mut log = published();
    log.part(OTHER, SECOND, &[0]);
    log.append(ids::event_id(), &Event::TapesErased(TapesErased { trace_id: TRACE.to_owned() }));
    assert!(log.tape().is_none());
    assert_eq!(log.tape_it(OTHER, SECOND, 1), refused(404, "Trace not found"));
}

#[test]
fn erased_content_changes_no_outcome() {
    let mut log = published();
    log.retitle(None, "new");
    let outcomes = log.fold.resources(None).outcomes;
    log.erase();
    assert_eq!(log.fold.resources(None).outcomes, outcomes);
    let tape = log.tape().unwrap();
    assert_eq!((tape.version, tape.content, tape.lines.pieces.len()), (2, None, 0));
}
