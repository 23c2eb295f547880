//! How the rows of traces by model are asked for.

use clickhouse::query::Query;
use runtime::Problem;

use super::Asked;
use super::saving::Saving;
use crate::stores::down;

/// Groups that need more memory go through files.
const MEMORY: &str = "150000000";

impl Asked<'_> {
    /// Of the rows of the period.
    pub fn calls(&self, columns: &str, condition: &str, rest: &str) -> Query {
        let query = self.tenant.scan(columns, "trace_models", &self.condition(condition), rest);
        self.filters.values.iter().fold(query, |query, value| query.bind(value))
    }

    /// As [`Self::calls`], of what `columns` make of each row.
    pub fn each_call(&self, outer: &str, columns: &str, condition: &str, rest: &str) -> Query {
        let scan = [(columns.to_owned(), "trace_models", self.condition(condition))];
        let query = self.tenant.scan_all(outer, &scan, rest).bind(&self.filters.values);
        query.with_setting("max_bytes_before_external_group_by", MEMORY)
    }

    /// As [`Self::each_call`], of calls whose hash comes more than once.
    pub fn repeated_calls(&self, outer: &str, columns: &str, hash: &str, condition: &str, rest: &str) -> Query {
        let condition = self.condition(condition);
        let hashes = "arrayJoin(arrayFilter(hash -> hash != 0, call_hash))";
        let query = self.tenant.scan_repeated(outer, (columns, "trace_models", &condition), (hash, hashes), rest);
        query.bind(&self.filters.values).with_setting("max_bytes_before_external_group_by", MEMORY)
    }

    /// Three traces in which a saving is to be had.
    pub async fn examples(&self, saving: &Saving, condition: &str) -> Result<Vec<String>, Problem> {
        let condition = format!("{condition} AND name = ? AND model = ?");
        let query = self.calls("trace_id", &condition, "ORDER BY trace_id LIMIT 3");
        query.bind(&saving.feature).bind(&saving.model).fetch_all().await.map_err(down)
    }

    fn condition(&self, condition: &str) -> String {
        format!("{} AND {} AND {condition}", self.period.contains(), self.filters.facts)
    }
}
