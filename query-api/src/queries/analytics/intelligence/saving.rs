//! What would be saved, and whether it is worth saying.

use schemas::money::SCALE;

use super::Asked;
use super::documents::{Evidence, Recommendation};
use super::usage::Use;
use crate::numbers::Number;
use crate::period::Period;
use crate::prices::{ModelPrice, found};

const DAY_US: f64 = 86_400e6;
const MONTH_DAYS: f64 = 30.0;
const EXAMPLES: usize = 3;

/// A kind of waste, found in some calls.
#[derive(Default)]
pub struct Saving {
    pub kind: &'static str,
    pub feature: String,
    pub model: String,
    pub calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    /// Of the period, in units of money.
    pub current: i128,
    pub projected: i128,
    pub message: String,
    pub examples: Vec<String>,
    pub more: More,
}

/// What one kind has and others have not.
#[derive(Default)]
pub struct More {
    pub alternative: Option<String>,
    pub failure_rate: Option<f64>,
    pub negative_feedback_rate: Option<f64>,
    pub short_answers: Option<f64>,
    pub cacheable_read_tokens: Option<i64>,
    pub cacheable_write_tokens: Option<i64>,
    pub cache_hits: Option<i64>,
    pub above_input_tokens: Option<i64>,
    pub distinct_calls: Option<i64>,
}

impl Saving {
    /// About all calls of a model in a feature.
    pub fn of(kind: &'static str, used: &Use) -> Saving {
        Saving {
            kind,
            feature: used.name.clone(),
            model: used.model.clone(),
            calls: used.calls,
            input_tokens: used.input_tokens,
            output_tokens: used.output_tokens,
            cache_read_tokens: used.cache_read_tokens,
            examples: used.examples.clone(),
            ..Saving::default()
        }
    }

    pub fn in_period(&self) -> i128 {
        self.current - self.projected
    }

    pub fn per_month(&self, period: &Period) -> i128 {
        (self.in_period() as f64 * MONTH_DAYS / days(period)) as i128
    }
}

impl Asked<'_> {
    /// Whether it is enough to go on with.
    pub fn is_worth_saying(&self, saving: &Saving) -> bool {
        saving.calls >= self.bounds.min_calls && saving.per_month(self.period) >= self.bounds.min_saving.max(1)
    }
}

/// The largest first.
pub fn recommendations(asked: &Asked<'_>, mut savings: Vec<Saving>, spent: i128, limit: usize) -> Vec<Recommendation> {
    savings.retain(|saving| asked.is_worth_saying(saving));
    savings.sort_by(|a, b| {
        let place = |saving: &Saving| (saving.kind, saving.feature.clone(), saving.model.clone());
        b.in_period().cmp(&a.in_period()).then_with(|| place(a).cmp(&place(b)))
    });
    savings.into_iter().take(limit).map(|saving| recommendation(asked, saving, spent)).collect()
}

fn recommendation(asked: &Asked<'_>, saving: Saving, spent: i128) -> Recommendation {
    let (in_period, per_month) = (saving.in_period(), saving.per_month(asked.period));
    let share = in_period as f64 / spent.max(1) as f64;
    let prices = std::iter::once(&saving.model).chain(&saving.more.alternative);
    let prices: Vec<ModelPrice> = prices.filter_map(|model| found(asked.prices, model, asked.period.to).ok()).collect();
    Recommendation {
        kind: saving.kind,
        priority: if share >= 0.1 {
            "high"
        } else if share >= 0.02 {
            "medium"
        } else {
            "low"
        },
        potential_savings: format!("{}/month", dollars(per_month, 2)),
        evidence: Evidence {
            feature: (!saving.feature.is_empty()).then_some(saving.feature),
            model: saving.model,
            alternative: saving.more.alternative,
            calls: saving.calls,
            input_tokens: saving.input_tokens,
            output_tokens: saving.output_tokens,
            cache_read_tokens: saving.cache_read_tokens,
            current_cost: Number::money(saving.current),
            projected_cost: Number::money(saving.projected),
            savings_in_period: Number::money(in_period),
            savings_per_month: Number::money(per_month),
            period_days: days(asked.period),
            confidence: match saving.calls {
                1_000.. => "high",
                300..1_000 => "medium",
                _ => "low",
            },
            prices,
            example_trace_ids: saving.examples.into_iter().take(EXAMPLES).collect(),
            failure_rate: saving.more.failure_rate,
            negative_feedback_rate: saving.more.negative_feedback_rate,
            short_answers: saving.more.short_answers,
            cacheable_read_tokens: saving.more.cacheable_read_tokens,
            cacheable_write_tokens: saving.more.cacheable_write_tokens,
            cache_hits: saving.more.cache_hits,
            above_input_tokens: saving.more.above_input_tokens,
            distinct_calls: saving.more.distinct_calls,
        },
        message: saving.message,
    }
}

fn days(period: &Period) -> f64 {
    (period.to - period.from) as f64 / DAY_US
}

/// With so many digits after the point.
pub fn dollars(units: i128, digits: usize) -> String {
    let dollars = units as f64 / 10f64.powi(SCALE as i32);
    format!("${dollars:.digits$}")
}

/// As texts are named in messages.
pub fn quoted(feature: &str) -> String {
    if feature.is_empty() { "traces without a name".to_owned() } else { format!("\"{feature}\"") }
}
