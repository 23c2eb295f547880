//! The workspace's rows of one tenant: a query that cannot be written without it.

use std::collections::HashMap;

use runtime::Problem;
use runtime::plans::{COLUMNS, Standing};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

pub struct Workspace {
    pool: PgPool,
    schema: String,
    tenant: String,
}

impl Workspace {
    pub(super) fn new(pool: PgPool, schema: String, tenant: String) -> Workspace {
        Workspace { pool, schema, tenant }
    }

    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// `SELECT columns FROM from WHERE tenant = …`, to be gone on with; `@` in `from` stands before the names of tables,
    /// which are joined `USING (tenant, …)`.
    pub fn select(&self, columns: &str, from: &str) -> QueryBuilder<Postgres> {
        self.begin("", columns, from)
    }

    /// As [`Self::select`], after a `SELECT columns` that binds values of its own.
    pub fn select_by(&self, mut columns: QueryBuilder<Postgres>, from: &str) -> QueryBuilder<Postgres> {
        let from = from.replace('@', &format!("{}.", self.schema));
        columns.push(format!(" FROM {from} WHERE tenant = ")).push_bind(self.tenant.clone());
        columns
    }

    /// As [`Self::select`], for [`Self::count`].
    pub fn counted(&self, from: &str) -> QueryBuilder<Postgres> {
        self.begin("SELECT count(*) FROM (", "1", from)
    }

    fn begin(&self, before: &str, columns: &str, from: &str) -> QueryBuilder<Postgres> {
        self.select_by(QueryBuilder::new(format!("{before}SELECT {columns}")), from)
    }

    pub async fn all<R>(&self, mut query: QueryBuilder<Postgres>) -> Result<Vec<R>, Problem>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        query.build_query_as().fetch_all(&self.pool).await.map_err(down)
    }

    pub async fn one<R>(&self, mut query: QueryBuilder<Postgres>) -> Result<Option<R>, Problem>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        query.build_query_as().fetch_optional(&self.pool).await.map_err(down)
    }

    /// How the tenant's plan stands, if anything was ever said of it.
    pub async fn plan(&self) -> Result<Option<Standing>, Problem> {
        self.one(self.select(COLUMNS, "@plans")).await
    }

    /// What came of commands, by their events' ids, which are to be the tenant's: the status and the version. Events that are
    /// no commands have none.
    pub async fn outcomes(&self, events: &[Uuid]) -> Result<HashMap<Uuid, (i16, Option<i64>)>, Problem> {
        let sql =
            format!("SELECT event_id, status, version FROM {}.command_outcomes WHERE event_id = ANY($1)", self.schema);
        let query = sqlx::query_as::<_, (Uuid, i16, Option<i64>)>(AssertSqlSafe(sql)).bind(events);
        let rows = query.fetch_all(&self.pool).await.map_err(down)?;
        Ok(rows.into_iter().map(|(event, status, version)| (event, (status, version))).collect())
    }

    /// How many rows there are, looking at no more than `at_most`.
    pub async fn count(&self, mut counted: QueryBuilder<Postgres>, at_most: u64) -> Result<u64, Problem> {
        counted.push(format!(" LIMIT {at_most}) AS counted"));
        let count: i64 = counted.build_query_scalar().fetch_one(&self.pool).await.map_err(down)?;
        Ok(count.unsigned_abs())
    }
}

pub(super) fn down(cause: sqlx::Error) -> Problem {
    Problem::store_down("Postgres", cause)
}
