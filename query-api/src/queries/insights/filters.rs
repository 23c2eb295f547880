//! What the traces have in common that are asked about, as a condition on `trace_list`.

use clickhouse::query::Query;
use runtime::http::micros_rfc3339;

use crate::params::Params;

/// Parameter, and its condition.
const FILTERS: [(&str, &str); 7] = [
    ("project_id", "project_id = ?"),
    ("environment", "environment = ?"),
    ("name", "name = ?"),
    ("model", "has(models, ?)"),
    ("user_id", "user_id = ?"),
    ("session_id", "session_id = ?"),
    ("tag", "has(tags, ?)"),
];

pub struct Filters {
    pub project_id: Option<String>,
    condition: String,
    values: Vec<String>,
}

impl Filters {
    pub fn read(params: &mut Params) -> Filters {
        let chosen: Vec<_> = FILTERS.iter().filter_map(|(name, by)| Some((*by, params.text(name)?))).collect();
        Filters {
            project_id: params.text("project_id"),
            condition: chosen.iter().map(|(condition, _)| format!(" AND {condition}")).collect(),
            values: chosen.into_iter().map(|(_, value)| value).collect(),
        }
    }

    /// `first AND` what is asked for.
    pub fn and(&self, first: &str) -> String {
        format!("{first}{}", self.condition)
    }

    pub fn bind(&self, query: Query) -> Query {
        self.values.iter().fold(query, |query, value| query.bind(value))
    }

    /// Tells lists with other filters apart.
    pub fn fingerprint(&self) -> String {
        format!("{}\0{}", self.condition, self.values.join("\0"))
    }
}

/// A time in whole seconds as answers have it.
pub fn time_of(seconds: i64) -> String {
    micros_rfc3339(seconds.saturating_mul(1_000_000))
}

/// A time in microseconds as a value of `started_at`.
pub fn moment(micros: i64) -> String {
    format!("fromUnixTimestamp64Micro({micros}, 'UTC')")
}
