//! Drift: does a metric's distribution in the current window differ from the baseline's, and materially?
//!
//! Two tests must agree. One takes traces as independent (Kolmogorov–Smirnov for amounts, two proportions for errors) and
//! holds small samples back. The other moves whole blocks (days) between the windows, weekday by weekday, which holds back
//! what is common to a block: incidents, load, the weekly cycle; what blocks have in common with the next is taken off.

mod bins;
mod blocks;
mod fdr;
mod two_sample;

pub use blocks::Permutations;
pub use fdr::false_discovery;
pub use two_sample::{distance, kolmogorov_smirnov, two_proportions};

use self::bins::Bins;
use self::blocks::block_test;
use crate::histogram::Histogram;

/// A day, or another stretch of time whose traces have something in common.
#[derive(Clone, Debug, Default)]
pub struct Block<T> {
    /// Blocks of one stratum may change places: the weekday.
    pub stratum: u16,
    pub current: bool,
    pub sample: T,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    pub failed: u64,
    pub succeeded: u64,
}

impl Errors {
    pub fn traces(self) -> u64 {
        self.failed + self.succeeded
    }

    fn share(self) -> f64 {
        self.failed as f64 / self.traces() as f64
    }
}

/// What was found of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    pub baseline: f64,
    pub current: f64,
    /// Of amounts the Wasserstein distance of the logarithms, of errors Cohen's h: either in standard deviations.
    pub effect: f64,
    pub p_value: f64,
    pub baseline_samples: u64,
    pub current_samples: u64,
}

/// Of amounts. None: a window is empty, or too few blocks can change places to conclude anything.
pub fn amounts(blocks: &[Block<Histogram>], permutations: Permutations) -> Option<Finding> {
    let (mut baseline, mut current) = (Histogram::default(), Histogram::default());
    for block in blocks {
        if block.current { current.merge(&block.sample) } else { baseline.merge(&block.sample) }
    }
    let apart = kolmogorov_smirnov(&baseline, &current)?;
    let bins = Bins::of(&baseline, &current);
    let binned: Vec<Block<Vec<f64>>> = blocks
        .iter()
        .map(|block| Block { stratum: block.stratum, current: block.current, sample: bins.counts(&block.sample) })
        .collect();
    let moved = block_test(
        &binned,
        permutations,
        |baseline, current| bins.distance(baseline, current),
        |sample| bins.mean(sample),
    )?;
    Some(Finding {
        baseline: baseline.mean()?,
        current: current.mean()?,
        effect: distance(&baseline, &current)?,
        p_value: apart.p_value.max(moved),
        baseline_samples: baseline.total().max(0) as u64,
        current_samples: current.total().max(0) as u64,
    })
}

/// Of the error rate. None as for [`amounts`].
pub fn error_rate(blocks: &[Block<Errors>], permutations: Permutations) -> Option<Finding> {
    let sum = |current: bool| {
        blocks.iter().filter(|block| block.current == current).fold(Errors::default(), |sum, block| Errors {
            failed: sum.failed + block.sample.failed,
            succeeded: sum.succeeded + block.sample.succeeded,
        })
    };
    let (baseline, current) = (sum(false), sum(true));
    let apart = two_proportions(baseline, current)?;
    let counted: Vec<Block<Vec<f64>>> = blocks
        .iter()
        .map(|block| Block {
            stratum: block.stratum,
            current: block.current,
            sample: vec![block.sample.failed as f64, block.sample.succeeded as f64],
        })
        .collect();
    let odds = |sample: &[f64]| ((sample[0] + 0.5) / (sample[1] + 0.5)).ln();
    let moved = block_test(&counted, permutations, |baseline, current| (odds(current) - odds(baseline)).abs(), odds)?;
    Some(Finding {
        baseline: baseline.share(),
        current: current.share(),
        effect: 2.0 * (current.share().sqrt().asin() - baseline.share().sqrt().asin()).abs(),
        p_value: apart.max(moved),
        baseline_samples: baseline.traces(),
        current_samples: current.traces(),
    })
}
