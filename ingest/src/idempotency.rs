//! Idempotency-Key: a retried write answers as the first did. A coordination table in Postgres, asked only when the
//! header is there.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use schemas::sealing;
use serde::Serialize;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::state::AppState;

/// A claim this old was left by a process that died, or will be: its work is repeated, with the same ids. Whoever sends it
/// again after a crash waits for no longer.
const ABANDONED_SECONDS: f64 = 10.0;

pub enum Claimed {
    /// No header.
    Unasked,
    Fresh(Claim),
    Answered(Answer),
}

pub struct Claim {
    pool: PgPool,
    tenant: String,
    route: &'static str,
    key: String,
    body_sha256: [u8; 32],
}

pub struct Answer {
    pub status: StatusCode,
    pub body: serde_json::Value,
    pub position: String,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let position = Some(self.position).filter(|position| !position.is_empty());
        let answer = match self.status {
            StatusCode::NO_CONTENT => self.status.into_response(),
            status => (status, Json(self.body)).into_response(),
        };
        (position.map(|position| [("x-retrace-position", position)]), answer).into_response()
    }
}

impl Claimed {
    pub async fn of(
        state: &AppState,
        principal: &Principal,
        route: &'static str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Claimed, Problem> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(Claimed::Unasked) };
        let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= 255);
        let key = key.ok_or_else(|| Problem::bad_request("Idempotency-Key is not 1 to 255 visible characters"))?;
        let claim = Claim {
            pool: state.pool.clone(),
            tenant: principal.tenant.clone(),
            route,
            key: key.to_owned(),
            body_sha256: sealing::sha256(body),
        };
        claim.take().await
    }
}

impl Claim {
    async fn take(self) -> Result<Claimed, Problem> {
        let down = |cause: sqlx::Error| Problem::store_down("Postgres", cause);
        let taken = sqlx::query(
            "INSERT INTO idempotency (tenant, route, key, body_sha256) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, route, key) DO UPDATE SET claimed_at = now()
             WHERE idempotency.status IS NULL AND idempotency.body_sha256 = $4
               AND extract(epoch FROM now() - idempotency.claimed_at) > $5
             RETURNING 1",
        )
        .bind(&self.tenant)
        .bind(self.route)
        .bind(&self.key)
        .bind(self.body_sha256.as_slice())
        .bind(ABANDONED_SECONDS)
        .fetch_optional(&self.pool)
        .await
        .map_err(down)?;
        if taken.is_some() {
            return Ok(Claimed::Fresh(self));
        }
        let row = sqlx::query(
            "SELECT body_sha256, status, body, position FROM idempotency WHERE tenant = $1 AND route = $2 AND key = $3",
        )
        .bind(&self.tenant)
        .bind(self.route)
        .bind(&self.key)
        .fetch_optional(&self.pool)
        .await
        .map_err(down)?;
        let in_progress = || {
            let mut problem = Problem::new(StatusCode::CONFLICT, "A request with this Idempotency-Key is in progress");
            problem.retry_after = Some(1);
            problem
        };
        let row = row.ok_or_else(in_progress)?;
        if row.get::<Vec<u8>, _>("body_sha256") != self.body_sha256 {
            return Err(Problem::new(StatusCode::CONFLICT, "This Idempotency-Key was used with another body"));
        }
        let status: Option<i32> = row.get("status");
        let status = status.and_then(|status| StatusCode::from_u16(status as u16).ok()).ok_or_else(in_progress)?;
        Ok(Claimed::Answered(Answer { status, body: row.get("body"), position: row.get("position") }))
    }

    /// Ids created under a key are the same when its work is repeated; those of another body, for which the key is free again
    /// after a day, are others.
    pub fn derived_id(&self) -> String {
        let names = format!("{}\0{}\0{}\0", self.tenant, self.route, self.key);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &[names.as_bytes(), &self.body_sha256].concat()).to_string()
    }

    /// The event is durable already: a failure here only means that a retry repeats it.
    pub async fn keep(self, status: StatusCode, body: &impl Serialize, position: &str) {
        let kept = sqlx::query(
            "UPDATE idempotency SET status = $4, body = $5, position = $6 WHERE tenant = $1 AND route = $2 AND key = $3",
        )
        .bind(&self.tenant)
        .bind(self.route)
        .bind(&self.key)
        .bind(i32::from(status.as_u16()))
        .bind(sqlx::types::Json(body))
        .bind(position)
        .execute(&self.pool)
        .await;
        if let Err(cause) = kept {
            tracing::warn!(%cause, "an idempotent answer was not kept");
        }
    }

    /// What came of it is not known: the next try of the same repeats it at once.
    pub async fn leave(self) {
        let left = sqlx::query(
            "UPDATE idempotency SET claimed_at = now() - make_interval(secs => 2 * $4)
             WHERE tenant = $1 AND route = $2 AND key = $3 AND status IS NULL",
        )
        .bind(&self.tenant)
        .bind(self.route)
        .bind(&self.key)
        .bind(ABANDONED_SECONDS)
        .execute(&self.pool)
        .await;
        if let Err(cause) = left {
            tracing::warn!(%cause, "an idempotency claim was not left to the next try");
        }
    }

    /// Nothing was accepted: the next try starts anew.
    pub async fn release(self) {
        let released =
            sqlx::query("DELETE FROM idempotency WHERE tenant = $1 AND route = $2 AND key = $3 AND status IS NULL")
                .bind(&self.tenant)
                .bind(self.route)
                .bind(&self.key)
                .execute(&self.pool)
                .await;
        if let Err(cause) = released {
            tracing::warn!(%cause, "an idempotency claim was not released");
        }
    }
}

/// Answers are kept for a day.
pub async fn tidy(pool: PgPool, stop: tokio_util::sync::CancellationToken) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(std::time::Duration::from_secs(600));
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        if let Err(cause) =
            sqlx::query("DELETE FROM idempotency WHERE claimed_at < now() - interval '1 day'").execute(&pool).await
        {
            tracing::debug!(%cause, "old idempotency keys were not removed");
        }
    }
}
