//! How sure an answer is that it names the right span: for each ground less than the share of right answers that the tests
//! measure on planted faults, as real traces are harder, and less for what speaks against this answer.

use super::answer::Kind;
use super::blame::Blamed;
use super::own::{Cause, Ground};

pub(super) fn confidence(cause: &Cause, blamed: &Blamed, runs: usize, is_understood: bool) -> f64 {
    let mut sure = match cause.ground {
        Ground::Failed => 0.95,
        Ground::Made => 0.9,
        Ground::Slow if runs > 0 => 0.9,
        Ground::Slow => 0.75,
        Ground::Repeated => 0.9,
        Ground::Empty => 0.85,
        Ground::Unfinished => 0.85,
        Ground::Named => 0.8,
        Ground::Last => 0.6,
        Ground::Parting => 0.8,
        Ground::Nothing => 0.2,
    };
    if blamed.handled && !blamed.told_above {
        sure *= 0.7;
    }
    if blamed.rivals > 0 {
        sure *= 0.8;
    }
    if blamed.place.is_some() && blamed.lead < 0.75 {
        sure *= 0.9;
    }
    let by_words = matches!(cause.ground, Ground::Failed | Ground::Made | Ground::Empty | Ground::Named | Ground::Last);
    if by_words && (cause.kind == Kind::Unknown || !is_understood) {
        sure *= 0.8;
    }
    sure
}
