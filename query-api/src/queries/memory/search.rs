//! `POST /memory/search`: what fits a query best.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, whole};
use runtime::position::Topic;
use schemas::events::memory::{CATEGORIES, SCOPES};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::documents::MemoryFound;
use super::filters::Filters;
use super::words;
use crate::state::AppState;

const LONGEST_QUERY: usize = 2_000;
const LONGEST_ID: usize = 512;

/// What is asked for.
#[derive(Debug)]
pub struct Search {
    pub query: String,
    pub filters: Filters,
    pub limit: i64,
}

pub async fn search(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Json<MemoryFound>, Problem> {
    let search = read(&body.bytes)?;
    drop(body);
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    Ok(Json(MemoryFound { results: words::find(&workspace, &search).await? }))
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    query: Option<&'a RawValue>,
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow)]
    category: Option<&'a RawValue>,
    #[serde(borrow)]
    project_id: Option<&'a RawValue>,
    #[serde(borrow)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow)]
    limit: Option<&'a RawValue>,
}

fn read(body: &[u8]) -> Result<Search, Problem> {
    // As a list of its values, a struct is read too.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::bad_request("the body is not a JSON object"));
    }
    let body: Body<'_> = serde_json::from_slice(body).map_err(|cause| {
        Problem::bad_request(if cause.is_data() {
            "the body is not a JSON object, or gives a field twice".to_owned()
        } else {
            format!("the body is not valid JSON at line {} column {}", cause.line(), cause.column())
        })
    })?;
    let mut faults = Vec::new();
    let mut text = |name: &str, raw: Option<&RawValue>, longest: usize| {
        let text: Option<String> = serde_json::from_str(raw?.get()).ok();
        match &text {
            None => faults.push(format!("{name} is not text")),
            Some(text) if text.is_empty() => faults.push(format!("{name} is empty")),
            Some(text) if text.chars().count() > longest => {
                faults.push(format!("{name} is longer than {longest} characters"));
            }
            Some(text) if text.contains('\0') => faults.push(format!("{name} contains NUL")),
            Some(_) => {}
        }
        text
    };
    let query = text("query", body.query, LONGEST_QUERY);
    let filters = Filters {
        scope: text("scope", body.scope, LONGEST_ID),
        category: text("category", body.category, LONGEST_ID),
        project_id: text("project_id", body.project_id, LONGEST_ID),
        session_id: text("session_id", body.session_id, LONGEST_ID),
        key: None,
    };
    if body.query.is_none() {
        faults.push("query is missing".to_owned());
    }
    for (name, value, all) in [("scope", &filters.scope, SCOPES), ("category", &filters.category, CATEGORIES)] {
        if value.as_ref().is_some_and(|value| !all.contains(&value.as_str())) {
            faults.push(format!("{name} is not one of {}", all.join(", ")));
        }
    }
    let limit = body
        .limit
        .map_or(Some(10), |raw| whole(raw.get()).map(|limit| limit as i64).filter(|limit| (1..=100).contains(limit)));
    if limit.is_none() {
        faults.push("limit is not a whole number from 1 to 100".to_owned());
    }
    match (query, limit) {
        (Some(query), Some(limit)) if faults.is_empty() => Ok(Search { query, filters, limit }),
        _ => Err(Problem::faults(faults)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_names_its_field() {
        for (body, fault) in [
            (r#"["a", null, null, null, null, null]"#, "the body is not a JSON object"),
            ("7", "the body is not a JSON object, or gives a field twice"),
            ("{", "the body is not valid JSON at line 1 column 1"),
            ("{}", "query is missing"),
            (r#"{"query": null}"#, "query is missing"),
            (r#"{"query": 1, "limit": 0}"#, "query is not text; limit is not a whole number from 1 to 100"),
            (r#"{"query": "", "limit": 1.5}"#, "query is empty; limit is not a whole number from 1 to 100"),
            (r#"{"query": "a\u0000"}"#, "query contains NUL"),
            (r#"{"query": "a", "scope": "all"}"#, "scope is not one of session, project, global"),
            (r#"{"query": "a", "session_id": 7}"#, "session_id is not text"),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err().message, fault, "{body}");
        }
        let long = format!(r#"{{"query": "{}"}}"#, "x".repeat(2_001));
        assert_eq!(read(long.as_bytes()).unwrap_err().message, "query is longer than 2000 characters");
    }

    #[test]
    fn a_search_has_a_query_and_ten_results() {
        let search = read(br#"{"query": "a b", "category": "fact", "scope": null, "other": [1]}"#).unwrap();
        assert_eq!((search.query.as_str(), search.limit), ("a b", 10));
        assert_eq!((search.filters.scope, search.filters.category.as_deref()), (None, Some("fact")));
    }
}
