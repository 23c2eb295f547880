//! The alignment of two runs, of which one was made from the other: it is known which step is which.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod edits;
mod world;

use std::time::Instant;

use edits::Edit;
use retrace_insights::diff::compare;
use world::{Random, Recorded, Tree};

/// Pairs with one edit of each kind, and with several of any.
const ALONE: u64 = 250;
const MIXED: u64 = 750;
/// Of those that are found as planted.
const LEAST: f64 = 0.99;
/// Of pairs that are harder than was asked for.
const HARDER: u64 = 500;

/// What is made harder.
#[derive(Clone, Copy, PartialEq)]
enum Harder {
    No,
    /// All texts of both runs begin with the same words, often with more than follow.
    Prefaced,
    /// Most outputs of the second run have other words, up to half of them, also those of steps that were not edited.
    Noisy,
}

struct Case {
    a: Recorded,
    b: Recorded,
}

fn case(seed: u64, edits: &[Edit], harder: Harder) -> Case {
    let mut random = Random(seed);
    let rounds = random.between(6, 14).max(2 * edits.len() + 1);
    let mut first = Tree::new(&mut random, rounds);
    let mut second = first.clone();
    let step = rounds / edits.len();
    // From the last on, so that the numbers of those before stay.
    for (number, edit) in edits.iter().enumerate().rev() {
        let at = number * step + usize::from(random.chance(50) && step > 2);
        edit.make(&mut random, &mut second, at);
    }
    if harder == Harder::Noisy {
        edits::noise(&mut random, &mut second);
    }
    if random.chance(50) {
        second.root.output = Some(world::sentence(&mut random));
    }
    if harder == Harder::Prefaced {
        let preface = format!("{} ", world::words(&mut random, 20, 60).join(" "));
        [&mut first, &mut second].into_iter().for_each(|tree| tree.preface(&preface));
    }
    Case { a: first.record("a"), b: second.record("b") }
}

/// What is said of the steps, in an order of its own. Which of several that are the same is paired with which is not said.
fn told(case: &Case, pairs: impl Iterator<Item = (Option<usize>, Option<usize>)>) -> Vec<(Option<&str>, Option<&str>)> {
    let told = |(a, b): (Option<usize>, Option<usize>)| {
        (a.map(|a| case.a.classes[a].as_str()), b.map(|b| case.b.classes[b].as_str()))
    };
    let mut told: Vec<_> = pairs.map(told).collect();
    told.sort_unstable();
    told
}

fn planted(case: &Case) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs: Vec<_> = case.b.origins.iter().enumerate().map(|(b, origin)| (*origin, Some(b))).collect();
    let is_gone = |a: &usize| !case.b.origins.contains(&Some(*a));
    pairs.extend((0..case.a.classes.len()).filter(is_gone).map(|a| (Some(a), None)));
    pairs
}

/// As a reader sees it who compares by number: what the planted alignment must be told from.
fn by_index(case: &Case) -> Vec<(Option<usize>, Option<usize>)> {
    let (a, b) = (case.a.classes.len(), case.b.classes.len());
    (0..a.max(b)).map(|at| ((at < a).then_some(at), (at < b).then_some(at))).collect()
}

#[derive(Default)]
struct Tally {
    cases: u64,
    right: u64,
    right_by_index: u64,
}

impl Tally {
    fn add(&mut self, seed: u64, edits: &[Edit], harder: Harder) {
        let case = case(seed, edits, harder);
        let comparison = compare(&case.a.run(), &case.b.run());
        let found = told(&case, comparison.pairs.iter().map(|pair| (pair.a, pair.b)));
        let planted = told(&case, planted(&case).into_iter());
        self.cases += 1;
        self.right += u64::from(found == planted);
        self.right_by_index += u64::from(told(&case, by_index(&case).into_iter()) == planted);
        if found != planted && std::env::var("RETRACE_TEST_SHOW").is_ok() {
            println!("\nseed {seed}, {edits:?}");
            for pair in &found {
                println!("  {} {pair:?}", if planted.contains(pair) { " " } else { "found  " });
            }
            planted.iter().filter(|pair| !found.contains(pair)).for_each(|pair| println!("  planted {pair:?}"));
        }
    }

    fn print(&self, name: &str) {
        let (right, by_index) = (100.0 * self.share(self.right), 100.0 * self.share(self.right_by_index));
        println!("{name:<8} {:>5} pairs: {right:.2} % as planted, {by_index:.2} % by index", self.cases);
    }

    fn share(&self, right: u64) -> f64 {
        right as f64 / self.cases as f64
    }
}

fn of_several(pairs: u64, harder: Harder) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..pairs {
        let mut random = Random(77_000_000 + seed);
        let edits: Vec<Edit> = (0..random.between(2, 5)).map(|_| random.pick(&Edit::ALL)).collect();
        tally.add(99_000_000 + seed, &edits, harder);
    }
    tally
}

#[test]
fn the_planted_alignment_is_found() {
    let mut all = Tally::default();
    let mut add = |name: &str, tally: &Tally| {
        tally.print(name);
        all.cases += tally.cases;
        all.right += tally.right;
        all.right_by_index += tally.right_by_index;
    };
    for (number, edit) in Edit::ALL.into_iter().enumerate() {
        let mut tally = Tally::default();
        (0..ALONE).for_each(|seed| tally.add(number as u64 * 1_000_003 + seed, &[edit], Harder::No));
        assert!(tally.share(tally.right) >= LEAST, "{edit:?}: {}", tally.share(tally.right));
        add(&format!("{edit:?}"), &tally);
    }
    add("several", &of_several(MIXED, Harder::No));
    all.print("in all");
    assert!(all.cases >= 1_000);
    assert!(all.share(all.right) >= LEAST, "{}", all.share(all.right));
    // Else the pairs would ask for nothing.
    assert!(all.share(all.right_by_index) < 0.5, "{}", all.share(all.right_by_index));
}

/// Here nothing tells some steps apart: polls that each got another answer, calls without an input that also stand elsewhere.
#[test]
fn of_harder_pairs_most_are_found() {
    for (name, harder, least) in [("prefaced", Harder::Prefaced, 0.96), ("noisy", Harder::Noisy, 0.9)] {
        let tally = of_several(HARDER, harder);
        tally.print(name);
        assert!(tally.share(tally.right) >= least, "{name}: {}", tally.share(tally.right));
    }
}

/// Runs of one name throughout, of which no step is the same: every pair is looked at, and nothing is saved.
fn unlike(steps: usize, seed: u64) -> Recorded {
    let mut random = Random(seed);
    let mut tree = Tree::new(&mut random, steps - 1);
    for round in &mut tree.rounds {
        round.truncate(1);
        round[0].name = "chat".to_owned();
        round[0].output = Some(world::sentence(&mut random));
    }
    tree.record("x")
}

/// `cargo test --release -p retrace-insights --test diff -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn how_long_it_takes() {
    for (steps, most) in [(2_000, 500), (10_000, 3_000)] {
        let (a, b) = (unlike(steps, 1).run(), unlike(steps, 2).run());
        let started = Instant::now();
        let pairs = compare(&a, &b).pairs.len();
        let took = started.elapsed().as_millis();
        println!("{} x {} steps, none the same: {pairs} pairs in {took} ms", a.steps().len(), b.steps().len());
        assert!(took <= most, "{took} ms");
    }
}
