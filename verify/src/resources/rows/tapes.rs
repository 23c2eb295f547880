//! Rows of tapes.

use std::collections::{BTreeMap, BTreeSet};

use schemas::events::{TapeContent, TapeSnapshot, TapeStep};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::tapes::{Lines, Tape, Tapes};
use super::{keyed, micros};
use crate::verify::Report;
use crate::workspace::both;

type Id = (String, String);

pub struct Rows {
    tapes: BTreeMap<Id, TapeRow>,
    uploads: BTreeMap<Id, (String, i64, i64)>,
    /// (line, piece) → the hash of its text.
    pieces: BTreeMap<Id, BTreeMap<(i64, i64), Vec<u8>>>,
    steps: BTreeMap<Id, BTreeMap<i64, StepRow>>,
    /// (tape, day) → views.
    views: BTreeMap<(Id, i64), i64>,
    viewers: BTreeSet<(Id, i64, Vec<u8>)>,
    untaped: BTreeSet<Id>,
}

#[derive(FromRow)]
struct Key {
    tenant: String,
    tape_id: Uuid,
}

impl Key {
    fn id(self) -> Id {
        (self.tenant, self.tape_id.to_string())
    }
}

#[derive(FromRow)]
struct TapeRow {
    version: i64,
    is_public: bool,
    featured: bool,
    trace_id: Option<String>,
    steps: i64,
    views: i64,
    viewed_on: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    #[sqlx(flatten)]
    content: ContentRow,
}

#[derive(FromRow)]
struct ContentRow {
    slug: String,
    title: String,
    description: String,
    tags: Vec<String>,
    sha256: String,
    bytes: i64,
    status: String,
    duration_us: Option<i64>,
    tokens: i64,
    cost: String,
    models: Vec<String>,
    created_by: String,
}

#[derive(FromRow)]
struct UploadRow {
    snapshot_id: Uuid,
    pieces: i64,
    came_at: OffsetDateTime,
}

#[derive(FromRow)]
struct PieceRow {
    line: i64,
    piece: i64,
    hash: Vec<u8>,
}

