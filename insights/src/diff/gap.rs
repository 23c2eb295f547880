//! Between anchors: the pairs in order that together are worth most, by dynamic programming.

use std::ops::Range;

use super::align::Op;
use super::likeness::worth;
use super::run::Run;

#[derive(Clone, Copy)]
enum Way {
    Remove,
    Add,
    Pair,
}

/// Rows are steps of `a`, columns of `b`. Of each row `width + 1` places are looked at: about the diagonal, where not all are.
struct Band {
    rows: usize,
    columns: usize,
    width: usize,
}

impl Band {
    fn of(rows: usize, columns: usize, cells: usize) -> Band {
        // Wide enough for the next row's to meet this one's.
        let width = (cells / rows).max(columns / rows + 2).min(columns);
        Band { rows, columns, width }
    }

    /// Never smaller than the row before has it; the last place of all is in that of the last row.
    fn start(&self, row: usize) -> usize {
        let spare = self.columns - self.width;
        if row == self.rows {
            spare
        } else {
            (row * self.columns / self.rows).saturating_sub(self.width / 2).min(spare)
        }
    }
}

/// At most about `cells` pairs are looked at.
pub(super) fn align(a: &Run, b: &Run, rows: Range<usize>, columns: Range<usize>, cells: usize, ops: &mut Vec<Op>) {
    if rows.is_empty() || columns.is_empty() {
        ops.extend(rows.map(Op::Removed));
        ops.extend(columns.map(Op::Added));
        return;
    }
    let band = Band::of(rows.len(), columns.len(), cells);
    let ways = ways(a, b, &rows, &columns, &band);
    let (mut row, mut column) = (0, 0);
    while row < band.rows {
        match ways[row * (band.width + 1) + column - band.start(row)] {
            Way::Pair => {
                ops.push(Op::Pair(rows.start + row, columns.start + column));
                (row, column) = (row + 1, column + 1);
            }
            Way::Remove => {
                ops.push(Op::Removed(rows.start + row));
                row += 1;
            }
            Way::Add => {
                ops.push(Op::Added(columns.start + column));
                column += 1;
            }
        }
    }
    ops.extend((columns.start + column..columns.end).map(Op::Added));
}

/// From the end to the start, so that of pairs that are worth the same the first are taken.
fn ways(a: &Run, b: &Run, rows: &Range<usize>, columns: &Range<usize>, band: &Band) -> Vec<Way> {
    let places = band.width + 1;
    let mut ways = vec![Way::Remove; band.rows * places];
    // What the rest is worth from a place of the row below on, and of this row.
    let (mut below, mut here) = (vec![0_i32; places], vec![0_i32; places]);
    for row in (0..band.rows).rev() {
        let (start, next) = (band.start(row), band.start(row + 1));
        let of_next = |column: usize| column.checked_sub(next).and_then(|place| below.get(place)).copied();
        for place in (0..places).rev() {
            let column = start + place;
            let mut best: Option<(i32, Way)> = None;
            let mut offer = |rest: Option<i32>, worth: i32, way: Way| {
                if let Some(sum) = rest.map(|rest| rest + worth)
                    && best.is_none_or(|(most, _)| sum > most)
                {
                    best = Some((sum, way));
                }
            };
            if column < band.columns {
                let worth = worth(a, rows.start + row, b, columns.start + column);
                if worth > 0 {
                    offer(of_next(column + 1), worth, Way::Pair);
                }
            }
            offer(of_next(column), 0, Way::Remove);
            offer(here.get(place + 1).copied(), 0, Way::Add);
            if let Some((sum, way)) = best {
                here[place] = sum;
                ways[row * places + place] = way;
            }
        }
        std::mem::swap(&mut below, &mut here);
    }
    ways
}
