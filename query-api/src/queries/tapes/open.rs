//! What a player opens: the tape, then the outline of its steps.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use uuid::Uuid;

use super::documents::{TapeOutline, money};
use super::find::find;
use super::views::{Visitor, told};
use crate::state::AppState;
use crate::stores::Workspace;

pub async fn get(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let (tape, workspace) = find(&state, &headers, &slug).await?;
    told(&state, workspace.tenant(), tape.tape_id, &visitor);
    let tag = format!("\"{}\"", tape.version);
    Ok(([(header::ETAG, tag)], Json(tape.shown(&state.base_url))).into_response())
}

/// What a timeline shows of a step.
#[derive(sqlx::FromRow)]
pub struct StepRow {
    pub line: i64,
    pub span_id: String,
    pub parent: Option<i64>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    pub offset_us: Option<i64>,
    pub duration_us: Option<i64>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub cost: Option<String>,
    pub failed: bool,
}

/// In their order.
pub async fn step_rows(workspace: &Workspace, tape: Uuid) -> Result<Vec<StepRow>, Problem> {
    let mut query = workspace.select("*", "@tape_steps");
    query.push(" AND tape_id = ").push_bind(tape).push(" ORDER BY line");
    workspace.all(query).await
}

pub async fn outline(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Json<TapeOutline>, Problem> {
    let (tape, workspace) = find(&state, &headers, &slug).await?;
    let rows = step_rows(&workspace, tape.tape_id).await?;
    let (mut types, mut names, mut models) = (Texts::default(), Texts::default(), Texts::default());
    let mut outline = TapeOutline { slug: tape.slug, steps: rows.len(), ..TapeOutline::default() };
    for row in rows {
        if row.failed {
            outline.failed.extend(usize::try_from(row.line));
        }
        outline.ids.push(row.span_id);
        outline.parents.push(row.parent.unwrap_or(0));
        outline.types.push(types.place(row.span_type));
        outline.names.push(names.place(row.name));
        outline.models.push(row.model.map(|model| models.place(model)));
        outline.offsets.push(row.offset_us);
        outline.durations.push(row.duration_us);
        outline.input_tokens.push(row.input_tokens);
        outline.output_tokens.push(row.output_tokens);
        outline.costs.push(row.cost.as_deref().map(money));
    }
    (outline.type_names, outline.name_texts, outline.model_names) = (types.all, names.all, models.all);
    Ok(Json(outline))
}

/// Distinct texts in the order of their first appearance.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    places: HashMap<String, usize>,
}

impl Texts {
    fn place(&mut self, text: String) -> usize {
        *self.places.entry(text).or_insert_with_key(|text| {
            self.all.push(text.clone());
            self.all.len() - 1
        })
    }
}
