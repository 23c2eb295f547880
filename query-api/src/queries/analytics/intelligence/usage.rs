//! What was used: by feature, which is the name of the traces, and by feature and model.

use std::collections::HashMap;

use clickhouse::Row;
use runtime::Problem;
use schemas::prices::Usage;
use serde::Deserialize;

use super::documents::FeatureCosts;
use super::{Asked, mean};
use crate::numbers::Number;
use crate::stores::down;

/// The dearest are looked at.
const MOST_FEATURES: u64 = 2_000;
const MOST_USES: u64 = 5_000;

/// A model in a feature.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct Use {
    pub name: String,
    pub model: String,
    pub calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub paid: i128,
    /// Calls that are known one by one, and those of them whose answer is not short.
    pub listed: u64,
    pub long_answers: u64,
    pub examples: Vec<String>,
}

impl Use {
    pub fn usage(&self) -> Usage {
        Usage {
            input: Some(self.input_tokens),
            output: Some(self.output_tokens),
            cache_read: Some(self.cache_read_tokens),
            cache_write: Some(self.cache_write_tokens),
        }
    }
}

pub async fn uses(asked: &Asked<'_>) -> Result<Vec<Use>, Problem> {
    let short = asked.bounds.short_answer_tokens;
    let columns = format!(
        "name, toString(model) AS model, sum(calls) AS calls, sum(input_tokens) AS input_tokens, \
         sum(output_tokens) AS output_tokens, sum(cache_read_tokens) AS cache_read_tokens, \
         sum(cache_write_tokens) AS cache_write_tokens, sum(cost) AS paid, sum(length(call_hash)) AS listed, \
         sum(arrayCount(tokens -> tokens > {short}, call_output_tokens)) AS long_answers, \
         arrayDistinct([argMax(trace_id, cost), min(trace_id), max(trace_id)]) AS examples"
    );
    let rest = format!("GROUP BY name, model ORDER BY paid DESC, name, model LIMIT {MOST_USES}");
    asked.calls(&columns, "model != ''", &rest).fetch_all().await.map_err(down)
}

/// The traces of a name.
pub struct Feature {
    pub name: String,
    pub traces: u64,
    pub failed: u64,
    pub paid: i128,
    pub timed: u64,
    pub duration_us: i64,
    pub verdicts: Verdicts,
}

/// Of users, on the traces of a name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdicts {
    pub good: u64,
    pub bad: u64,
}

#[derive(Row, Deserialize)]
struct Judged {
    name: String,
    good: u64,
    bad: u64,
}

/// The dearest first.
pub async fn features(asked: &Asked<'_>) -> Result<Vec<Feature>, Problem> {
    #[derive(Row, Deserialize)]
    struct Found {
        name: String,
        traces: u64,
        failed: u64,
        paid: i128,
        timed: u64,
        duration_us: i64,
    }
    let columns = "name, count() AS traces, countIf(status = 'failed') AS failed, sum(total_cost) AS paid, \
                   countIf(duration_bucket != 65535) AS timed, \
                   sumIf(total_duration_us, duration_bucket != 65535) AS duration_us";
    let rest = format!("GROUP BY name ORDER BY paid DESC, name LIMIT {MOST_FEATURES}");
    let condition = asked.traces.and(&asked.period.contains());
    let found = asked.traces.bind(asked.tenant.scan(columns, "trace_list", &condition, &rest)).fetch_all::<Found>();
    let beside = ("sum(value > 0) AS good, sum(value < 0) AS bad", "feedback");
    let columns = "name, sum(good) AS good, sum(bad) AS bad";
    let judged = asked.tenant.scan_beside(columns, "trace_list", &condition, beside, "GROUP BY name");
    let judged = asked.traces.bind(judged).fetch_all::<Judged>();
    let (found, judged) = tokio::try_join!(found, judged).map_err(down)?;
    let verdicts: HashMap<String, Verdicts> =
        judged.into_iter().map(|row| (row.name, Verdicts { good: row.good, bad: row.bad })).collect();
    let feature = |found: Found| Feature {
        verdicts: verdicts.get(&found.name).copied().unwrap_or_default(),
        name: found.name,
        traces: found.traces,
        failed: found.failed,
        paid: found.paid,
        timed: found.timed,
        duration_us: found.duration_us,
    };
    Ok(found.into_iter().map(feature).collect())
}

impl Feature {
    pub fn failure_rate(&self) -> f64 {
        self.failed as f64 / self.traces.max(1) as f64
    }

    pub fn shown(&self) -> FeatureCosts {
        let timed = i64::try_from(self.timed).ok().filter(|timed| *timed > 0);
        FeatureCosts {
            name: self.name.clone(),
            avg_cost: Number::money(mean(self.paid, self.traces as i64)),
            total_cost: Number::money(self.paid),
            count: self.traces,
            avg_duration: timed.map(|timed| Number::milliseconds(self.duration_us / timed)),
        }
    }
}

impl Verdicts {
    /// None without any.
    pub fn bad_rate(self) -> Option<f64> {
        let all = self.good + self.bad;
        (all > 0).then(|| self.bad as f64 / all as f64)
    }
}
