//! First levels by weekday, for which up to half of the windows may be incidents.

use super::spread::median;

/// Monday is 0.
pub(super) fn weekend(weekday: u8) -> bool {
    weekday >= 5
}

/// A weekday with fewer windows has the level of its class: working days, or the weekend.
const FEWEST_OF_A_WEEKDAY: usize = 3;

/// The level of each (weekday, value), by class or, with `split` false, of all.
pub(super) fn first_levels(values: &[(u8, f64)], split: bool) -> Vec<f64> {
    let of_class = |end: bool| {
        let mut of_it: Vec<f64> =
            values.iter().filter(|(weekday, _)| !split || weekend(*weekday) == end).map(|(_, value)| *value).collect();
        median(&mut of_it)
    };
    let classes = [of_class(false), of_class(true)];
    let own: Vec<f64> = (0..7)
        .map(|weekday| {
            let class = classes[usize::from(weekend(weekday))];
            class
                + common(values.iter().filter(|(other, _)| *other == weekday).map(|(_, value)| value - class).collect())
        })
        .collect();
    values.iter().map(|(weekday, _)| own[usize::from(*weekday)]).collect()
}

/// What a weekday's deviations have in common: as far as three quarters of them go. A pattern is in all of them, and
/// two incidents on two of four Mondays are no pattern.
fn common(mut deviations: Vec<f64>) -> f64 {
    let count = deviations.len();
    if count < FEWEST_OF_A_WEEKDAY {
        return 0.0;
    }
    deviations.sort_by(f64::total_cmp);
    let (low, high) = (deviations[count / 4], deviations[count - 1 - count / 4]);
    if low > 0.0 {
        low
    } else if high < 0.0 {
        high
    } else {
        0.0
    }
}
