//! What a frame of the live socket says: of a trace, or of one of its spans. Frames say the phase themselves: the start
//! frame of a call that has ended already carries its end as well.

use schemas::events::{Phase, TraceStatus};
use schemas::ids;

use super::parse::{self, Trace};
use super::spans;
use crate::json::{Fields, Reader, Repair};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    TraceStarted,
    SpanStarted,
    SpanEnded,
    TraceEnded,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::TraceStarted, Kind::SpanStarted, Kind::SpanEnded, Kind::TraceEnded];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::TraceStarted => "trace_started",
            Kind::SpanStarted => "span_started",
            Kind::SpanEnded => "span_ended",
            Kind::TraceEnded => "trace_ended",
        }
    }

    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    fn phase(self) -> Phase {
        match self {
            Kind::TraceStarted | Kind::SpanStarted => Phase::Started,
            Kind::SpanEnded | Kind::TraceEnded => Phase::Ended,
        }
    }
}

#[derive(Debug)]
pub struct Said {
    pub kind: Kind,
    /// None: the frame names a span alone.
    pub trace_id: Option<String>,
    pub trace: Trace,
}

impl Said {
    /// The span that it is about.
    pub fn span_id(&self) -> Option<&str> {
        self.trace.spans.first().map(|span| span.id.as_str())
    }
}

