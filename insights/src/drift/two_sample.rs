//! Two-sample tests and effect sizes for traces that are independent.

use statrs::distribution::{ContinuousCDF, Normal};

use super::Errors;
use crate::histogram::{Histogram, middle};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    pub statistic: f64,
    pub p_value: f64,
}

/// The greatest difference of the two distribution functions, with its asymptotic p. None if one is empty.
pub fn kolmogorov_smirnov(a: &Histogram, b: &Histogram) -> Option<Apart> {
    let (n, m) = (a.total() as f64, b.total() as f64);
    if n <= 0.0 || m <= 0.0 {
        return None;
    }
    let statistic = steps(a, b).map(|(_, below_a, below_b)| (below_a - below_b).abs()).fold(0.0, f64::max);
    Some(Apart { statistic, p_value: kolmogorov_tail(statistic * (n * m / (n + m)).sqrt()) })
}

/// Wasserstein distance of the logarithms, in standard deviations of the baseline's: how far a trace's amount moved, on
/// the scale on which amounts are spread.
pub fn distance(baseline: &Histogram, current: &Histogram) -> Option<f64> {
    let total = baseline.total() as f64;
    if total <= 0.0 || current.total() <= 0 {
        return None;
    }
    let places: Vec<(u16, f64, f64)> = steps(baseline, current).collect();
    let moved: f64 =
        places.windows(2).map(|pair| (pair[0].1 - pair[0].2).abs() * (log(pair[1].0) - log(pair[0].0))).sum();
    let mean = baseline.iter().map(|(bucket, count)| log(bucket) * count as f64).sum::<f64>() / total;
    let spread =
        baseline.iter().map(|(bucket, count)| (log(bucket) - mean).powi(2) * count as f64).sum::<f64>() / total;
    // Of a constant baseline a change of 1 % is one deviation: a bucket is no wider.
    Some(moved / spread.sqrt().max(0.01))
}

pub(super) fn log(bucket: u16) -> f64 {
    middle(bucket).ln_1p()
}

/// Buckets that either has, with the shares at or below them.
fn steps(a: &Histogram, b: &Histogram) -> impl Iterator<Item = (u16, f64, f64)> {
    let (n, m) = (a.total() as f64, b.total() as f64);
    let mut merged: std::collections::BTreeMap<u16, (i64, i64)> =
        a.iter().map(|(bucket, count)| (bucket, (count, 0))).collect();
    for (bucket, count) in b.iter() {
        merged.entry(bucket).or_default().1 = count;
    }
    let (mut below_a, mut below_b) = (0i64, 0i64);
    merged.into_iter().map(move |(bucket, (in_a, in_b))| {
        below_a += in_a;
        below_b += in_b;
        (bucket, below_a as f64 / n, below_b as f64 / m)
    })
}

/// P(K > x) of Kolmogorov's distribution.
fn kolmogorov_tail(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    // Either series converges in a few terms on its side.
    let tail = if x < 1.0 {
        let scale = (2.0 * std::f64::consts::PI).sqrt() / x;
        let exponent = std::f64::consts::PI.powi(2) / (8.0 * x * x);
        1.0 - scale * (0..20).map(|k| (-f64::from((2 * k + 1) * (2 * k + 1)) * exponent).exp()).sum::<f64>()
    } else {
        let term = |k: i32| f64::from(k % 2 * 2 - 1) * (-2.0 * f64::from(k * k) * x * x).exp();
        2.0 * (1..20).map(term).sum::<f64>()
    };
    tail.clamp(0.0, 1.0)
}

/// Two-sided p of the difference of two shares, pooled. None if one is of nothing.
pub fn two_proportions(a: Errors, b: Errors) -> Option<f64> {
    let (n, m) = (a.traces() as f64, b.traces() as f64);
    if n == 0.0 || m == 0.0 {
        return None;
    }
    let (failed_a, failed_b) = (a.failed as f64, b.failed as f64);
    let pooled = (failed_a + failed_b) / (n + m);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    if deviation == 0.0 {
        return Some(1.0);
    }
    Some(two_sided((failed_a / n - failed_b / m) / deviation))
}

/// P(|Z| > |z|).
fn two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}
