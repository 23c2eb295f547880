//! What the traces have in common that are asked about.

use crate::params::Params;

/// Parameter, condition on `trace_models`, and on `cost_totals` where these know it.
const FILTERS: &[(&str, &str, Option<&str>)] = &[
    ("project_id", "project_id = ?", Some("project_id = ?")),
    ("environment", "environment = ?", Some("environment = ?")),
    ("model", "model = ?", Some("model = ?")),
    ("name", "name = ?", None),
    ("user_id", "user_id = ?", None),
    ("session_id", "session_id = ?", None),
    ("tag", "has(tags, ?)", None),
];

pub struct Filters {
    pub facts: String,
    /// None where the totals do not know one of the filters.
    pub totals: Option<String>,
    pub values: Vec<String>,
    pub by_project: bool,
    pub by_model: bool,
}

impl Filters {
    pub fn read(params: &mut Params) -> Filters {
        let (mut facts, mut totals, mut values) = (vec!["true"], Some(vec!["true"]), Vec::new());
        for (name, fact, total) in FILTERS {
            let Some(text) = params.text(name) else { continue };
            // The totals hold traces without a project or environment under the empty text.
            let total = total.filter(|_| !text.is_empty());
            totals = totals.zip(total).map(|(totals, total)| [totals, vec![total]].concat());
            facts.push(fact);
            values.push(text);
        }
        Filters {
            facts: facts.join(" AND "),
            totals: totals.map(|totals| totals.join(" AND ")),
            values,
            by_project: params.text("project_id").is_some(),
            by_model: params.text("model").is_some(),
        }
    }
}
