//! What the detectors are given.

use crate::histogram::Histogram;

/// The ended traces that started in a window of some hours.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// How many days before the current window it ends.
    pub days_back: u16,
    /// Of its end; Monday is 0.
    pub weekday: u8,
    pub traces: u64,
    pub failed: u64,
    /// Of the traces that have one.
    pub cost: Histogram,
    pub duration: Histogram,
}

const HISTORY_DAYS: u16 = 28;
const DAY_HOURS: u16 = 24;

/// How many days before it the earlier windows of a window of so many hours end. They share no hour with it or with each
/// other; from four days on they are whole weeks apart, since there are too few to know weekdays by.
pub fn days_back(window_hours: u16) -> impl Iterator<Item = u16> {
    let step = match window_hours.div_ceil(DAY_HOURS) {
        0 | 1 => 1,
        days @ 2..=4 => days,
        days => days.next_multiple_of(7),
    };
    (1..=HISTORY_DAYS / step).map(move |place| place * step)
}
