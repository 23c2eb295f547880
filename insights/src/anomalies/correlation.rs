//! How much the failures of a window have in common: what earlier windows say of that, as weights of a grid.

use statrs::function::gamma::ln_gamma;

/// Failures of an earlier window, and the rate it should have had.
pub(super) struct Trial {
    pub failed: f64,
    pub traces: f64,
    pub rate: f64,
}

/// Standard deviation of days' log-odds before anything is known of them: half-normal, with this scale.
const PRIOR_VARIATION: f64 = 1.0;
const STEP: f64 = 0.05;
const STEPS: u32 = 40;

/// Correlations with their weights, which add up to 1: the likelihood of the trials, in which they count as so many
/// independent ones as `information` says, times the prior.
pub(super) fn posterior(trials: &[Trial], rate: f64, information: f64) -> Vec<(f64, f64)> {
    let correlation = |variation: f64, rate: f64| (variation * variation * rate * (1.0 - rate)).min(0.9);
    let logs: Vec<(f64, f64)> = (0..=STEPS)
        .map(|step| {
            let variation = f64::from(step) * STEP;
            let likelihood: f64 = trials
                .iter()
                .map(|trial| {
                    let rate = trial.rate.clamp(1e-6, 1.0 - 1e-6);
                    log_likelihood(trial, rate, correlation(variation, rate))
                })
                .sum();
            let prior = -(variation / PRIOR_VARIATION).powi(2) / 2.0;
            (correlation(variation, rate), likelihood * information / trials.len() as f64 + prior)
        })
        .collect();
    let most = logs.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logs.iter().map(|(_, log)| (log - most).exp()).sum();
    let weighed = logs.into_iter().map(|(correlation, log)| (correlation, (log - most).exp() / total));
    weighed.filter(|(_, weight)| *weight > 1e-9).collect()
}

/// Of a beta-binomial, up to what the correlation does not change.
fn log_likelihood(trial: &Trial, rate: f64, correlation: f64) -> f64 {
    let Trial { failed, traces, .. } = *trial;
    if correlation <= 0.0 {
        return failed * rate.ln() + (traces - failed) * (1.0 - rate).ln();
    }
    let both = (1.0 - correlation) / correlation;
    let (failing, passing) = (rate * both, (1.0 - rate) * both);
    ln_gamma(failing + failed) - ln_gamma(failing) + ln_gamma(passing + traces - failed) - ln_gamma(passing)
        + ln_gamma(both)
        - ln_gamma(both + traces)
}
