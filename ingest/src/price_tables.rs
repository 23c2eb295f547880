//! Which price tables are in force: the newest of each scope.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgPool};

/// Scope (a tenant, or empty for all) → hash of its newest table.
#[derive(Clone, Debug, Default)]
pub struct PriceTables(HashMap<String, String>);

impl PriceTables {
    /// As far as the projection knows.
    pub async fn read(pool: &PgPool) -> Result<PriceTables, sqlx::Error> {
        let schema = runtime::postgres::live_schema(pool, "workspace").await?;
        let newest: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT DISTINCT ON (scope) scope, hash FROM {schema}.price_tables ORDER BY scope, at_offset DESC"
        )))
        .fetch_all(pool)
        .await?;
        Ok(PriceTables(newest.into_iter().collect()))
    }

    pub fn publish(&mut self, scope: String, hash: String) {
        self.0.insert(scope, hash);
    }

    /// As events name them for a tenant: the most specific first, comma separated.
    pub fn of(&self, tenant: &str) -> String {
        [tenant, ""].iter().filter_map(|scope| self.0.get(*scope)).cloned().collect::<Vec<_>>().join(",")
    }
}
