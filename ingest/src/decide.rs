//! Commands whose outcome the workspace projection decides: appended, then waited for (ADR 0016).

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::position::Record;
use schemas::{Event, ids, topics};
use serde_json::value::RawValue;
use sqlx::AssertSqlSafe;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::append::{Caller, now};
use crate::idempotency::{Claim, Claimed};
use crate::state::AppState;

/// What a command is called, and what it makes: the same again when its work is repeated under its Idempotency-Key.
pub struct Ids {
    pub event: Uuid,
    pub resource: String,
}

impl Ids {
    pub fn of(claim: Option<&Claim>) -> Ids {
        match claim.and_then(|claim| Uuid::try_parse(&claim.derived_id()).ok()) {
            Some(id) => Ids { event: ids::derived(id, "command"), resource: id.to_string() },
            None => Ids { event: ids::event_id(), resource: Uuid::now_v7().to_string() },
        }
    }
}

/// A command that was accepted.
pub struct Decided {
    pub status: StatusCode,
    /// Of the resource, after it.
    pub version: Option<i64>,
    /// Where the fold finds out which resource it is about.
    pub resource: Option<Uuid>,
    pub time: OffsetDateTime,
    pub position: String,
    pub record: Record,
}

/// As the projection has kept it.
#[derive(sqlx::FromRow)]
struct Outcome {
    status: i16,
    version: Option<i64>,
    resource: Option<Uuid>,
    reason: Option<String>,
}

/// The answer to a command: the resource as it can be read now.
pub struct Answer {
    pub decided: Decided,
    pub body: Option<Box<RawValue>>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Decided { status, version, position, .. } = self.decided;
        let mut response = match self.body {
            Some(body) => (status, Json(body)).into_response(),
            None => status.into_response(),
        };
        let headers = response.headers_mut();
        if let Ok(position) = HeaderValue::from_str(&position) {
            headers.insert("x-retrace-position", position);
        }
        if let Some(version) = version
            && let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\""))
        {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// The version that `If-Match` names; none where any will do.
pub fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).parse();
    version.map(Some).map_err(|_| {
        Problem::new(StatusCode::PRECONDITION_FAILED, "If-Match is not one version as ETag gives it, such as \"3\"")
    })
}

/// Does a command once under its Idempotency-Key, if it has one.
pub async fn once(
    state: &AppState,
    caller: &Caller<'_>,
    (route, headers, body): (&'static str, &HeaderMap, &[u8]),
    command: impl AsyncFnOnce(Ids) -> Result<Answer, Problem>,
) -> Result<Response, Problem> {
    let claim = match Claimed::of(state, caller.principal, route, headers, body).await? {
        Claimed::Answered(answer) => return Ok(answer.into_response()),
        Claimed::Fresh(claim) => Some(claim),
        Claimed::Unasked => None,
    };
    let answer = command(Ids::of(claim.as_ref())).await;
    settle(claim, &answer).await;
    Ok(answer?.into_response())
}

/// Keeps what came of a command for whoever sends it again.
pub async fn settle(claim: Option<Claim>, answer: &Result<Answer, Problem>) {
    let Some(claim) = claim else { return };
    match answer {
        Ok(Answer { decided, body }) => claim.keep(decided.status, body, &decided.position).await,
        Err(refused) if is_final(refused) => {
            let body = serde_json::json!({ "error": refused.message });
            claim.keep(refused.status, &body, refused.position.as_deref().unwrap_or_default()).await;
        }
        // It may be in the log: a retry of the same finds what came of it.
        Err(_) => claim.leave().await,
    }
}

/// Whether a retry is to hear the same: what came of the command does, what is refused of the credentials says nothing of it.
fn is_final(refused: &Problem) -> bool {
    let is_about_caller = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&refused.status);
    refused.status.is_client_error() && (refused.position.is_some() || !is_about_caller)
}

impl AppState {
    /// Appends a command about `subject` and waits, bounded, for what comes of it.
    pub async fn decide(
        &self,
        caller: &Caller<'_>,
        subject: &str,
        id: Uuid,
        command: Event,
    ) -> Result<Decided, Problem> {
        self.decide_all(caller, subject, vec![(id, command)]).await
    }

    /// As [`Self::decide`], of a command in several events: what comes of it comes of the last one.
    pub async fn decide_all(
        &self,
        caller: &Caller<'_>,
        subject: &str,
        commands: Vec<(Uuid, Event)>,
    ) -> Result<Decided, Problem> {
        let id = commands.last().map(|(id, _)| *id).ok_or_else(|| Problem::internal("a command of no event"))?;
        self.workspace_reachable().await?;
        let partition = topics::tenant_partition(&caller.principal.tenant, topics::PARTITIONS);
        let time = now();
        let (position, record) = self.append_when(time, caller, partition, subject, commands).await?;
        let outcome = if self.progress.reaches(record).await { self.outcome(id).await } else { None };
        let Some(Outcome { status, version, resource, reason }) = outcome else {
            let message = "The write is in the log, but what came of it is not known yet";
            return Err(Problem { position: Some(position), ..Problem::unavailable(message, 1) });
        };
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.ok_or_else(|| Problem::internal("an outcome without a status"))?;
        match reason {
            Some(reason) => Err(Problem { position: Some(position), ..Problem::new(status, reason) }),
            None => Ok(Decided { status, version, resource, time, position, record }),
        }
    }

    /// Every generation decides alike.
    async fn outcome(&self, id: Uuid) -> Option<Outcome> {
        let read = async {
            let schema = runtime::postgres::live_schema(&self.pool, "workspace").await?;
            let sql =
                format!("SELECT status, version, resource, reason FROM {schema}.command_outcomes WHERE event_id = $1");
            sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await
        };
        read.await.unwrap_or_else(|cause: sqlx::Error| {
            tracing::warn!(%cause, "the outcome of a command cannot be read");
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_hears_again_what_came_of_the_command_and_not_what_was_wrong_with_the_caller() {
        let refused = |status, position: Option<&str>| Problem {
            position: position.map(str::to_owned),
            ..Problem::new(StatusCode::from_u16(status).unwrap_or_default(), "")
        };
        for (status, position, expected) in [
            (400, None, true),
            (404, None, true),
            (409, Some("position"), true),
            (403, Some("position"), true),
            (403, None, false),
            (401, None, false),
            (503, Some("position"), false),
        ] {
            assert_eq!(is_final(&refused(status, position)), expected, "{status} {position:?}");
        }
    }
}
