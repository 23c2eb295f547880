//! Which step of one run is which of the other.
//!
//! What is the same from the start on and up to the end is taken first. The rest is aligned as a whole ([`gap`]), where that is
//! no more pairs to look at than [`CELLS`]. Else it is cut at [`anchors`], and each part gets its share of them: then pairs far
//! from a part's diagonal are not looked at. What has changed its place comes last ([`moved`](super::moved)).

use super::anchors::anchors;
use super::run::Run;
use super::{gap, moved};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Pair(usize, usize),
    /// A pair that is not in the order of the others.
    Moved(usize, usize),
    Removed(usize),
    Added(usize),
}

/// Enough for all pairs of 2,800 steps and as many.
pub(super) const CELLS: usize = 8_000_000;

/// In the order of both runs; a moved step stands where the second has it.
pub(super) fn align(a: &Run, b: &Run, cells: usize) -> Vec<Op> {
    let same = |i: usize, j: usize| a.known[i].key == b.known[j].key;
    let head = (0..a.len().min(b.len())).take_while(|at| same(*at, *at)).count();
    let rest = a.len().min(b.len()) - head;
    let tail = (1..=rest).take_while(|back| same(a.len() - back, b.len() - back)).count();
    let (rows, columns) = (head..a.len() - tail, head..b.len() - tail);
    let all = rows.len() + columns.len();
    let mut ops: Vec<Op> = (0..head).map(|at| Op::Pair(at, at)).collect();
    let cuts = if rows.len().saturating_mul(columns.len()) <= cells {
        Vec::new()
    } else {
        anchors(a, b, rows.clone(), columns.clone())
    };
    let (mut row, mut column) = (rows.start, columns.start);
    for (i, j) in cuts {
        let share = cells * (i - row + j - column) / all;
        gap::align(a, b, row..i, column..j, share, &mut ops);
        ops.push(Op::Pair(i, j));
        (row, column) = (i + 1, j + 1);
    }
    let share = cells * (rows.end - row + columns.end - column) / all.max(1);
    gap::align(a, b, row..rows.end, column..columns.end, share, &mut ops);
    ops.extend((0..tail).map(|at| Op::Pair(rows.end + at, columns.end + at)));
    moved::find(a, b, &mut ops);
    ops
}
