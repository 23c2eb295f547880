//! What a request says about a trace → the events that say so, each below the record limit.

use runtime::Problem;
use schemas::events::{Cell, ContentChunk, PayloadField, Source, SpanContent, SpanFacts, TraceContent, TraceRecorded};
use schemas::sealing::{self, SealingKey};
use schemas::{Event, codec, ids};
use serde_bytes::ByteArray;
use uuid::Uuid;

use super::parse::Trace;
use super::spans::Span;

/// A value above this goes ahead in chunks.
const LARGE_VALUE: usize = 256 * 1024;
const CHUNK: usize = 600 * 1024;
/// Plain content of one record; sealing adds little even where nothing compresses.
const PART: usize = 700 * 1024;

pub(super) struct Sealer<'a> {
    pub(super) key: &'a SealingKey,
    pub(super) price_table: String,
    pub(super) source: Source,
    pub(super) client_ip: String,
}

impl Sealer<'_> {
    /// Chunks first, then the trace in as many parts as it takes; the first part has the trace's own fields.
    pub(super) fn events(&self, trace_id: &str, trace: Trace) -> Result<Vec<(Uuid, Event)>, Problem> {
        let mut events = Vec::new();
        let mut facts = TraceRecorded {
            trace_id: trace_id.to_owned(),
            source: self.source,
            phase: trace.phase,
            price_table: self.price_table.clone(),
            status: trace.status,
            started_at: trace.started_at,
            ended_at: trace.ended_at,
            total_duration_us: trace.total_duration_us,
            total_tokens: trace.total_tokens,
            total_cost: trace.total_cost,
            lossy: trace.lossy,
            spans: Vec::new(),
            content: None,
        };
        let own = [
            (PayloadField::Input, trace.input),
            (PayloadField::Output, trace.output),
            (PayloadField::Error, trace.error),
            (PayloadField::Metadata, trace.metadata),
        ];
        let mut content = TraceContent {
            name: trace.name,
            session_id: trace.session_id,
            user_id: trace.user_id,
            project_id: trace.project_id,
            environment: trace.environment,
            tags: trace.tags,
            cells: self.cells(&mut events, trace_id, own)?,
            warnings: trace.warnings,
            client_ip: Some(self.client_ip.clone()),
            spans: Vec::new(),
        };
        let mut size = cells_size(&content.cells) + content.warnings.iter().map(String::len).sum::<usize>() + 4096;
        for span in trace.spans {
            let (span_facts, span_content) = self.span(&mut events, trace_id, span)?;
            let span_size = 512 + cells_size(&span_content.cells) + span_content.name.as_ref().map_or(0, String::len);
            if size + span_size > PART && !facts.spans.is_empty() {
                let rest = bare(&facts);
                self.seal(&mut events, std::mem::replace(&mut facts, rest), std::mem::take(&mut content))?;
                size = 4096;
            }
            size += span_size;
            facts.spans.push(span_facts);
            content.spans.push(span_content);
        }
        self.seal(&mut events, facts, content)?;
        Ok(events)
    }

    fn seal(
        &self,
        events: &mut Vec<(Uuid, Event)>,
        mut facts: TraceRecorded,
        content: TraceContent,
    ) -> Result<(), Problem> {
        let id = ids::event_id();
        let plain = codec::encode("trace_content", &content).map_err(Problem::internal)?;
        facts.content = Some(sealing::seal(self.key, id, &plain).map_err(Problem::internal)?);
        events.push((id, Event::TraceRecorded(facts)));
        Ok(())
    }

    fn span(
        &self,
        events: &mut Vec<(Uuid, Event)>,
        trace_id: &str,
        span: Span,
    ) -> Result<(SpanFacts, SpanContent), Problem> {
        let facts = SpanFacts {
            span_id: span.id,
            phase: span.phase,
            span_type: span.span_type,
            model: span.model,
            started_at: span.started_at,
            ended_at: span.ended_at,
            duration_us: span.duration_us,
            input_tokens: span.input_tokens,
            output_tokens: span.output_tokens,
            cache_read_tokens: span.cache_read_tokens,
            cache_write_tokens: span.cache_write_tokens,
            reasoning_tokens: span.reasoning_tokens,
            cost: span.cost,
            failed: span.error.is_some(),
        };
        let cells = [
            (PayloadField::Input, span.input),
            (PayloadField::Output, span.output),
            (PayloadField::Error, span.error),
            (PayloadField::Metadata, span.metadata),
            (PayloadField::TokenIds, span.token_ids),
            (PayloadField::Logprobs, span.logprobs),
        ];
        let content = SpanContent {
            parent_id: span.parent_id,
            name: span.name,
            agent_id: span.agent_id,
            parent_agent_id: span.parent_agent_id,
            agent_role: span.agent_role,
            cells: self.cells(events, trace_id, cells)?,
        };
        Ok((facts, content))
    }

    fn cells<const N: usize>(
        &self,
        events: &mut Vec<(Uuid, Event)>,
        trace_id: &str,
        values: [(PayloadField, Option<String>); N],
    ) -> Result<Vec<Cell>, Problem> {
        let mut cells = Vec::new();
        for (field, value) in values {
            let Some(value) = value else { continue };
            cells.push(if value.len() > LARGE_VALUE {
                self.large(events, trace_id, field, &value)?
            } else {
                Cell { field, value, chunks: 0, sha256: None }
            });
        }
        Ok(cells)
    }

    /// The hash is keyed, since it stands in the clear.
    fn large(
        &self,
        events: &mut Vec<(Uuid, Event)>,
        trace_id: &str,
        field: PayloadField,
        value: &str,
    ) -> Result<Cell, Problem> {
        let sha256 = ByteArray::new(sealing::keyed_digest(self.key, value.as_bytes()));
        let pieces: Vec<&[u8]> = value.as_bytes().chunks(CHUNK).collect();
        let of = pieces.len() as i32;
        for (n, piece) in pieces.into_iter().enumerate() {
            let id = ids::event_id();
            let content = sealing::seal(self.key, id, piece).map_err(Problem::internal)?;
            let chunk = ContentChunk { trace_id: trace_id.to_owned(), sha256, n: n as i32, of, content };
            events.push((id, Event::ContentChunk(chunk)));
        }
        Ok(Cell { field, value: String::new(), chunks: of, sha256: Some(sha256) })
    }
}

/// A later part of the same request: it says nothing about the trace itself.
fn bare(facts: &TraceRecorded) -> TraceRecorded {
    TraceRecorded {
        trace_id: facts.trace_id.clone(),
        source: facts.source,
        phase: facts.phase,
        price_table: facts.price_table.clone(),
        status: None,
        started_at: None,
        ended_at: None,
        total_duration_us: None,
        total_tokens: None,
        total_cost: None,
        lossy: None,
        spans: Vec::new(),
        content: None,
    }
}

fn cells_size(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.value.len() + 64).sum()
}
