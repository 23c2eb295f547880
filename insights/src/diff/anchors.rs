//! Steps that are the same and are there once in either run, as many of them as are in one order (Hunt and Szymanski's
//! longest common subsequence, over unique keys as patience diff has it).

use std::collections::HashMap;
use std::ops::Range;

use super::run::Run;

pub(super) fn anchors(a: &Run, b: &Run, rows: Range<usize>, columns: Range<usize>) -> Vec<(usize, usize)> {
    let (unique_a, unique_b) = (unique(a, rows.clone()), unique(b, columns));
    let both: Vec<(usize, usize)> = rows
        .filter_map(|i| {
            let key = a.known[i].key;
            unique_a.get(&key)?.as_ref()?;
            Some((i, (*unique_b.get(&key)?)?))
        })
        .collect();
    increasing(&both)
}

/// Where each key is, of those that are there once.
fn unique(run: &Run, range: Range<usize>) -> HashMap<u64, Option<usize>> {
    let mut found = HashMap::with_capacity(range.len());
    for at in range {
        found.entry(run.known[at].key).and_modify(|once| *once = None).or_insert(Some(at));
    }
    found
}

/// The longest part of it in which the second numbers grow as well.
fn increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // By length, the pair with the smallest end that a part of it can have; and of each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, (_, column)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *column);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() { ends.push(at) } else { ends[length] = at }
    }
    let mut found: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |at| before[*at]).map(|at| pairs[at]).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::increasing;

    #[test]
    fn the_most_that_are_in_order() {
        assert_eq!(increasing(&[(0, 3), (1, 0), (2, 1), (3, 2), (4, 4)]), [(1, 0), (2, 1), (3, 2), (4, 4)]);
        assert_eq!(increasing(&[]), []);
        assert_eq!(increasing(&[(0, 1), (1, 0)]).len(), 1);
    }
}
