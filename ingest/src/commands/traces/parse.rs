//! A request's body → what it says about a trace, or all of its faults.

use schemas::events::{Phase, TraceStatus};
use schemas::{Money, ids};
use serde_json::value::RawValue;

use super::spans::{self, Span};
use crate::json::{Fields, Reader, Repair, Repaired, scan, syntax_fault};

/// The fields whose values are kept as sent; elsewhere `NaN` is a fault, except that an unusable cost is dropped.
const LENIENT: &[&str] = &["input", "output", "metadata", "logprobs", "token_ids", "cost", "total_cost"];

pub(super) const LONGEST_NAME: usize = 4_096;
pub(super) const LONGEST_ID: usize = 512;

/// What a request says. Payloads are JSON text as sent.
#[derive(Debug)]
pub struct Trace {
    pub id: Option<String>,
    pub phase: Phase,
    pub status: Option<TraceStatus>,
    pub name: Option<String>,
    pub input: Option<String>,
    pub output: Option<String>,
    pub error: Option<String>,
    pub metadata: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Option<Vec<String>>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub total_tokens: Option<i64>,
    pub total_cost: Option<Money>,
    pub total_duration_us: Option<i64>,
    pub lossy: Option<bool>,
    pub spans: Vec<Span>,
    pub warnings: Vec<String>,
}

impl Trace {
    /// What says nothing of the trace itself.
    pub(super) fn of_spans() -> Trace {
        Trace {
            id: None,
            phase: Phase::Started,
            status: None,
            name: None,
            input: None,
            output: None,
            error: None,
            metadata: None,
            session_id: None,
            user_id: None,
            project_id: None,
            environment: None,
            tags: None,
            started_at: None,
            ended_at: None,
            total_tokens: None,
            total_cost: None,
            total_duration_us: None,
            lossy: None,
            spans: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// `id` is the path's, for a PATCH.
pub fn trace(body: &[u8], id: Option<&str>, most_spans: usize) -> Result<Trace, Vec<String>> {
    let text =
        std::str::from_utf8(body).map_err(|e| vec![format!("the body is not UTF-8 at byte {}", e.valid_up_to())])?;
    let scanned = scan(text).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    for Repair { path, what } in &scanned.repairs {
        judge(path, *what, &mut faults, &mut warnings);
    }
    let fields: Fields<'_> = serde_json::from_str(&scanned.text).map_err(|e| vec![syntax_fault(&e)])?;
    let mut reader = Reader { fields, prefix: String::new(), faults: &mut faults, warnings: &mut warnings };
    let trace = read(&mut reader, id, Some(most_spans));
    if faults.is_empty() { Ok(Trace { warnings, ..trace }) } else { Err(faults) }
}

/// What was repaired is noted; a number that had to be finite is a fault.
pub(super) fn judge(path: &str, what: Repaired, faults: &mut Vec<String>, warnings: &mut Vec<String>) {
    let field = path.rsplit('.').next().unwrap_or_default();
    match what {
        Repaired::Surrogate => warnings.push(format!("{path} held a lone surrogate, kept as U+FFFD")),
        Repaired::NonFinite if LENIENT.contains(&field) => {
            warnings.push(format!("{path} held a number that is not finite, kept as null"));
        }
        Repaired::NonFinite => faults.push(format!("{path} is not a finite number")),
    }
}

/// `most_spans` is none where spans come by themselves.
pub(super) fn read(reader: &mut Reader<'_, '_>, path_id: Option<&str>, most_spans: Option<usize>) -> Trace {
    let body_id = reader.id("id", ids::trace_id);
    if let (Some(path), Some(body)) = (path_id, &body_id)
        && path != body
    {
        reader.fault("id", "is not the id of the path");
    }
    let id = path_id.map(str::to_owned).or(body_id);
    let started_at = reader.time("started_at");
    let ended_at = ended_at(reader, started_at);
    let metadata = reader.payload("metadata");
    let environment = reader.name("environment", LONGEST_ID).or_else(|| environment_of(metadata.as_deref()));
    let error = reader.text("error");
    let stated = reader.one_of("status", TraceStatus::parse, &["running", "completed", "failed"]);
    // A run that ended has a status, said or not.
    let status =
        stated.or_else(|| ended_at.map(|_| if error.is_some() { TraceStatus::Failed } else { TraceStatus::Completed }));
    let ended = ended_at.is_some() || matches!(status, Some(TraceStatus::Completed | TraceStatus::Failed));
    let spans = most_spans.map(|most| spans::read(reader, id.as_deref(), most)).unwrap_or_default();
    Trace {
        id: id.or(spans.trace_id),
        phase: if ended { Phase::Ended } else { Phase::Started },
        status,
        name: reader.name("name", LONGEST_NAME),
        input: reader.payload("input"),
        output: reader.payload("output"),
        error,
        metadata,
        session_id: reader.name("session_id", LONGEST_ID),
        user_id: reader.name("user_id", LONGEST_ID),
        project_id: reader.name("project_id", LONGEST_ID),
        environment,
        tags: reader.texts("tags", 64, 256),
        started_at,
        ended_at,
        total_tokens: reader.tokens("total_tokens"),
        total_cost: reader.money("total_cost"),
        total_duration_us: reader.duration("total_duration_ms"),
        lossy: reader.boolean("lossy"),
        spans: spans.spans,
        warnings: Vec::new(),
    }
}

/// An end a little before the start is a clock step, and clamped; earlier is a fault.
pub(super) fn ended_at(reader: &mut Reader<'_, '_>, started_at: Option<i64>) -> Option<i64> {
    let ended = reader.time("ended_at")?;
    let Some(started) = started_at.filter(|started| ended < *started) else { return Some(ended) };
    if started - ended <= crate::json::CLOCK_STEP_US {
        reader.warn("ended_at", "was before started_at (a clock step) and is kept as started_at");
        return Some(started);
    }
    reader.fault("ended_at", "is before started_at");
    None
}

/// The client SDK names the environment in its metadata.
fn environment_of(metadata: Option<&str>) -> Option<String> {
    let metadata = metadata?;
    if !metadata.contains("environment") {
        return None;
    }
    let fields: Fields<'_> = serde_json::from_str(metadata).ok()?;
    let raw: &RawValue = fields.get("environment")?;
    let text: String = serde_json::from_str(raw.get()).ok()?;
    (text.chars().count() <= LONGEST_ID && !text.contains('\0') && !text.is_empty()).then_some(text)
}