/// `fields` are those of a frame's `data` after `repairs`, whose paths begin with it; all their faults if they have any.
pub fn said(kind: Kind, fields: Fields<'_>, repairs: &[Repair]) -> Result<Said, Vec<String>> {
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    for Repair { path, what } in repairs {
        parse::judge(path.strip_prefix("data.").unwrap_or(path), *what, &mut faults, &mut warnings);
    }
    let mut reader = Reader { fields, prefix: String::new(), faults: &mut faults, warnings: &mut warnings };
    let mut said = match kind {
        Kind::TraceStarted | Kind::TraceEnded => of_trace(&mut reader, kind),
        Kind::SpanStarted | Kind::SpanEnded => of_span(&mut reader, kind),
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    said.trace.warnings = match said.span_id() {
        // Of a request the place says which span it was.
        Some(id) => warnings.iter().map(|warning| format!("span {id}: {warning}")).collect(),
        None => warnings,
    };
    Ok(said)
}

fn of_trace(reader: &mut Reader<'_, '_>, kind: Kind) -> Said {
    spans::required(reader, &["id"]);
    let mut trace = parse::read(reader, None, None);
    trace.phase = kind.phase();
    if kind == Kind::TraceEnded && trace.status.is_none_or(|status| status == TraceStatus::Running) {
        trace.status = Some(if trace.error.is_some() { TraceStatus::Failed } else { TraceStatus::Completed });
    }
    Said { kind, trace_id: trace.id.clone(), trace }
}

fn of_span(reader: &mut Reader<'_, '_>, kind: Kind) -> Said {
    spans::required(reader, &["id"]);
    if kind == Kind::SpanStarted {
        spans::required(reader, &["trace_id"]);
        spans::required(reader, &spans::BEGINNING);
    }
    let trace_id = reader.id("trace_id", ids::trace_id);
    let id = reader.id("id", ids::span_id).unwrap_or_default();
    let mut span = spans::span(reader, id);
    if span.parent_id.as_ref() == Some(&span.id) {
        reader.fault("parent_id", "is the span's own");
    }
    span.phase = kind.phase();
    Said { kind, trace_id, trace: Trace { spans: vec![span], ..Trace::of_spans() } }
}

/// What several frames say of one trace, in their order and in as few parts as say the same: a part has the trace's own
/// fields from one frame at the most.
pub fn together(frames: impl IntoIterator<Item = Said>) -> Vec<Trace> {
    let mut parts: Vec<(Trace, bool)> = Vec::new();
    for Said { kind, mut trace, .. } in frames {
        let has_own = matches!(kind, Kind::TraceStarted | Kind::TraceEnded);
        match parts.last_mut() {
            Some((part, owned)) if !(has_own && *owned) => {
                part.spans.append(&mut trace.spans);
                part.warnings.append(&mut trace.warnings);
                if has_own {
                    trace.spans = std::mem::take(&mut part.spans);
                    trace.warnings = std::mem::take(&mut part.warnings);
                    (*part, *owned) = (trace, true);
                }
            }
            _ => parts.push((trace, has_own)),
        }
    }
    parts.into_iter().map(|(trace, _)| trace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(kind: Kind, data: &str) -> Result<Said, Vec<String>> {
        said(kind, serde_json::from_str(data).unwrap(), &[])
    }

    #[test]
    fn the_frame_says_the_phase() {
        let data = format!(
            r#"{{"id":"{SPAN}","trace_id":"{TRACE}","span_type":"llm_call","started_at":"2026-01-01T12:00:00Z",
                "ended_at":"2026-01-01T12:00:01Z","output":1}}"#
        );
        let begun = read(Kind::SpanStarted, &data).unwrap();
        assert_eq!((begun.trace_id.as_deref(), begun.span_id()), (Some(TRACE), Some(SPAN)));
        assert_eq!(begun.trace.spans[0].phase, Phase::Started);
        let ended = read(Kind::SpanEnded, &format!(r#"{{"id":"{SPAN}","output":null}}"#)).unwrap();
        assert_eq!((ended.trace_id, ended.trace.spans[0].phase), (None, Phase::Ended));
    }

    #[test]
    fn a_trace_that_ended_has_a_status() {
        for (fields, expected) in [
            ("", TraceStatus::Completed),
            (r#","error":"x""#, TraceStatus::Failed),
            (r#","status":"failed""#, TraceStatus::Failed),
            (r#","status":"running""#, TraceStatus::Completed),
        ] {
            let ended = read(Kind::TraceEnded, &format!(r#"{{"id":"{TRACE}"{fields}}}"#)).unwrap();
            assert_eq!((ended.trace.status, ended.trace.phase), (Some(expected), Phase::Ended), "{fields}");
        }
        let started = read(Kind::TraceStarted, &format!(r#"{{"id":"{TRACE}","status":"running"}}"#)).unwrap();
        assert_eq!(started.trace.status, Some(TraceStatus::Running));
    }

    #[test]
    fn what_is_missing_is_named() {
        let faults = |kind, data| read(kind, data).unwrap_err().join("; ");
        assert_eq!(faults(Kind::TraceStarted, "{}"), "id is missing");
        let begun = "id is missing; trace_id is missing; span_type is missing; started_at is missing";
        assert_eq!(faults(Kind::SpanStarted, "{}"), begun);
        let own = format!(r#"{{"id":"{SPAN}","parent_id":"{SPAN}"}}"#);
        assert_eq!(faults(Kind::SpanEnded, &own), "parent_id is the span's own");
    }

    #[test]
    fn frames_of_a_trace_make_few_parts() {
        let started = |name| read(Kind::TraceStarted, &format!(r#"{{"id":"{TRACE}","name":"{name}"}}"#)).unwrap();
        let ended = || read(Kind::TraceEnded, &format!(r#"{{"id":"{TRACE}","output":1}}"#)).unwrap();
        let span = || read(Kind::SpanEnded, &format!(r#"{{"id":"{SPAN}","trace_id":"{TRACE}"}}"#)).unwrap();
        let shape = |frames: Vec<Said>| -> Vec<(Option<String>, usize)> {
            together(frames).into_iter().map(|part| (part.name, part.spans.len())).collect()
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(shape(vec![started("a"), span(), span(), ended()]), [(named("a"), 2), (None, 0)]);
        assert_eq!(shape(vec![span(), started("a"), span()]), [(named("a"), 2)]);
        assert_eq!(shape(vec![span(), ended(), started("b")]), [(None, 1), (named("b"), 0)]);
    }
}
