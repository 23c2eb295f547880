//! Totals of days (UTC) that are cut into two, as those of every other time zone are: a day's total counts for the longer
//! part of it, and what the traces of the shorter part add to that is moved.

use jiff::ZonedDateTime;

use super::source::{DAY, FIGURES, Scan};
use crate::times::moment;

pub struct CutDays {
    /// Days that are cut, by their first seconds, and where.
    cuts: Vec<(i64, i64)>,
    /// Of most days the part after the cut is the shorter one.
    is_late: bool,
}

impl CutDays {
    /// None where days are whole, are cut more than once, or where the cube has shorter buckets.
    pub fn of(cube: u8, cuts: &[ZonedDateTime]) -> Option<CutDays> {
        if cube & 2 == 0 {
            return None;
        }
        let seconds = cuts.iter().map(|cut| cut.timestamp().as_second());
        let cuts: Vec<(i64, i64)> =
            seconds.map(|cut| (cut - cut.rem_euclid(DAY), cut)).filter(|(day, cut)| day != cut).collect();
        let is_cut_twice = cuts.windows(2).any(|pair| pair[0].0 == pair[1].0);
        let late = cuts.iter().filter(|(day, cut)| cut - day > DAY / 2).count();
        (!cuts.is_empty() && !is_cut_twice).then_some(CutDays { is_late: 2 * late >= cuts.len(), cuts })
    }

    /// A second of the part that a day's total counts for.
    pub fn place_of_totals(&self) -> &'static str {
        if self.is_late { "toInt64(start)" } else { "toInt64(start) + 86399" }
    }

    /// The traces in the other parts of the days in a span of time: each to its own second, and off the day's total.
    pub fn moved(&self, group: &str, filters: &str, from: i64, to: i64) -> Option<Scan> {
        let days = self.cuts.iter().filter(|(day, _)| (from..to).contains(day));
        let part = |(day, cut): &(i64, i64)| if self.is_late { (*cut, day + DAY) } else { (*day, *cut) };
        let parts: Vec<String> = days
            .map(part)
            .map(|(from, to)| {
                format!("(started_at >= {} AND started_at < {})", moment(from * 1_000_000), moment(to * 1_000_000))
            })
            .collect();
        let last = if self.is_late { 0 } else { DAY - 1 };
        let figures: Vec<String> = FIGURES.iter().map(|name| format!("{name} * moved.1 AS {name}")).collect();
        let columns = format!(
            "{group} AS grouped, (arrayJoin([(toInt64(1), toInt64(toUnixTimestamp(started_at))), \
             (toInt64(-1), toInt64(intDiv(toUnixTimestamp(started_at), {DAY}) * {DAY} + {last}))]) AS moved).2 AS second, \
             traces * moved.1 AS traces, moved.1 AS uses, {}",
            figures.join(", ")
        );
        (!parts.is_empty()).then(|| (columns, "trace_models", format!("({}) AND {filters}", parts.join(" OR "))))
    }
}
