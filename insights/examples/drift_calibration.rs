//! How often drift is reported where there is none, and where there is. Prints the tables of ADR 0008.
//!
//!     cargo run --release -p retrace-insights --example drift_calibration [simulations]

use std::io::Write;

use retrace_insights::drift::{Block, Errors, Finding, Permutations, amounts, error_rate};
use retrace_insights::histogram::Histogram;

/// What traffic looks like: means of 28 days, of which the last 7 are the current window.
#[derive(Clone, Copy)]
struct Traffic {
    name: &'static str,
    traces: u64,
    /// Weekends have so much less traffic, and other amounts.
    weekly: f64,
    /// Standard deviation of what the traces of a day have in common, where a trace's own is 1.
    common: f64,
    /// Correlation of that with the next day's.
    memory: f64,
}

const NULL: [Traffic; 6] = [
    Traffic { name: "independent", traces: 200, weekly: 0.0, common: 0.0, memory: 0.0 },
    Traffic { name: "weekly cycle", traces: 200, weekly: 0.7, common: 0.0, memory: 0.0 },
    Traffic { name: "overdispersed", traces: 200, weekly: 0.3, common: 0.3, memory: 0.0 },
    Traffic { name: "autocorrelated 0.3", traces: 200, weekly: 0.3, common: 0.3, memory: 0.3 },
    Traffic { name: "autocorrelated 0.6", traces: 200, weekly: 0.3, common: 0.3, memory: 0.6 },
    Traffic { name: "sparse", traces: 3, weekly: 0.3, common: 0.1, memory: 0.0 },
];
const LEVEL: f64 = 0.05;
const MATERIAL: f64 = 0.2;
const MATERIAL_ERRORS: f64 = 0.05;

struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }
}

/// What the traces of each day have in common, and how many there are.
fn days(traffic: Traffic, random: &mut Random) -> Vec<(f64, u64)> {
    let mut common = random.normal() * traffic.common;
    (0..28)
        .map(|day| {
            common = traffic.memory * common + (1.0 - traffic.memory.powi(2)).sqrt() * traffic.common * random.normal();
            let weekend = if day % 7 >= 5 { 1.0 } else { 0.0 };
            let traces = (traffic.traces as f64 * (1.0 - 0.5 * traffic.weekly * weekend)).round().max(1.0);
            (common + traffic.weekly * weekend, traces as u64)
        })
        .collect()
}

fn block<T>(day: usize, sample: T) -> Block<T> {
    Block { stratum: (day % 7) as u16, current: day >= 21, sample }
}

fn simulate_amounts(traffic: Traffic, shift: f64, random: &mut Random) -> Option<Finding> {
    let blocks: Vec<Block<Histogram>> = days(traffic, random)
        .into_iter()
        .enumerate()
        .map(|(day, (common, traces))| {
            let moved = if day >= 21 { shift } else { 0.0 };
            let mut sample = Histogram::default();
            (0..traces).for_each(|_| sample.record((100_000.0 * (random.normal() + common + moved).exp()) as u128));
            block(day, sample)
        })
        .collect();
    amounts(&blocks, Permutations::default())
}

fn simulate_errors(traffic: Traffic, times: f64, random: &mut Random) -> Option<Finding> {
    let blocks: Vec<Block<Errors>> = days(traffic, random)
        .into_iter()
        .enumerate()
        .map(|(day, (common, traces))| {
            let rate = (0.04 * common.exp() * if day >= 21 { times } else { 1.0 }).min(1.0);
            let failed = (0..traces).filter(|_| random.uniform() < rate).count() as u64;
            block(day, Errors { failed, succeeded: traces - failed })
        })
        .collect();
    error_rate(&blocks, Permutations::default())
}

/// Shares of p ≤ the level, of that and a material effect, and of no answer.
fn shares(simulations: u64, material: f64, mut one: impl FnMut(&mut Random) -> Option<Finding>) -> (f64, f64, f64) {
    let (mut significant, mut drifted, mut silent) = (0u32, 0u32, 0u32);
    for seed in 0..simulations {
        match one(&mut Random(seed.wrapping_mul(0xD134_2543_DE82_EF95))) {
            None => silent += 1,
            Some(found) => {
                significant += u32::from(found.p_value <= LEVEL);
                drifted += u32::from(found.p_value <= LEVEL && found.effect >= material);
            }
        }
    }
    let share = |count: u32| f64::from(count) * 100.0 / simulations as f64;
    (share(significant), share(drifted), share(silent))
}

fn main() -> std::io::Result<()> {
    let simulations = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{simulations} simulations a row, 21 days before 7, level {LEVEL}; shares in %\n")?;
    writeln!(out, "| no drift | amounts: p ≤ level | drifted | errors: p ≤ level | drifted |\n|---|---|---|---|---|")?;
    for traffic in NULL {
        let (p, drifted, _) = shares(simulations, MATERIAL, |random| simulate_amounts(traffic, 0.0, random));
        let (p_errors, drifted_errors, _) =
            shares(simulations, MATERIAL_ERRORS, |random| simulate_errors(traffic, 1.0, random));
        writeln!(out, "| {} | {p:.1} | {drifted:.1} | {p_errors:.1} | {drifted_errors:.1} |", traffic.name)?;
    }
    let simulations = (simulations / 10).max(50);
    writeln!(out, "\n{simulations} simulations a cell: drifted, in %\n")?;
    writeln!(
        out,
        "| traces a day | amounts + 0.1 deviations | + 0.25 | + 0.5 | + 1 | errors × 1.5 | × 2 | × 5 |\n|---|---|---|---|---|---|---|---|"
    )?;
    for traces in [3, 10, 50, 200, 1_000] {
        let traffic = Traffic { name: "", traces, weekly: 0.3, common: 0.1, memory: 0.3 };
        write!(out, "| {traces} |")?;
        for shift in [0.1, 0.25, 0.5, 1.0] {
            let found = shares(simulations, MATERIAL, |random| simulate_amounts(traffic, shift, random));
            write!(out, " {:.0} |", found.1)?;
        }
        for times in [1.5, 2.0, 5.0] {
            let found = shares(simulations, MATERIAL_ERRORS, |random| simulate_errors(traffic, times, random));
            write!(out, " {:.0} |", found.1)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
