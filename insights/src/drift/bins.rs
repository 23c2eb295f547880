//! Bins that hold about the same number of traces each, so that thousands of arrangements can be tried.

use super::two_sample::log;
use crate::histogram::Histogram;

pub(super) struct Bins {
    /// The last bucket of each bin.
    ends: Vec<u16>,
    /// The middle of each bin, on the scale of logarithms.
    middles: Vec<f64>,
}

const MOST_BINS: i64 = 64;

impl Bins {
    pub fn of(baseline: &Histogram, current: &Histogram) -> Bins {
        let mut pooled = baseline.clone();
        pooled.merge(current);
        let each = (pooled.total() / MOST_BINS).max(1);
        let (mut ends, mut middles) = (Vec::new(), Vec::new());
        let (mut count, mut sum) = (0i64, 0.0);
        let last = pooled.iter().last().map_or(0, |(bucket, _)| bucket);
        for (bucket, here) in pooled.iter() {
            count += here;
            sum += log(bucket) * here as f64;
            if count >= each || bucket == last {
                ends.push(bucket);
                middles.push(sum / count.max(1) as f64);
                (count, sum) = (0, 0.0);
            }
        }
        Bins { ends, middles }
    }

    pub fn counts(&self, histogram: &Histogram) -> Vec<f64> {
        let mut counts = vec![0.0; self.ends.len()];
        for (bucket, count) in histogram.iter() {
            let place = self.ends.partition_point(|end| *end < bucket);
            if let Some(held) = counts.get_mut(place) {
                *held += count as f64;
            }
        }
        counts
    }

    pub fn mean(&self, counts: &[f64]) -> f64 {
        let total: f64 = counts.iter().sum();
        self.middles.iter().zip(counts).map(|(middle, count)| middle * count).sum::<f64>() / total.max(1.0)
    }

    pub fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let (total_a, total_b) = (a.iter().sum::<f64>().max(1.0), b.iter().sum::<f64>().max(1.0));
        let (mut below_a, mut below_b, mut distance) = (0.0, 0.0, 0.0);
        for place in 1..self.middles.len() {
            below_a += a[place - 1] / total_a;
            below_b += b[place - 1] / total_b;
            distance += (below_a - below_b).abs() * (self.middles[place] - self.middles[place - 1]);
        }
        distance
    }
}
