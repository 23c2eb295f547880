//! Normal scores: what rank an amount would have among the baseline's traces, as the deviate of a standard normal. They do
//! not ask how amounts are distributed, no trace has a score beyond about 4, and for a shift of normal logarithms nothing
//! is more powerful.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::histogram::{Histogram, bucket, middle};

/// The score of each bucket; later ones have the last's.
pub(super) struct Scores(Vec<f64>);

/// Amounts of 0 have no scale: a trace without a price is not a cheap one.
pub(super) fn positive(amounts: &Histogram) -> impl Iterator<Item = (u16, f64)> {
    amounts.iter().filter(|(bucket, count)| *bucket > 0 && *count > 0).map(|(bucket, count)| (bucket, count as f64))
}

pub(super) fn count(amounts: &Histogram) -> f64 {
    positive(amounts).map(|(_, count)| count).sum()
}

impl Scores {
    pub fn of<'a>(baseline: impl Iterator<Item = &'a Histogram>) -> Scores {
        let mut counts: Vec<f64> = Vec::new();
        for (bucket, count) in baseline.flat_map(positive) {
            let place = usize::from(bucket);
            if counts.len() < place + 2 {
                counts.resize(place + 2, 0.0);
            }
            counts[place] += count;
        }
        let total: f64 = counts.iter().sum();
        let (normal, edge) = (Normal::standard(), 0.5 / total.max(1.0));
        let (mut below, mut scores, mut last) = (0.0, Vec::with_capacity(counts.len()), (-1.0, 0.0));
        for count in counts {
            let rank: f64 = (below + count / 2.0) / total.max(1.0);
            if rank != last.0 {
                last = (rank, normal.inverse_cdf(rank.clamp(edge, 1.0 - edge)));
            }
            scores.push(last.1);
            below += count;
        }
        Scores(scores)
    }

    fn score(&self, bucket: u16) -> f64 {
        self.0.get(usize::from(bucket)).or(self.0.last()).copied().unwrap_or(0.0)
    }

    /// Number, mean, and sum of squares around it.
    pub fn summary(&self, amounts: &Histogram) -> (f64, f64, f64) {
        let (mut number, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (bucket, count) in positive(amounts) {
            let score = self.score(bucket);
            number += count;
            sum += count * score;
            squares += count * score * score;
        }
        let mean = if number > 0.0 { sum / number } else { 0.0 };
        (number, mean, (squares - number * mean * mean).max(0.0))
    }

    /// By what all amounts must be divided to have this mean score (as Hodges and Lehmann estimate a shift).
    pub fn ratio(&self, amounts: &Histogram, target: f64) -> f64 {
        let buckets: Vec<(f64, f64)> = positive(amounts).map(|(bucket, count)| (middle(bucket), count)).collect();
        let number: f64 = buckets.iter().map(|(_, count)| count).sum();
        let mean = |log: f64| {
            let divided = |(value, count): &(f64, f64)| count * self.score(bucket((value / log.exp()).round() as u128));
            buckets.iter().map(divided).sum::<f64>() / number
        };
        let (mut low, mut high) = (-FARTHEST, FARTHEST);
        for _ in 0..STEPS {
            let log = (low + high) / 2.0;
            if mean(log) > target { low = log } else { high = log }
        }
        ((low + high) / 2.0).exp()
    }
}

/// Factors between e⁻¹⁶ and e¹⁶ are told, to within half of a bucket.
const FARTHEST: f64 = 16.0;
const STEPS: u32 = 13;
