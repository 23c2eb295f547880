//! A permutation test over blocks of time.

use std::collections::BTreeMap;

use super::Block;

/// How many arrangements are tried, and when enough is known: after so many that are as extreme as what was seen.
#[derive(Clone, Copy, Debug)]
pub struct Permutations {
    pub most: u32,
    pub enough: u32,
    pub seed: u64,
}

impl Default for Permutations {
    fn default() -> Self {
        Permutations { most: 4_000, enough: 40, seed: 0x5EED }
    }
}

/// Below this many arrangements no p can be small.
const FEWEST_ARRANGEMENTS: f64 = 1_000.0;

/// Of so few blocks no higher correlation can be told from a trend.
const MOST_MEMORY: f64 = 0.9;

/// The p of a statistic of (baseline, current), among arrangements that move blocks between the windows within their
/// stratum. `level` is what of a block the next may have in common with it, on the statistic's scale. Blocks are in the
/// order of time.
pub(super) fn block_test(
    blocks: &[Block<Vec<f64>>],
    permutations: Permutations,
    statistic: impl Fn(&[f64], &[f64]) -> f64,
    level: impl Fn(&[f64]) -> f64,
) -> Option<f64> {
    let blocks: Vec<&Block<Vec<f64>>> = blocks.iter().filter(|block| block.sample.iter().sum::<f64>() > 0.0).collect();
    let width = blocks.first()?.sample.len();
    let mut strata: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (place, block) in blocks.iter().enumerate() {
        strata.entry(block.stratum).or_default().push(place);
    }
    let current_of = |places: &[usize]| places.iter().filter(|place| blocks[**place].current).count();
    let arrangements: f64 = strata.values().map(|places| choose(places.len(), current_of(places))).product();
    if arrangements < FEWEST_ARRANGEMENTS {
        return None;
    }
    let window =
        |current: bool| sum(width, blocks.iter().filter(|block| block.current == current).map(|block| &block.sample));
    let (baseline, current) = (window(false), window(true));
    let seen = statistic(&baseline, &current);
    let total = sum(width, [&baseline, &current].into_iter());
    // Blocks that resemble the next: means of adjacent ones vary more than those of scattered ones, by so much of what is
    // left of the blocks without the drift.
    let left = left_over(&blocks, &level);
    let inflation = inflation(&left, strata.len());
    let mut random = Random(permutations.seed);
    let (mut tried, mut as_extreme) = (0u32, 0u32);
    let mut chosen = Vec::with_capacity(blocks.len());
    while tried < permutations.most && as_extreme < permutations.enough {
        tried += 1;
        chosen.clear();
        for places in strata.values_mut() {
            let current = places.iter().filter(|place| blocks[**place].current).count();
            for place in 0..current {
                let other = place + random.below(places.len() - place);
                places.swap(place, other);
            }
            chosen.extend_from_slice(&places[..current]);
        }
        let current = sum(width, chosen.iter().map(|place| &blocks[*place].sample));
        let baseline: Vec<f64> = total.iter().zip(&current).map(|(all, here)| all - here).collect();
        let more = (inflation - 1.0) * contrast(&left, &chosen);
        as_extreme += u32::from(statistic(&baseline, &current) + more >= seen * (1.0 - 1e-9));
    }
    Some(f64::from(as_extreme + 1) / f64::from(tried + 1))
}

fn sum<'a>(width: usize, samples: impl Iterator<Item = &'a Vec<f64>>) -> Vec<f64> {
    let mut sum = vec![0.0; width];
    for sample in samples {
        for (held, here) in sum.iter_mut().zip(sample) {
            *held += here;
        }
    }
    sum
}

fn choose(n: usize, k: usize) -> f64 {
    (0..k.min(n)).map(|taken| (n - taken) as f64 / (taken + 1) as f64).product()
}

/// The blocks' levels, without what their stratum and window explain.
fn left_over(blocks: &[&Block<Vec<f64>>], level: &impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let levels: Vec<f64> = blocks.iter().map(|block| level(&block.sample)).collect();
    let without = |values: &[f64], same: &dyn Fn(usize, usize) -> bool| -> Vec<f64> {
        let places = 0..values.len();
        let mean_of = |place: usize| {
            let found: Vec<f64> =
                places.clone().filter(|other| same(place, *other)).map(|other| values[other]).collect();
            found.iter().sum::<f64>() / found.len() as f64
        };
        places.clone().map(|place| values[place] - mean_of(place)).collect()
    };
    let by_window = without(&levels, &|a, b| blocks[a].current == blocks[b].current);
    without(&by_window, &|a, b| blocks[a].stratum == blocks[b].stratum)
}

/// The difference of the means of the chosen and of the others.
fn contrast(values: &[f64], chosen: &[usize]) -> f64 {
    let inside: f64 = chosen.iter().map(|place| values[*place]).sum();
    let outside = values.iter().sum::<f64>() - inside;
    let (taken, rest) = (chosen.len() as f64, (values.len() - chosen.len()) as f64);
    (inside / taken.max(1.0) - outside / rest.max(1.0)).abs()
}

/// By how much the correlation of a block with the next widens the means of windows.
fn inflation(left: &[f64], strata: usize) -> f64 {
    let count = left.len() as f64;
    let power: f64 = left.iter().map(|value| value * value).sum();
    if power <= 0.0 {
        return 1.0;
    }
    let lag: f64 = left.windows(2).map(|pair| pair[0] * pair[1]).sum();
    // Taking two windows' means off biases the correlation of few blocks by 2 (1 + 4 r) / n (Marriott and Pope, 1954); the
    // strata's means a little more, by simulation half of that (ADR 0008).
    let memory = ((lag / power + 3.0 / count) / (1.0 - 12.0 / count).max(0.2)).clamp(0.0, MOST_MEMORY);
    // The means that were taken off made what is left smaller.
    let shrunk = (count / (count - strata as f64 - 1.0).max(1.0)).sqrt();
    1.0 + (((1.0 + memory) / (1.0 - memory)).sqrt() - 1.0) * shrunk
}

/// SplitMix64: the same arrangements in every call.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * bound as u128) >> 64) as usize
    }
}
