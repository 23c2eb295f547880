//! Two groups of runs: which step differs how often.
//!
//! Of the first group the run that is most like the others of it (its medoid) stands for it. Every other run of either group is
//! aligned with that one. What runs of the first group differ by among themselves is counted like what those of the second do, so
//! that the two can be held against each other.

use std::collections::BTreeMap;

use super::align::{Op, align};
use super::compare::{Pair, Status, pairs};
use super::likeness::likeness;
use super::run::Run;

/// As many pairs of steps are looked at, in all alignments together.
const CELLS: usize = 48_000_000;

#[derive(Clone, Debug)]
pub struct Groups {
    /// The run of the first group that stands for it.
    pub representative: usize,
    /// Of each of its steps.
    pub steps: Vec<Rates>,
    /// Those that it has not, in their order.
    pub added: Vec<Added>,
    /// Runs that each group is counted by; the representative is not.
    pub runs: (usize, usize),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub a: Counts,
    pub b: Counts,
}

/// In how many runs a step of the representative is there, not there, and there but changed or elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub present: usize,
    pub removed: usize,
    pub changed: usize,
    pub moved: usize,
}

/// Steps of one type and name that runs have behind a step of the representative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// None: before its first.
    pub after: Option<usize>,
    pub span_type: String,
    pub name: String,
    /// Runs that have such.
    pub a: usize,
    pub b: usize,
    /// One of them: whether its run is of the second group, which one, and which step of it.
    pub example: (bool, usize, usize),
}

/// None where the first group is empty.
pub fn compare_groups(a: &[Run], b: &[Run]) -> Option<Groups> {
    let alignments = a.len() * a.len().saturating_sub(1) / 2 + a.len().saturating_sub(1) + b.len();
    let cells = CELLS / alignments.max(1);
    let representative = medoid(a, cells)?;
    let itself = &a[representative];
    let mut steps = vec![Rates::default(); itself.len()];
    let mut added: BTreeMap<(Option<usize>, &str, &str), Added> = BTreeMap::new();
    let others = a.iter().enumerate().filter(|(at, _)| *at != representative).map(|(at, run)| (false, at, run));
    for (is_second, at, run) in others.chain(b.iter().enumerate().map(|(at, run)| (true, at, run))) {
        let mut new = BTreeMap::new();
        let mut after = None;
        for pair in pairs(itself, run, cells) {
            match (pair.a, pair.b) {
                (Some(step), _) => {
                    let rates = &mut steps[step];
                    count(if is_second { &mut rates.b } else { &mut rates.a }, &pair);
                    // What has moved does not say where its neighbours are.
                    after = if pair.moved { after } else { Some(step) };
                }
                (None, Some(step)) => {
                    let what = &run.steps[step];
                    new.entry((after, what.span_type.as_str(), what.name.as_str())).or_insert(step);
                }
                (None, None) => {}
            }
        }
        for (key, step) in new {
            let (after, span_type, name) = key;
            let entry = added.entry(key).or_insert_with(|| Added {
                after,
                span_type: span_type.to_owned(),
                name: name.to_owned(),
                a: 0,
                b: 0,
                example: (is_second, at, step),
            });
            *(if is_second { &mut entry.b } else { &mut entry.a }) += 1;
        }
    }
    Some(Groups { representative, steps, added: added.into_values().collect(), runs: (a.len() - 1, b.len()) })
}

fn count(counts: &mut Counts, pair: &Pair) {
    counts.present += usize::from(pair.status != Status::Removed);
    counts.removed += usize::from(pair.status == Status::Removed);
    counts.changed += usize::from(pair.status == Status::Changed);
    counts.moved += usize::from(pair.moved);
}

/// Of several that are as much like the others the first.
fn medoid(runs: &[Run], cells: usize) -> Option<usize> {
    let mut sums = vec![0; runs.len()];
    for one in 0..runs.len() {
        for other in one + 1..runs.len() {
            let likeness = resemblance(&runs[one], &runs[other], cells);
            sums[one] += likeness;
            sums[other] += likeness;
        }
    }
    let (medoid, _) = sums.into_iter().enumerate().rev().max_by_key(|(_, sum)| *sum)?;
    Some(medoid)
}

/// In thousandths: how much of both is in pairs, each by its likeness.
fn resemblance(a: &Run, b: &Run, cells: usize) -> i64 {
    let of_pair = |op: &Op| match op {
        Op::Pair(i, j) | Op::Moved(i, j) => i64::from(likeness(a, *i, b, *j)),
        Op::Removed(_) | Op::Added(_) => 0,
    };
    let steps = (a.len() + b.len()).max(1) as i64;
    2 * align(a, b, cells).iter().map(of_pair).sum::<i64>() / steps
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Step};
    use super::*;

    fn run(names: &[&str]) -> Run {
        let step = |(at, name): (usize, &&str)| Step {
            id: at.to_string(),
            span_type: "tool_call".to_owned(),
            name: name.trim_end_matches('!').to_owned(),
            input: Some(Content::json(&format!("{name:?}"))),
            ..Step::default()
        };
        Run::new(names.iter().enumerate().map(step).collect())
    }

    #[test]
    fn what_differs_within_a_group_is_counted_as_what_differs_between_them() {
        let a = [run(&["plan", "odd"]), run(&["plan", "search", "answer"]), run(&["plan", "search!", "answer"])];
        let b =
            [run(&["plan", "answer"]), run(&["plan", "fetch", "fetch", "answer"]), run(&["plan", "search!", "answer"])];
        let groups = compare_groups(&a, &b).unwrap();
        assert_eq!((groups.representative, groups.runs), (1, (2, 3)));
        let counts = |present, removed, changed| Counts { present, removed, changed, moved: 0 };
        let search = Rates { a: counts(1, 1, 1), b: counts(1, 2, 1) };
        assert_eq!(groups.steps[1], search);
        assert_eq!(groups.steps[2], Rates { a: counts(1, 1, 0), b: counts(3, 0, 0) });
        let added: Vec<_> =
            groups.added.iter().map(|added| (added.name.as_str(), added.after, added.a, added.b)).collect();
        assert_eq!(added, [("fetch", Some(1), 0, 1), ("odd", Some(2), 1, 0)]);
    }

    #[test]
    fn groups_may_be_small() {
        assert!(compare_groups(&[], &[run(&["a"])]).is_none());
        let alone = compare_groups(&[run(&["a"])], &[]).unwrap();
        assert_eq!((alone.representative, alone.runs, alone.steps[0]), (0, (0, 0), Rates::default()));
    }
}
