//! Tail probabilities of a new window, when the mean and the variance between windows are only estimated.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Of more traces only the proportion counts: by then it is the days that differ, and sums stay short.
const MOST_COUNTED: f64 = 2_000.0;

/// Beyond this, or below its inverse, numbers are scaled before they overflow.
const LARGE: f64 = 1e200;

/// P(N ≤ count) of a negative binomial with variance mean + spread · mean². With spread 0 it is Poisson's.
pub fn negative_binomial_cdf(count: u64, mean: f64, spread: f64) -> f64 {
    let thinned = (MOST_COUNTED / mean).min(1.0);
    let (count, mean) = ((count as f64 * thinned).floor(), mean * thinned);
    if mean <= 0.0 {
        return 1.0;
    }
    let none = if spread * mean < 1e-12 { -mean } else { -(spread * mean).ln_1p() / spread };
    let step = mean / (1.0 + spread * mean);
    let terms = (0..count as u64).map(|k| (1.0 + spread * k as f64) / (k as f64 + 1.0) * step);
    sum(none, terms)
}

/// P(F ≥ failed) of a beta-binomial: failures of `traces` which fail with the same mean rate, and of which any two are
/// correlated. With correlation 0 it is binomial.
pub fn beta_binomial_sf(failed: u64, traces: u64, rate: f64, correlation: f64) -> f64 {
    let thinned = (MOST_COUNTED / traces as f64).min(1.0);
    let (failed, traces) = ((failed as f64 * thinned).ceil(), (traces as f64 * thinned).round());
    if failed <= 0.0 || rate >= 1.0 {
        return 1.0;
    }
    if rate <= 0.0 || failed > traces {
        return 0.0;
    }
    // Of the successes, from none on: at most traces - failed of them.
    let common = correlation / (1.0 - correlation).max(1e-12);
    let failures = (0..traces as u64).map(|k| (rate + k as f64 * common) / (1.0 + k as f64 * common));
    let terms = (0..(traces - failed) as u64).map(|k| {
        let k = k as f64;
        (traces - k) / (k + 1.0) * (1.0 - rate + k * common) / (rate + (traces - k - 1.0) * common)
    });
    sum(log_product(failures), terms)
}

/// P(T ≥ t) of Student's distribution.
pub fn student_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() {
        return 1.0;
    }
    StudentsT::new(0.0, 1.0, df).map_or(1.0, |distribution| distribution.sf(t))
}

/// A tail whose variance was estimated with `df` degrees of freedom: the mean of `tail(factor)` over the factors
/// df / χ² by which the variance may be another. Of a normal tail this makes Student's.
pub fn over_variance(df: f64, tail: impl Fn(f64) -> f64) -> f64 {
    // Trapezoids over ln χ², whose density falls on both sides like an exponential or faster.
    const NODES: usize = 56;
    let (width, middle) = ((2.0 / df).sqrt(), df.ln());
    let (from, to) = (middle - (11.0 * width).max(60.0 / df), middle + 4.0 * width);
    let (mut weights, mut sum) = (0.0, 0.0);
    for node in 0..NODES {
        let log = from + (to - from) * node as f64 / (NODES - 1) as f64;
        let weight = (df / 2.0 * (log - middle) - (log.exp() - df) / 2.0).exp();
        if weight > 1e-16 {
            weights += weight;
            sum += weight * tail(df / log.exp());
        }
    }
    sum / weights
}

fn log_product(factors: impl Iterator<Item = f64>) -> f64 {
    let (mut log, mut product) = (0.0f64, 1.0f64);
    for factor in factors {
        product *= factor;
        if product < 1.0 / LARGE {
            log += product.ln();
            product = 1.0;
        }
    }
    log + product.ln()
}

/// A sum of probabilities: the first by its logarithm, each further one by its ratio to the one before.
fn sum(mut log: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if sum > LARGE {
            log += sum.ln();
            term /= sum;
            sum = 1.0;
        }
    }
    (log + sum.ln()).exp().min(1.0)
}
