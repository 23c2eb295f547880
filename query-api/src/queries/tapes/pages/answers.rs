//! The routes of the pages. They take any parameters: links carry more than we ask for.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use serde::Deserialize;
use web::{Error, Page, Tape, headers, oembed as unfolded};

use super::super::find::find;
use super::super::views::{Visitor, told};
use super::opened::Opened;
use crate::state::AppState;

#[derive(Deserialize)]
pub struct Listed {
    /// The place of the first step that is listed to who has no scripts.
    #[serde(default)]
    from: String,
}

pub async fn page(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Query(listed): Query<Listed>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Problem> {
    drawn(&state, (&slug, &headers, &visitor), &listed, false, web::tape_page).await
}

pub async fn embed(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Query(listed): Query<Listed>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Problem> {
    drawn(&state, (&slug, &headers, &visitor), &listed, true, web::embed_page).await
}

async fn drawn(
    state: &AppState,
    (slug, headers, visitor): (&str, &HeaderMap, &Visitor),
    Listed { from }: &Listed,
    framed: bool,
    draw: fn(&Tape<'_>) -> Result<Page, Error>,
) -> Result<Response, Problem> {
    let (row, workspace) = match find(state, headers, slug).await {
        Ok(found) => found,
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {
            let missing = web::missing_page(&state.base_url, framed).map_err(Problem::internal)?;
            return Ok(answer(StatusCode::NOT_FOUND, missing.headers, missing.html));
        }
        Err(problem) => return Err(problem),
    };
    told(state, workspace.tenant(), row.tape_id, visitor);
    // A link that somebody has cut still leads to the beginning.
    let opened = Opened::read(row, &workspace, from.parse().unwrap_or(0)).await?;
    let page = opened.draw(&state.base_url, draw).map_err(Problem::internal)?;
    Ok(answer(StatusCode::OK, page.headers, page.html))
}

/// The picture that a link unfolds to.
pub async fn card(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (row, workspace) = find(&state, &headers, &slug).await?;
    let opened = Opened::outlined(row, &workspace).await?;
    let base_url = state.base_url.clone();
    let drawing = tokio::task::spawn_blocking(move || opened.draw(&base_url, web::card));
    let picture = drawing.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    Ok(answer(StatusCode::OK, headers::CARD, picture))
}

#[derive(Deserialize)]
pub struct Unfolding {
    #[serde(default)]
    url: String,
    #[serde(default)]
    format: String,
    maxwidth: Option<u32>,
    maxheight: Option<u32>,
}

pub async fn oembed(
    State(state): State<AppState>,
    Query(asked): Query<Unfolding>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if asked.url.is_empty() {
        return Err(Problem::bad_request("url is missing"));
    }
    // The specification's word for a format that a provider does not have.
    if !["", "json"].contains(&asked.format.as_str()) {
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "format is not json, the only one there is"));
    }
    let slug = unfolded::slug_of(&asked.url, &state.base_url).ok_or_else(|| Problem::not_found("Tape"))?;
    let (row, _) = find(&state, &headers, slug).await?;
    let draw = |tape: &Tape<'_>| unfolded::Answer::new(tape, asked.maxwidth, asked.maxheight).json();
    let text = Opened::heading(row).draw(&state.base_url, draw).map_err(Problem::internal)?;
    Ok(answer(StatusCode::OK, headers::OEMBED, text))
}

pub async fn asset(Path((hash, file)): Path<(String, String)>) -> Result<Response, Problem> {
    served(&format!("{hash}/{file}"))
}

pub async fn asset_of_folder(Path((hash, folder, file)): Path<(String, String, String)>) -> Result<Response, Problem> {
    served(&format!("{hash}/{folder}/{file}"))
}

fn served(path: &str) -> Result<Response, Problem> {
    let file = web::asset(path).ok_or_else(|| Problem::not_found("File"))?;
    let mut response = answer(StatusCode::OK, headers::ASSET, file.bytes);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    Ok(response)
}

fn answer(status: StatusCode, headers: &[(&'static str, &'static str)], body: impl Into<Body>) -> Response {
    let mut response = (status, body.into()).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
