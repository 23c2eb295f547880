//! Steps that are in both runs, but not in one order.

use std::collections::{HashMap, HashSet, VecDeque};

use super::align::Op;
use super::likeness::{is_moved, likeness};
use super::run::Run;

/// Removed steps of its name that an added one is held against.
const MOST_TRIED: usize = 64;

pub(super) fn find(a: &Run, b: &Run, ops: &mut Vec<Op>) {
    let loosened = loosen(a, b, ops);
    let mut taken = HashSet::new();
    let mut same: HashMap<u64, VecDeque<usize>> = HashMap::new();
    for row in removed(ops) {
        same.entry(a.known[row].key).or_default().push_back(row);
    }
    replace(ops, &mut taken, |column| same.get_mut(&b.known[column].key)?.pop_front());
    let mut alike: HashMap<u64, Vec<usize>> = HashMap::new();
    for row in removed(ops).filter(|row| !taken.contains(row)) {
        alike.entry(a.known[row].label).or_default().push(row);
    }
    replace(ops, &mut taken, |column| {
        let rows = alike.get_mut(&b.known[column].label)?;
        let tried = rows.iter().take(MOST_TRIED).enumerate().filter(|(_, row)| is_moved(a, **row, b, column));
        // Of several the first.
        let (at, _) = tried.rev().max_by_key(|(_, row)| likeness(a, **row, b, column))?;
        Some(rows.remove(at))
    });
    ops.retain(|op| !matches!(op, Op::Removed(row) if taken.contains(row)));
    fasten(ops, &loosened);
}

/// Of two steps that have changed places, one for the other would be two pairs in order. Those that only have their name in
/// common are taken apart, and those of which one side is the same as another step that has no such pair.
fn loosen(a: &Run, b: &Run, ops: &mut Vec<Op>) -> HashSet<(usize, usize)> {
    let is_weak = |i: usize, j: usize| a.known[i].key != b.known[j].key;
    let (mut in_a, mut in_b): (HashMap<u64, usize>, HashMap<u64, usize>) = Default::default();
    for op in ops.iter() {
        let (row, column) = match *op {
            Op::Removed(i) => (Some(i), None),
            Op::Added(j) => (None, Some(j)),
            Op::Pair(i, j) | Op::Moved(i, j) if is_weak(i, j) => (Some(i), Some(j)),
            Op::Pair(..) | Op::Moved(..) => (None, None),
        };
        row.into_iter().for_each(|i| *in_a.entry(a.known[i].key).or_default() += 1);
        column.into_iter().for_each(|j| *in_b.entry(b.known[j].key).or_default() += 1);
    }
    let take = |from: &mut HashMap<u64, usize>, key: u64| match from.get_mut(&key).filter(|left| **left > 0) {
        Some(left) => {
            *left -= 1;
            true
        }
        None => false,
    };
    let mut loosened = HashSet::new();
    let mut loose = Vec::with_capacity(ops.len());
    for op in ops.drain(..) {
        match op {
            Op::Pair(i, j)
                if is_weak(i, j)
                    && (take(&mut in_b, a.known[i].key) | take(&mut in_a, b.known[j].key) | !is_moved(a, i, b, j)) =>
            {
                loosened.insert((i, j));
                loose.extend([Op::Removed(i), Op::Added(j)]);
            }
            op => loose.push(op),
        }
    }
    *ops = loose;
    loosened
}

/// What was taken apart for nothing.
fn fasten(ops: &mut Vec<Op>, loosened: &HashSet<(usize, usize)>) {
    let mut fast: Vec<Op> = Vec::with_capacity(ops.len());
    for op in ops.drain(..) {
        match (fast.last_mut(), op) {
            (Some(last @ Op::Removed(_)), Op::Added(j)) => match *last {
                Op::Removed(i) if loosened.contains(&(i, j)) => *last = Op::Pair(i, j),
                _ => fast.push(op),
            },
            _ => fast.push(op),
        }
    }
    *ops = fast;
}

fn removed(ops: &[Op]) -> impl Iterator<Item = usize> + '_ {
    ops.iter().filter_map(|op| match op {
        Op::Removed(row) => Some(*row),
        _ => None,
    })
}

fn replace(ops: &mut [Op], taken: &mut HashSet<usize>, mut of: impl FnMut(usize) -> Option<usize>) {
    for op in ops {
        if let Op::Added(column) = *op
            && let Some(row) = of(column)
        {
            taken.insert(row);
            *op = Op::Moved(row, column);
        }
    }
}
