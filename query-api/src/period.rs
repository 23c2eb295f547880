//! The time that is asked about, cut into intervals of a named time zone.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{RoundMode, Span, Timestamp, ToSpan, Unit, ZonedDateTime, ZonedDateTimeRound};

use crate::params::Params;
use crate::times::{moment, now};

/// More points than a chart has room for.
const MOST_INTERVALS: usize = 4_000;
const DEFAULT_DAYS: i64 = 29;
const DAY_US: i64 = 86_400_000_000;

#[derive(Clone, Copy, PartialEq)]
pub enum Interval {
    Hour,
    Day,
    Week,
    Month,
}

pub struct Period {
    /// Microseconds since 1970; `to` is not part of it.
    pub from: i64,
    pub to: i64,
    /// `to` is now because nothing else was asked for: what starts later on this day (UTC), by a clock that is ahead, belongs
    /// to it, so that no day has to be taken apart.
    pub is_open: bool,
    pub zone: TimeZone,
}

/// Intervals without a gap, by their starts: the first may begin before the period does.
pub struct Intervals {
    pub starts: Vec<ZonedDateTime>,
}

impl Interval {
    pub fn read(params: &mut Params) -> Option<Interval> {
        Some(match params.one_of("interval")?.as_str() {
            "hour" => Interval::Hour,
            "week" => Interval::Week,
            "month" => Interval::Month,
            _ => Interval::Day,
        })
    }

    fn start_of(self, time: &ZonedDateTime) -> Result<ZonedDateTime, jiff::Error> {
        match self {
            Interval::Hour => time.round(ZonedDateTimeRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc)),
            Interval::Day => time.start_of_day(),
            Interval::Week => {
                let since = i64::from(time.weekday().since(Weekday::Monday));
                time.checked_sub(since.days())?.start_of_day()
            }
            Interval::Month => time.first_of_month()?.start_of_day(),
        }
    }

    fn step(self) -> Span {
        match self {
            Interval::Hour => 1.hour(),
            Interval::Day => 1.day(),
            Interval::Week => 1.week(),
            Interval::Month => 1.month(),
        }
    }
}

impl Period {
    /// Faults are left in the parameters; what is returned then is of no use.
    pub fn read(params: &mut Params) -> Period {
        let zone = zone(params);
        let asked = params.time("to");
        let to = asked.unwrap_or_else(now);
        let from = params.time("from").unwrap_or_else(|| days_before(to, &zone).unwrap_or(to));
        if from >= to {
            params.fault("from is not before to".to_owned());
        }
        Period { from, to, is_open: asked.is_none(), zone }
    }

    /// The end of what is looked at.
    pub fn end(&self) -> i64 {
        if self.is_open { self.to - self.to.rem_euclid(DAY_US) + DAY_US } else { self.to }
    }

    /// That a trace started in it.
    pub fn contains(&self) -> String {
        format!("started_at >= {} AND started_at < {}", moment(self.from), moment(self.end()))
    }

    pub fn previous(&self) -> Period {
        Period { from: self.from - (self.to - self.from), to: self.from, is_open: false, zone: self.zone.clone() }
    }

    pub fn cut(&self, interval: Interval, params: &mut Params) -> Intervals {
        let starts = match self.starts(interval) {
            Ok(starts) => starts,
            Err(cause) => {
                params.fault(format!("from and to cannot be cut into intervals: {cause}"));
                Vec::new()
            }
        };
        if starts.len() > MOST_INTERVALS {
            params.fault(format!("from and to are more than {MOST_INTERVALS} intervals apart"));
        }
        Intervals { starts }
    }

    fn starts(&self, interval: Interval) -> Result<Vec<ZonedDateTime>, jiff::Error> {
        let end = Timestamp::from_microsecond(self.to)?;
        let mut starts = Vec::new();
        let mut start =
            interval.start_of(&Timestamp::from_microsecond(self.from)?.to_zoned_datetime(self.zone.clone()))?;
        while start.timestamp() < end && starts.len() <= MOST_INTERVALS {
            let next = start.checked_add(interval.step())?;
            // A day that begins late, for its midnight does not exist, is followed by one that does not.
            let next = if interval == Interval::Hour { next } else { next.start_of_day()? };
            starts.push(std::mem::replace(&mut start, next));
        }
        Ok(starts)
    }
}

/// The time zone that is asked for.
pub fn zone(params: &mut Params) -> TimeZone {
    let name = params.text("timezone").unwrap_or_else(|| "UTC".to_owned());
    TimeZone::get(&name).unwrap_or_else(|_| {
        params.fault("timezone is not a name of the IANA database, as Europe/Berlin".to_owned());
        TimeZone::UTC
    })
}

/// The start of the day that is 29 days before that of `to`.
fn days_before(to: i64, zone: &TimeZone) -> Result<i64, jiff::Error> {
    let day = Timestamp::from_microsecond(to)?.to_zoned_datetime(zone.clone());
    Ok(day.checked_sub(DEFAULT_DAYS.days())?.start_of_day()?.timestamp().as_microsecond())
}

pub fn rfc3339(time: &ZonedDateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(from: &str, to: &str, zone: &str, interval: Interval) -> Vec<String> {
        let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        let period = Period { from: micros(from), to: micros(to), is_open: false, zone: TimeZone::get(zone).unwrap() };
        period.starts(interval).unwrap().iter().map(rfc3339).collect()
    }

    #[test]
    fn days_follow_the_zone_through_daylight_saving() {
        let days = starts("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "Europe/Berlin", Interval::Day);
        assert_eq!(days, ["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"]);
        let hours = starts("2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "Europe/Berlin", Interval::Hour);
        assert_eq!(hours, ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]);
        // Its clocks skip midnight.
        let days = starts("2026-09-05T12:00:00Z", "2026-09-08T12:00:00Z", "America/Santiago", Interval::Day);
        assert_eq!(
            days,
            [
                "2026-09-05T00:00:00-04:00",
                "2026-09-06T01:00:00-03:00",
                "2026-09-07T00:00:00-03:00",
                "2026-09-08T00:00:00-03:00"
            ]
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let weeks = starts("2026-11-25T00:00:00Z", "2026-12-01T00:00:00Z", "UTC", Interval::Week);
        assert_eq!(weeks, ["2026-11-23T00:00:00+00:00", "2026-11-30T00:00:00+00:00"]);
        let months = starts("2026-01-31T00:00:00Z", "2026-03-01T00:00:01Z", "Asia/Kathmandu", Interval::Month);
        assert_eq!(months, ["2026-01-01T00:00:00+05:45", "2026-02-01T00:00:00+05:45", "2026-03-01T00:00:00+05:45"]);
    }
}