#[derive(FromRow)]
struct StepRow {
    line: i64,
    span_id: String,
    parent: Option<i64>,
    span_type: String,
    name: String,
    model: Option<String>,
    offset_us: Option<i64>,
    duration_us: Option<i64>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cost: Option<String>,
    failed: bool,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let tapes: Vec<(Key, TapeRow)> = keyed(&mut *snapshot, schema, "tapes").await?;
        let uploads: Vec<(Key, UploadRow)> = keyed(&mut *snapshot, schema, "tape_uploads").await?;
        // Not the texts themselves: all of them at once need not fit.
        let sql = format!(
            "SELECT tenant, tape_id, line, piece, sha256(convert_to(text, 'UTF8')) AS hash FROM {schema}.tape_pieces"
        );
        let piece_rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *snapshot).await?;
        let steps: Vec<(Key, StepRow)> = keyed(&mut *snapshot, schema, "tape_steps").await?;
        let views = format!("SELECT tenant, tape_id, day, views FROM {schema}.tape_views");
        let views: Vec<(String, Uuid, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(views)).fetch_all(&mut *snapshot).await?;
        let viewers = format!("SELECT tenant, tape_id, day, viewer FROM {schema}.tape_viewers");
        let viewers: Vec<(String, Uuid, i64, Vec<u8>)> =
            sqlx::query_as(AssertSqlSafe(viewers)).fetch_all(&mut *snapshot).await?;
        let untaped = format!("SELECT tenant, trace_id FROM {schema}.untaped_traces");
        let untaped: Vec<Id> = sqlx::query_as(AssertSqlSafe(untaped)).fetch_all(snapshot).await?;
        let mut rows = Rows {
            tapes: tapes.into_iter().map(|(key, row)| (key.id(), row)).collect(),
            uploads: uploads
                .into_iter()
                .map(|(key, row)| (key.id(), (row.snapshot_id.to_string(), row.pieces, micros(row.came_at))))
                .collect(),
            pieces: BTreeMap::new(),
            steps: BTreeMap::new(),
            views: views
                .into_iter()
                .map(|(tenant, tape, day, views)| (((tenant, tape.to_string()), day), views))
                .collect(),
            viewers: viewers
                .into_iter()
                .map(|(tenant, tape, day, viewer)| ((tenant, tape.to_string()), day, viewer))
                .collect(),
            untaped: untaped.into_iter().collect(),
        };
        for row in &piece_rows {
            let (key, piece) = (Key::from_row(row)?, PieceRow::from_row(row)?);
            rows.pieces.entry(key.id()).or_default().insert((piece.line, piece.piece), piece.hash);
        }
        for (key, step) in steps {
            rows.steps.entry(key.id()).or_default().insert(step.line, step);
        }
        Ok(rows)
    }

    pub fn compare(&self, expected: &Tapes, report: &mut Report) {
        for id in both(&expected.published, &self.tapes) {
            let name = format!("{}/{}", id.0, id.1);
            let (tape, row) = (expected.published.get(id), self.tapes.get(id));
            report.compared("tapes");
            report.field("tapes", &name, "exists", &tape.is_some(), &row.is_some());
            let (Some(tape), Some(row)) = (tape, row) else { continue };
            report.field("tapes", &name, "facts", &facts(tape), &row.facts());
            match &tape.content {
                Some(content) => report.field("tapes", &name, "content", content, &row.content.content()),
                None => report.skip("tapes"),
            }
        }
        let uploads: BTreeMap<Id, (String, i64, i64)> = expected
            .waiting
            .iter()
            .map(|(id, upload)| (id.clone(), (upload.snapshot_id.clone(), upload.pieces, upload.came_at)))
            .collect();
        report.compared("tape_uploads");
        report.field("tape_uploads", "all", "rows", &uploads, &self.uploads);
        self.compare_lines(expected, report);
        self.compare_views(expected, report);
        report.compared("untaped_traces");
        report.field("untaped_traces", "all", "rows", &expected.untaped, &self.untaped);
    }

    /// Of a tape whose parts are erased, rows that were written before them stay until it is gone: they are compared where
    /// the fold still knows what they say.
    fn compare_lines(&self, expected: &Tapes, report: &mut Report) {
        let published = expected.published.iter().map(|(id, tape)| (id.clone(), (&tape.lines, tape.content.is_none())));
        let waiting =
            expected.waiting.iter().map(|(id, upload)| (id.clone(), (&upload.lines, upload.lines.pieces.is_empty())));
        let lines: BTreeMap<Id, (&Lines, bool)> = published.chain(waiting).collect();
        let (no_pieces, no_steps) = (BTreeMap::new(), BTreeMap::new());
        for id in lines.keys().chain(self.pieces.keys().filter(|id| !lines.contains_key(*id))) {
            let name = format!("{}/{}", id.0, id.1);
            report.compared("tape_pieces");
            report.compared("tape_steps");
            let Some((lines, is_lost)) = lines.get(id) else {
                report.field("tape_pieces", &name, "exists", &false, &true);
                continue;
            };
            if *is_lost {
                report.skip("tape_pieces");
                report.skip("tape_steps");
                continue;
            }
            let pieces: BTreeMap<(i64, i64), Vec<u8>> =
                lines.pieces.iter().map(|(place, hash)| (*place, hash.to_vec())).collect();
            report.field("tape_pieces", &name, "rows", &pieces, self.pieces.get(id).unwrap_or(&no_pieces));
            let steps: BTreeMap<i64, TapeStep> =
                self.steps.get(id).unwrap_or(&no_steps).iter().map(|(line, row)| (*line, row.step())).collect();
            report.field("tape_steps", &name, "rows", &lines.steps, &steps);
        }
    }

    fn compare_views(&self, expected: &Tapes, report: &mut Report) {
        let (mut views, mut viewers) = (BTreeMap::new(), BTreeSet::new());
        for (id, tape) in &expected.published {
            for (day, of_day) in &tape.viewers {
                views.insert((id.clone(), *day), of_day.len() as i64);
                if *day >= tape.viewed_on() - 1 {
                    viewers.extend(of_day.iter().map(|viewer| (id.clone(), *day, viewer.to_vec())));
                }
            }
        }
        report.compared("tape_views");
        report.field("tape_views", "all", "rows", &views, &self.views);
        report.compared("tape_viewers");
        report.field("tape_viewers", "all", "rows", &viewers, &self.viewers);
    }
}

/// What is in the clear: version, steps, views, the last day, times, flags and the trace.
type Facts = ([i64; 6], [bool; 2], Option<String>);

fn facts(tape: &Tape) -> Facts {
    let views = tape.viewers.values().map(|of_day| of_day.len() as i64).sum();
    let numbers = [tape.version, tape.steps, views, tape.viewed_on(), tape.created_at, tape.updated_at];
    (numbers, [tape.is_public, tape.featured], tape.trace_id.clone())
}

impl TapeRow {
    fn facts(&self) -> Facts {
        let (created_at, updated_at) = (micros(self.created_at), micros(self.updated_at));
        let numbers = [self.version, self.steps, self.views, self.viewed_on, created_at, updated_at];
        (numbers, [self.is_public, self.featured], self.trace_id.clone())
    }
}

impl ContentRow {
    fn content(&self) -> TapeContent {
        TapeContent {
            user_id: self.created_by.clone(),
            title: Some(self.title.clone()),
            description: Some(self.description.clone()),
            tags: Some(self.tags.clone()),
            snapshot: Some(TapeSnapshot {
                slug: self.slug.clone(),
                sha256: self.sha256.clone(),
                bytes: self.bytes,
                status: self.status.clone(),
                duration_us: self.duration_us,
                tokens: self.tokens,
                cost: self.cost.clone(),
                models: self.models.clone(),
            }),
        }
    }
}

impl StepRow {
    fn step(&self) -> TapeStep {
        TapeStep {
            span_id: self.span_id.clone(),
            parent: self.parent,
            span_type: self.span_type.clone(),
            name: self.name.clone(),
            model: self.model.clone(),
            offset_us: self.offset_us,
            duration_us: self.duration_us,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost: self.cost.clone(),
            failed: self.failed,
        }
    }
}
