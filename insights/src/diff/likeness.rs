//! How alike two steps are: what pairs are worth.

use super::content::Content;
use super::run::Run;

// In thousandths, of which a pair that is the same in all has all. A step is none of another type.
const NAME: i32 = 500;
const PLACE: i32 = 150;
/// For what they say.
const SAID: i32 = 350;
/// Of which their inputs count for so much, and their outputs for so much: what a step is given tells it better.
const INPUT: i32 = 4;
const OUTPUT: i32 = 3;

/// For their names, of two that have others, and say at least so much of the same in one place.
const RENAMED: i32 = 250;
const LEAST_SAID: i32 = 550;

/// Steps that are less alike are no pair. Two of one name in one place always are more. One pair that is the same is worth more
/// than two that are not, so that a step that was left out does not shift all that follow.
const LEAST: i32 = 600;

/// From here on two steps are the same one at another place of the run.
const MOVED: i32 = 725;

/// What it is worth to have them as a pair; not above 0: they are none.
pub(super) fn worth(a: &Run, i: usize, b: &Run, j: usize) -> i32 {
    likeness(a, i, b, j) - LEAST
}

/// By what they say: that neither says anything is no sign of it.
pub(super) fn is_moved(a: &Run, i: usize, b: &Run, j: usize) -> bool {
    likeness_if(a, i, b, j, 0) >= MOVED
}

pub(super) fn likeness(a: &Run, i: usize, b: &Run, j: usize) -> i32 {
    likeness_if(a, i, b, j, 1_000)
}

/// `silent`: how alike two of one name are that say nothing.
fn likeness_if(a: &Run, i: usize, b: &Run, j: usize, silent: i32) -> i32 {
    let (one, other) = (&a.known[i], &b.known[j]);
    if one.key == other.key {
        return 1_000;
    }
    let is_there = one.place == other.place;
    let is_named = one.label == other.label;
    if one.kind != other.kind || !(is_there || is_named) {
        return 0;
    }
    let said = said(a, i, b, j);
    let place = if is_there { PLACE } else { 0 };
    match said {
        _ if is_named => NAME + place + SAID * said.unwrap_or(silent) / 1_000,
        Some(said) if said >= LEAST_SAID => RENAMED + place + SAID * said / 1_000,
        _ => 0,
    }
}

/// How alike is what they were given and what they made, of that which either has.
fn said(a: &Run, i: usize, b: &Run, j: usize) -> Option<i32> {
    let (one, other) = (&a.steps[i], &b.steps[j]);
    let (known, beside) = (&a.known[i], &b.known[j]);
    let (mut sum, mut weights) = (0, 0);
    let mut weigh = |weight, one: &Option<Content>, other: &Option<Content>, usual| {
        let alike = match (one, other) {
            (Some(one), Some(other)) if one.is_empty() && other.is_empty() => return,
            (Some(one), Some(other)) => one.likeness(other, usual),
            (None, None) => return,
            _ => 0,
        };
        sum += weight * alike;
        weights += weight;
    };
    weigh(INPUT, &one.input, &other.input, known.usual_input.max(beside.usual_input));
    weigh(OUTPUT, &one.output, &other.output, known.usual_output.max(beside.usual_output));
    (weights > 0).then(|| sum / weights)
}
