//! Tapes, of all tenants: those that are listed, and the one that somebody has the name of.

use runtime::Problem;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::Workspace;
use super::workspace::down;

pub struct Tapes {
    pool: PgPool,
    schema: String,
}

impl Tapes {
    pub(super) fn new(pool: PgPool, schema: String) -> Tapes {
        Tapes { pool, schema }
    }

    /// With the handle of what else belongs to it.
    pub async fn named<R>(&self, id: Uuid) -> Result<Option<(R, Workspace)>, Problem>
    where
        R: for<'r> FromRow<'r, PgRow>,
    {
        let mut query = QueryBuilder::<Postgres>::new(format!("SELECT * FROM {}.tapes WHERE tape_id = ", self.schema));
        query.push_bind(id).push(" ORDER BY tenant LIMIT 1");
        let row: Option<PgRow> = query.build().fetch_optional(&self.pool).await.map_err(down)?;
        let Some(row) = row else { return Ok(None) };
        let tenant = row.try_get("tenant").map_err(down)?;
        let workspace = Workspace::new(self.pool.clone(), self.schema.clone(), tenant);
        Ok(Some((R::from_row(&row).map_err(down)?, workspace)))
    }

    /// Those that are listed, to be narrowed and ordered.
    pub fn listed(&self) -> QueryBuilder<Postgres> {
        QueryBuilder::new(format!("SELECT tapes.* FROM {}.tapes AS tapes WHERE is_public", self.schema))
    }

    /// As [`Self::listed`], with the `trend` of those that were viewed on some days: views count as much as their day weighs.
    pub fn listed_by_trend(&self, days: Vec<i64>, weights: Vec<i64>) -> QueryBuilder<Postgres> {
        let schema = &self.schema;
        let mut query = QueryBuilder::new(format!(
            "SELECT tapes.* FROM {schema}.tapes AS tapes
             LEFT JOIN (SELECT tenant, tape_id, sum(views * weight)::bigint AS trend
                        FROM {schema}.tape_views JOIN unnest("
        ));
        query.push_bind(days).push(", ").push_bind(weights);
        query.push(
            ") AS weighted (day, weight) USING (day) GROUP BY tenant, tape_id) AS trends USING (tenant, tape_id)
             WHERE is_public",
        );
        query
    }

    /// For [`Self::count`].
    pub fn counted(&self) -> QueryBuilder<Postgres> {
        QueryBuilder::new(format!("SELECT count(*) FROM (SELECT 1 FROM {}.tapes AS tapes WHERE is_public", self.schema))
    }

    pub async fn all<R>(&self, mut query: QueryBuilder<Postgres>) -> Result<Vec<R>, Problem>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        query.build_query_as().fetch_all(&self.pool).await.map_err(down)
    }

    /// How many there are, looking at no more than `at_most`.
    pub async fn count(&self, mut counted: QueryBuilder<Postgres>, at_most: u64) -> Result<u64, Problem> {
        counted.push(format!(" LIMIT {at_most}) AS counted"));
        let count: i64 = counted.build_query_scalar().fetch_one(&self.pool).await.map_err(down)?;
        Ok(count.unsigned_abs())
    }
}
