//! The local root-cause analysis on traces with a planted fault, and on any graph.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod decoys;
mod faults;
mod graphs;
mod plan;
mod planted;
mod random;
mod sentences;
mod steps;
mod tally;
mod unseen;
mod wordings;
mod world;

use std::collections::BTreeMap;

use faults::Fault;
use retrace_insights::root_cause::analyse;
use tally::Tally;
use wordings::Wordings;
use world::case;

/// Traces of each kind of fault: 2,200 in all with each set of wordings.
const CASES: u64 = 100;

fn run(says: &'static Wordings) -> (BTreeMap<Fault, Tally>, Tally) {
    let shown: usize = std::env::var("RETRACE_TEST_SHOW").ok().and_then(|show| show.parse().ok()).unwrap_or(0);
    let first: u64 = std::env::var("RETRACE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut by_fault: BTreeMap<Fault, Tally> = BTreeMap::new();
    let mut all = Tally::default();
    for (number, fault) in Fault::ALL.into_iter().enumerate() {
        for seed in 0..CASES {
            let case = case(first * 1_000_003 + number as u64 * 10_007 + seed, fault, says);
            let answer = analyse(&case.trace, &case.runs);
            let tally = by_fault.entry(fault).or_default();
            tally.add(&case, &answer);
            all.add(&case, &answer);
            if tally.is_wrong(&case, &answer) && tally.wrong() <= shown {
                tally::show(seed, &case, &answer);
            }
        }
    }
    tally::print(says.name, &by_fault, &all);
    (by_fault, all)
}

#[test]
fn the_planted_span_is_named_and_confidence_is_kept() {
    let (by_fault, all) = run(&wordings::SEEN);
    assert!(all.cases >= 1_000 && by_fault.len() >= 12);
    assert!(all.share(all.cause) >= 0.9, "{all:?}");
    assert!(all.share(all.kind) >= 0.9, "{all:?}");
    for (fault, tally) in &by_fault {
        assert!(tally.share(tally.cause) >= 0.8, "{fault:?}: {tally:?}");
    }
    all.assert_calibrated();
}

/// What failed is found by where it is more than by what it says. Whether a tool was wrong or the model's call of it, only
/// the words tell, so that in words not understood it may be the step that failed of it, not the cause, that is right.
#[test]
fn the_planted_span_is_named_in_words_not_met_before() {
    let (by_fault, all) = run(&unseen::UNSEEN);
    assert!(all.share(all.cause) >= 0.9, "{all:?}");
    for (fault, tally) in &by_fault {
        assert!(tally.share(tally.cause.max(tally.failed)) >= 0.8, "{fault:?}: {tally:?}");
    }
    all.assert_calibrated();
}
