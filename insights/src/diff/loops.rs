//! Steps that only go around a loop once more.

use super::run::Run;

/// Steps of a round.
const LONGEST_ROUND: usize = 64;

/// Whether the steps are rounds, each with the types, names and places of the round before or behind them. `steps` are the
/// numbers of some that are in one run alone, in order.
pub(super) fn repeated(run: &Run, steps: &[usize]) -> Vec<bool> {
    let mut found = vec![false; steps.len()];
    let mut from = 0;
    while from < steps.len() {
        let row = steps[from..].iter().enumerate().take_while(|(at, step)| **step == steps[from] + at).count();
        let is_repeated = is_round(run, steps[from], steps[from] + row);
        found[from..from + row].fill(is_repeated);
        from += row;
    }
    found
}

fn is_round(run: &Run, start: usize, end: usize) -> bool {
    let steps = end - start;
    let like = |one: usize, other: usize| {
        let (one, other) = (&run.known[one], &run.known[other]);
        (one.label, one.place) == (other.label, other.place)
    };
    (1..=steps.min(LONGEST_ROUND)).filter(|round| steps.is_multiple_of(*round)).any(|round| {
        (start >= round && (start..end).all(|step| like(step, step - round)))
            || (end + round <= run.len() && (start..end).all(|step| like(step, step + round)))
    })
}
