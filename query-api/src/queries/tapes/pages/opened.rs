//! What is read of a tape to draw its pages.

use runtime::Problem;
use runtime::http::rfc3339;
use schemas::Money;
use schemas::tapes::StepLine;
use serde_json::value::RawValue;
use web::{Contents, Figures, Step, Tape};

use super::super::documents::TapeRow;
use super::super::open::{StepRow, step_rows};
use super::super::steps::lines;
use crate::stores::Workspace;

/// Steps that are shown at once to who has no scripts.
const LISTED: i64 = 50;
/// Of money's twelve digits, those that millionths do not have.
const BELOW_MICROS: i128 = 1_000_000;

pub struct Opened {
    row: TapeRow,
    steps: Vec<StepRow>,
    from: usize,
    contents: Vec<StepLine>,
}

impl Opened {
    /// What an address says: no steps.
    pub fn heading(row: TapeRow) -> Opened {
        Opened { row, steps: Vec::new(), from: 0, contents: Vec::new() }
    }

    /// With all steps.
    pub async fn outlined(row: TapeRow, workspace: &Workspace) -> Result<Opened, Problem> {
        let steps = step_rows(workspace, row.tape_id).await?;
        Ok(Opened { row, steps, from: 0, contents: Vec::new() })
    }

    /// With all steps, and what some hold from a place on.
    pub async fn read(row: TapeRow, workspace: &Workspace, from: usize) -> Result<Opened, Problem> {
        let Opened { row, steps, .. } = Opened::outlined(row, workspace).await?;
        let from = from.min(steps.len());
        let first = i64::try_from(from).unwrap_or(i64::MAX).saturating_add(1);
        let texts = lines(workspace, row.tape_id, first, LISTED).await?;
        let contents = texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>();
        Ok(Opened { row, steps, from, contents: contents.map_err(Problem::internal)? })
    }

    pub fn draw<T>(&self, base_url: &str, draw: impl FnOnce(&Tape<'_>) -> T) -> T {
        let row = &self.row;
        let mut last = 0;
        let steps: Vec<Step<'_>> = self
            .steps
            .iter()
            .map(|step| {
                // What never began is drawn where the one before it is.
                last = step.offset_us.map_or(last, |offset| last.max(unsigned(offset)));
                drawn(step, last)
            })
            .collect();
        let contents: Vec<Contents<'_>> = self.contents.iter().map(held).collect();
        draw(&Tape {
            base_url,
            slug: &row.slug,
            title: &row.title,
            note: &row.description,
            author: None,
            tags: &row.tags,
            published_at: &rfc3339(row.created_at),
            views: unsigned(row.views),
            is_public: row.is_public,
            figures: Figures {
                tokens: unsigned(row.tokens),
                cost_micros: micros(&row.cost),
                // A trace without an end has been as long as its steps.
                duration_micros: row.duration_us.map_or_else(|| extent(&steps), unsigned),
                models: &row.models,
            },
            steps: &steps,
            contents_from: self.from,
            contents: &contents,
        })
    }
}

fn extent(steps: &[Step<'_>]) -> u64 {
    steps.iter().map(|step| step.start_micros + step.duration_micros.unwrap_or(0)).max().unwrap_or(0)
}

fn drawn(step: &StepRow, start_micros: u64) -> Step<'_> {
    Step {
        span_type: &step.span_type,
        name: &step.name,
        model: step.model.as_deref(),
        // Lines count from 1, places from 0.
        parent: step.parent.and_then(|line| usize::try_from(line - 1).ok()),
        start_micros,
        duration_micros: step.duration_us.map(unsigned),
        input_tokens: step.input_tokens.map_or(0, unsigned),
        output_tokens: step.output_tokens.map_or(0, unsigned),
        cost_micros: step.cost.as_deref().map_or(0, micros),
        failed: step.failed,
    }
}

fn held(line: &StepLine) -> Contents<'_> {
    Contents {
        input: line.input.as_deref().map_or("", RawValue::get),
        output: line.output.as_deref().map_or("", RawValue::get),
        error: line.error.as_deref().unwrap_or_default(),
    }
}

/// Counts and times of a tape are checked where it is published: none is negative.
fn unsigned(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}

fn micros(cost: &str) -> u64 {
    let units = Money::parse(cost).unwrap_or_default().0;
    u64::try_from(units / BELOW_MICROS).unwrap_or(0)
}
