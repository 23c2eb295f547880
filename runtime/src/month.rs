//! The calendar month, in UTC, that usage counts by.

use time::{Date, Duration, Month as Name, OffsetDateTime};

use crate::http::rfc3339;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    first: Date,
    next: Date,
}

impl Month {
    pub fn now() -> Month {
        Month::of(OffsetDateTime::now_utc())
    }

    fn of(time: OffsetDateTime) -> Month {
        let first = |date: Date| date.replace_day(1).unwrap_or(date);
        let this = first(time.date());
        // No month has more days, and none so few that this would skip one.
        Month { first: this, next: first(this.saturating_add(Duration::days(31))) }
    }

    /// YYYY-MM-DD
    pub fn first_day(self) -> String {
        self.first.to_string()
    }

    pub fn start(self) -> String {
        rfc3339(self.first.midnight().assume_utc())
    }

    /// When the next one begins.
    pub fn end(self) -> String {
        rfc3339(self.next.midnight().assume_utc())
    }

    pub fn seconds_left(self) -> u64 {
        let left = self.next.midnight().assume_utc() - OffsetDateTime::now_utc();
        left.whole_seconds().unsigned_abs() + 1
    }

    /// As people name it: November 2026.
    pub fn name(self) -> String {
        let name: Name = self.first.month();
        format!("{name} {}", self.first.year())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_on_its_first_and_ends_where_the_next_begins() {
        for (now, start, end) in [
            ("2026-11-26 23:59:59", "2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"),
            ("2026-12-31 00:00:00", "2026-12-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
            ("2028-01-31 12:00:00", "2028-01-01T00:00:00.000000Z", "2028-02-01T00:00:00.000000Z"),
            ("2027-02-28 12:00:00", "2027-02-01T00:00:00.000000Z", "2027-03-01T00:00:00.000000Z"),
        ] {
            let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
            let month = Month::of(time::PrimitiveDateTime::parse(now, format).unwrap().assume_utc());
            assert_eq!((month.start().as_str(), month.end().as_str()), (start, end), "{now}");
        }
    }
}
