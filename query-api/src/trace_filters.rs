//! The filters of the trace list, as a condition on `trace_list` and its values.

use clickhouse::query::Query;
use schemas::Money;

use crate::params::Params;

const MOST_WORDS: usize = 16;

#[derive(Clone)]
pub enum Value {
    Text(String),
    Micros(i64),
}

#[derive(Default)]
pub struct Filters {
    conditions: Vec<&'static str>,
    values: Vec<Value>,
    /// The parts that the counts know: status, project, environment. `None`: something else is filtered too.
    pub counted: Option<Vec<(&'static str, String)>>,
    /// The time before which all of them started, where one is asked for.
    pub to: Option<i64>,
}

impl Filters {
    /// What traces have in common.
    pub fn in_common(params: &Params) -> Filters {
        let mut filters = Filters { counted: Some(Vec::new()), ..Filters::default() };
        for (name, condition) in [("project_id", "project_id = ?"), ("environment", "environment = ?")] {
            if let Some(text) = params.text(name) {
                filters.count(name, &text);
                filters.add(condition, Value::Text(text));
            }
        }
        for (name, condition) in [
            ("name", "name = ?"),
            ("session_id", "session_id = ?"),
            ("user_id", "user_id = ?"),
            ("model", "has(models, ?)"),
            ("tag", "has(tags, ?)"),
        ] {
            if let Some(text) = params.text(name) {
                filters.other(condition, Value::Text(text));
            }
        }
        filters
    }

    /// All that the list knows.
    pub fn read(params: &mut Params) -> Filters {
        let mut filters = Filters::in_common(params);
        if let Some(status) = params.one_of("status") {
            filters.count("status", &status);
            filters.add("status = ?", Value::Text(status));
        }
        for (name, condition) in [
            ("from", "started_at >= fromUnixTimestamp64Micro(?, 'UTC')"),
            ("to", "started_at < fromUnixTimestamp64Micro(?, 'UTC')"),
        ] {
            if let Some(micros) = params.time(name) {
                if name == "to" {
                    filters.to = Some(micros);
                }
                filters.other(condition, Value::Micros(micros));
            }
        }
        if let Some(money) = params.money("min_cost") {
            filters.other("total_cost >= toDecimal128(?, 12)", Value::Text(money.to_string()));
        }
        if let Some(ms) = params.money("min_duration_ms") {
            let micros = ms.ratio(1, 1_000_000_000).unwrap_or(Money::ZERO).0;
            filters.other("total_duration_us >= ?", Value::Micros(i64::try_from(micros).unwrap_or(i64::MAX)));
        }
        if let Some(words) = params.text("q") {
            if words.split_whitespace().count() > MOST_WORDS {
                params.fault(format!("q has more than {MOST_WORDS} words"));
            }
            for word in words.split_whitespace().take(MOST_WORDS) {
                filters.other("positionCaseInsensitiveUTF8(name, ?) > 0", Value::Text(word.to_owned()));
            }
        }
        filters
    }

    fn add(&mut self, condition: &'static str, value: Value) {
        self.conditions.push(condition);
        self.values.push(value);
    }

    fn other(&mut self, condition: &'static str, value: Value) {
        self.counted = None;
        self.add(condition, value);
    }

    fn count(&mut self, column: &'static str, value: &str) {
        if let Some(counted) = &mut self.counted {
            // The counts hold traces without a project or environment under the empty text.
            if value.is_empty() {
                self.counted = None;
            } else {
                counted.push((column, value.to_owned()));
            }
        }
    }

    /// Whether they let every trace pass.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// `first AND` what is asked for.
    pub fn and(&self, first: &str) -> String {
        format!("{first} AND {}", self.condition())
    }

    pub fn condition(&self) -> String {
        if self.conditions.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") }
    }

    pub fn bind(&self, query: Query) -> Query {
        self.values.iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Micros(micros) => query.bind(micros),
        })
    }

    /// What a cursor is bound to.
    pub fn fingerprint(&self) -> String {
        let mut text = self.condition();
        for value in &self.values {
            match value {
                Value::Text(value) => text.push_str(&format!("\0{value}")),
                Value::Micros(value) => text.push_str(&format!("\0{value}")),
            }
        }
        text
    }
}
