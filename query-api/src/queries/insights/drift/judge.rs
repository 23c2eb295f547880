//! What the method concludes of the samples, and how a change of the mean splits over groups.

use insights::drift::{Block, Finding, Permutations, amounts, error_rate, false_discovery};
use insights::histogram::Histogram;

use super::super::ended::Ended;
use super::documents::{DriftOut, GroupDrift, MetricDrift, Split, Window};
use super::samples::{Sample, Samples, Sums};
use super::windows::Asked;
use crate::period::rfc3339;

/// What a drift must have to be reported, from the settings.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub false_discovery: f64,
    pub effect: f64,
    pub error_effect: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Metric {
    Cost,
    Tokens,
    Duration,
    ErrorRate,
}

const METRICS: [Metric; 4] = [Metric::Cost, Metric::Tokens, Metric::Duration, Metric::ErrorRate];

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Metric::Cost => "cost",
            Metric::Tokens => "tokens",
            Metric::Duration => "duration",
            Metric::ErrorRate => "error_rate",
        }
    }

    /// How many traces have it, and their sum: US dollars, tokens, milliseconds, failures.
    fn sum(self, sums: &Sums) -> (f64, f64) {
        let (count, sum) = match self {
            Metric::Cost => (sums.traces, sums.cost as f64 / 1e12),
            Metric::Tokens => (sums.traces, sums.tokens as f64),
            Metric::Duration => (sums.timed, sums.duration_us as f64 / 1e3),
            Metric::ErrorRate => (sums.traces, sums.failed as f64),
        };
        (count as f64, sum)
    }

    fn mean(self, sums: &Sums) -> Option<f64> {
        let (count, sum) = self.sum(sums);
        (count > 0.0).then(|| sum / count)
    }

    fn finding(self, asked: &Asked, sample: &Sample) -> Option<Finding> {
        let permutations = Permutations::default();
        let histograms =
            |of: fn(&Ended) -> &Histogram| amounts(&blocks(asked, sample, |day| of(day).clone()), permutations);
        match self {
            Metric::Cost => histograms(|day| &day.cost),
            Metric::Tokens => histograms(|day| &day.tokens),
            Metric::Duration => histograms(|day| &day.duration),
            Metric::ErrorRate => error_rate(&blocks(asked, sample, |day| day.errors), permutations),
        }
    }
}

fn blocks<T>(asked: &Asked, sample: &Sample, of: impl Fn(&Ended) -> T) -> Vec<Block<T>> {
    let days = asked.days.iter().zip(&sample.days);
    days.map(|(start, day)| Block {
        stratum: start.weekday().to_monday_zero_offset() as u16,
        current: *start >= asked.current.0,
        sample: of(day),
    })
    .collect()
}

pub fn answer(asked: &Asked, samples: &Samples, bounds: Bounds) -> DriftOut {
    let everything = std::iter::once(&samples.all).chain(samples.groups.iter().map(|(_, sample)| sample));
    let mut judged: Vec<Vec<MetricDrift>> =
        everything.map(|sample| METRICS.iter().map(|metric| judge(asked, sample, *metric)).collect()).collect();
    decide(&mut judged, bounds);
    let metrics = if judged.is_empty() { Vec::new() } else { judged.remove(0) };
    let groups = asked.by.as_ref().map(|_| {
        let groups = samples.groups.iter().zip(judged);
        groups.map(|((value, sample), metrics)| group(value, sample, &samples.all, metrics)).collect()
    });
    DriftOut {
        project_id: asked.project_id.clone(),
        metrics,
        baseline_window: window(&asked.baseline),
        current_window: window(&asked.current),
        by: asked.by.as_ref().map(|(by, _)| by.clone()),
        groups,
        splits: asked.by.as_ref().map(|_| METRICS.iter().filter_map(|metric| split(*metric, samples)).collect()),
    }
}

fn judge(asked: &Asked, sample: &Sample, metric: Metric) -> MetricDrift {
    let finding = metric.finding(asked, sample);
    let (baseline, current) = (metric.mean(&sample.baseline), metric.mean(&sample.current));
    let change = baseline.zip(current).filter(|(before, _)| *before != 0.0);
    let samples = |sums: &Sums| metric.sum(sums).0 as u64;
    let (baseline_samples, current_samples) = (samples(&sample.baseline), samples(&sample.current));
    MetricDrift {
        metric: metric.name(),
        baseline,
        current,
        change_percent: change.map(|(before, after)| (after - before) / before * 100.0),
        p_value: finding.map(|finding| finding.p_value),
        adjusted_p_value: None,
        effect: finding.map(|finding| finding.effect),
        drifted: false,
        baseline_samples,
        current_samples,
        insufficient_data: finding.is_none().then(|| missing(baseline_samples, current_samples)),
    }
}

fn missing(baseline: u64, current: u64) -> &'static str {
    match (baseline, current) {
        (0, 0) => "there are no ended traces in either window",
        (0, _) => "there are no ended traces in the baseline window",
        (_, 0) => "there are no ended traces in the current window",
        _ => "too few days have traces for their exchange to say anything: a week beside three is enough",
    }
}

/// Over all metrics and groups that were asked for together.
fn decide(judged: &mut [Vec<MetricDrift>], bounds: Bounds) {
    let mut tested: Vec<&mut MetricDrift> =
        judged.iter_mut().flatten().filter(|metric| metric.p_value.is_some()).collect();
    let p_values: Vec<f64> = tested.iter().filter_map(|metric| metric.p_value).collect();
    for (metric, adjusted) in tested.iter_mut().zip(false_discovery(&p_values)) {
        let material = if metric.metric == Metric::ErrorRate.name() { bounds.error_effect } else { bounds.effect };
        metric.adjusted_p_value = Some(adjusted);
        metric.drifted = adjusted <= bounds.false_discovery && metric.effect.is_some_and(|effect| effect >= material);
    }
}

fn group(value: &str, sample: &Sample, all: &Sample, metrics: Vec<MetricDrift>) -> GroupDrift {
    let share = |of: u64, all: u64| if all == 0 { 0.0 } else { of as f64 / all as f64 };
    GroupDrift {
        value: (!value.is_empty()).then(|| value.to_owned()),
        baseline_share: share(sample.baseline.traces, all.baseline.traces),
        current_share: share(sample.current.traces, all.current.traces),
        metrics,
    }
}

/// The change of the mean: by other shares of the groups, and by other means within them. Exact: they add up to it.
fn split(metric: Metric, samples: &Samples) -> Option<Split> {
    let (before, after) = (metric.sum(&samples.all.baseline), metric.sum(&samples.all.current));
    if before.0 == 0.0 || after.0 == 0.0 {
        return None;
    }
    let (mut mix, mut within) = (0.0, 0.0);
    for (baseline, current) in samples.sums.values() {
        let share = (metric.sum(baseline).0 / before.0, metric.sum(current).0 / after.0);
        let means = (metric.mean(baseline), metric.mean(current));
        // A group that is in one window only has changed its share, not its mean.
        let (Some(old), Some(new)) = (means.0.or(means.1), means.1.or(means.0)) else { continue };
        mix += (share.1 - share.0) * (old + new) / 2.0;
        within += (share.0 + share.1) / 2.0 * (new - old);
    }
    Some(Split { metric: metric.name(), change: after.1 / after.0 - before.1 / before.0, mix, within })
}

fn window(of: &(jiff::ZonedDateTime, jiff::ZonedDateTime)) -> Window {
    Window { from: rfc3339(&of.0), to: rfc3339(&of.1) }
}
