//! Calls whose answers are short, by a model that has a cheaper relative.

use std::collections::{HashMap, HashSet};

use schemas::Money;
use schemas::prices::{Price, Usage};

use super::saving::{More, Saving, dollars, quoted};
use super::usage::{Feature, Use};
use super::{Asked, mean};
use crate::spending::Line;

/// Of the calls, how many have a short answer.
const SHORT: f64 = 0.95;
/// A feature that fails or displeases more often than this has other troubles first.
const FAILS: f64 = 0.1;
const DISPLEASES: f64 = 0.3;
/// Fewer verdicts say nothing.
const VERDICTS: u64 = 5;
/// What the relative costs at the most, of what the model does. The dearest such is one step down, not the whole ladder.
const CHEAPER: f64 = 0.6;

/// Models for something else than answering in text.
const SPECIAL: [&str; 20] = [
    "audio",
    "codex",
    "computer",
    "customtools",
    "cyber",
    "daybreak",
    "embed",
    "guard",
    "image",
    "instruct",
    "law",
    "live",
    "moderation",
    "realtime",
    "research",
    "robotics",
    "rosalind",
    "search",
    "transcribe",
    "tts",
];

pub fn find(asked: &Asked<'_>, uses: &[Use], features: &[Feature], models: &[Line]) -> Vec<Saving> {
    let features: HashMap<&str, &Feature> = features.iter().map(|feature| (feature.name.as_str(), feature)).collect();
    let in_use: HashSet<&str> = models.iter().map(|line| line.key.as_str()).collect();
    let found = uses.iter().filter_map(|used| {
        let feature = features.get(used.name.as_str()).filter(|feature| argues_for(feature))?;
        let short = 1.0 - used.long_answers as f64 / used.listed.max(1) as f64;
        if used.calls < asked.bounds.min_calls || short < SHORT {
            return None;
        }
        let (_, price) = asked.prices.price(&used.model, asked.period.to)?;
        let usage = used.usage();
        let current = price.rates(0).cost(usage)?;
        let (alternative, projected) = relative(asked, price, usage, current, &in_use)?;
        let average = dollars(mean(used.paid, used.calls), 4);
        let of = quoted(&used.name);
        Some(Saving {
            current: current.0,
            projected: projected.0,
            message: format!(
                "\"{}\" averages {average}/call in {of}, where it gives short answers. Consider \"{alternative}\".",
                used.model
            ),
            more: More {
                alternative: Some(alternative),
                failure_rate: Some(feature.failure_rate()),
                negative_feedback_rate: feature.verdicts.bad_rate(),
                short_answers: Some(short),
                ..More::default()
            },
            ..Saving::of("model_downgrade", used)
        })
    });
    found.collect()
}

/// Neither its failures nor its users' verdicts are against it.
fn argues_for(feature: &Feature) -> bool {
    let judged = feature.verdicts.good + feature.verdicts.bad >= VERDICTS;
    feature.failure_rate() <= FAILS && !(judged && feature.verdicts.bad_rate().is_some_and(|rate| rate > DISPLEASES))
}

/// The dearest of the provider's models of the same family that is clearly cheaper; first among those in use already.
fn relative(
    asked: &Asked<'_>,
    price: &Price,
    usage: Usage,
    current: Money,
    in_use: &HashSet<&str>,
) -> Option<(String, Money)> {
    let most = (current.0 as f64 * CHEAPER) as i128;
    let candidates = asked.prices.models(&price.provider, asked.period.to).filter_map(|other| {
        let cost = other.rates(0).cost(usage)?;
        let fits = family(&other.model) == family(&price.model) && !is_special(&other.model);
        (fits && cost.0 > 0 && cost.0 <= most).then(|| (in_use.contains(other.model.as_str()), cost, &other.model))
    });
    // Of several as dear, the first by name.
    let best = candidates.max_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| b.2.cmp(a.2)));
    best.map(|(_, cost, model)| (model.clone(), cost))
}

/// The letters that a name begins with: gpt, claude, gemini.
fn family(model: &str) -> &str {
    let end = model.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(model.len());
    &model[..end]
}

fn is_special(model: &str) -> bool {
    SPECIAL.iter().any(|word| model.contains(word))
}
