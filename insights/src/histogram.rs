//! A distribution as counts in buckets about 1 % wide. The bounds are whole numbers, so that the bucket of a value is exact
//! everywhere; counts add and subtract, so that a delete leaves what was there before.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Bounds of buckets: bucket 0 is the value 0, bucket k holds `bounds[k - 1] ..= bounds[k] - 1`.
fn bounds() -> &'static [u128] {
    static BOUNDS: OnceLock<Vec<u128>> = OnceLock::new();
    BOUNDS.get_or_init(|| {
        let mut bounds = vec![1u128];
        let mut last = 1u128;
        while last < u128::from(u64::MAX) {
            last = (last + 1).max(last * 101 / 100);
            bounds.push(last);
        }
        bounds
    })
}

/// The bucket of a value; values beyond 64 bits share the last.
pub fn bucket(value: u128) -> u16 {
    let place = bounds().partition_point(|bound| *bound <= value);
    place.min(bounds().len() - 1) as u16
}

/// The middle of a bucket: within 0.5 % of all its values.
pub fn middle(bucket: u16) -> f64 {
    let bounds = bounds();
    let place = usize::from(bucket).min(bounds.len() - 1);
    if place == 0 { 0.0 } else { (bounds[place - 1] + bounds[place] - 1) as f64 / 2.0 }
}

/// Counts by bucket. Never holds a bucket with count 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<u16, i64>);

impl Histogram {
    pub fn record(&mut self, value: u128) {
        self.add(bucket(value), 1);
    }

    pub fn add(&mut self, bucket: u16, count: i64) {
        let held = self.0.entry(bucket).or_insert(0);
        *held += count;
        if *held == 0 {
            self.0.remove(&bucket);
        }
    }

    pub fn merge(&mut self, other: &Histogram) {
        for (bucket, count) in other.iter() {
            self.add(bucket, count);
        }
    }

    pub fn subtract(&mut self, other: &Histogram) {
        for (bucket, count) in other.iter() {
            self.add(bucket, -count);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u16, i64)> {
        self.0.iter().map(|(bucket, count)| (*bucket, *count))
    }

    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }

    /// The value of rank ⌈q·n⌉ (at least 1), within 0.5 %. None of nothing.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = ((q.clamp(0.0, 1.0) * self.total() as f64).ceil() as i64).max(1);
        let mut seen = 0;
        self.iter()
            .find(|(_, count)| {
                seen += count;
                seen >= rank
            })
            .map(|(bucket, _)| middle(bucket))
    }

    pub fn mean(&self) -> Option<f64> {
        let total = self.total();
        (total > 0)
            .then(|| self.iter().map(|(bucket, count)| middle(bucket) * count as f64).sum::<f64>() / total as f64)
    }
}
