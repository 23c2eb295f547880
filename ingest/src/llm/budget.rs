//! Tokens of a tenant's day: reserved before a call, so that questions at the same time do not exceed it together. A
//! coordination table in Postgres.

use sqlx::PgPool;

use super::Fault;

pub(super) struct Budget {
    pool: PgPool,
    tokens_a_day: u64,
}

/// A reservation counts as spent until it is told what was.
pub(super) struct Reserved<'a> {
    budget: &'a Budget,
    tenant: String,
    /// As Postgres writes it: a question may end on the next.
    day: String,
    tokens: i64,
}

impl Budget {
    pub fn new(pool: PgPool, tokens_a_day: u64) -> Budget {
        Budget { pool, tokens_a_day }
    }

    pub async fn reserve(&self, tenant: &str, tokens: i64) -> Result<Reserved<'_>, Fault> {
        let most = i64::try_from(self.tokens_a_day).unwrap_or(i64::MAX);
        if tokens > most {
            return Err(Fault::OverBudget(self.tokens_a_day));
        }
        let day: Option<String> = sqlx::query_scalar(
            "INSERT INTO model_tokens (tenant, day, tokens) VALUES ($1, (now() AT TIME ZONE 'UTC')::date, $2)
             ON CONFLICT (tenant, day) DO UPDATE SET tokens = model_tokens.tokens + $2
             WHERE model_tokens.tokens + $2 <= $3 RETURNING day::text",
        )
        .bind(tenant)
        .bind(tokens)
        .bind(most)
        .fetch_optional(&self.pool)
        .await
        .map_err(|cause| {
            tracing::warn!(%cause, "the budget of the model cannot be read");
            Fault::NoBudget
        })?;
        let day = day.ok_or(Fault::OverBudget(self.tokens_a_day))?;
        Ok(Reserved { budget: self, tenant: tenant.to_owned(), day, tokens })
    }
}

impl Reserved<'_> {
    pub async fn spent(self, tokens: i64) {
        let settled =
            sqlx::query("UPDATE model_tokens SET tokens = tokens + $3 WHERE tenant = $1 AND day = $2::text::date")
                .bind(&self.tenant)
                .bind(&self.day)
                .bind(tokens - self.tokens)
                .execute(&self.budget.pool)
                .await;
        if let Err(cause) = settled {
            tracing::warn!(%cause, tokens = self.tokens, "reserved tokens stay counted as spent");
        }
    }
}
