//! Which traces are compared with which: those of the last hours with those of the same hours of earlier days.

use insights::anomalies::{Window, days_back};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use runtime::Problem;
use runtime::http::parameters::ANOMALIES_QUERY;

use super::super::ended::{Ended, Metric, Range};
use crate::params::Params;
use crate::trace_filters::Filters;

pub const HOUR: i64 = 3_600;

pub const METRICS: [Metric; 2] = [Metric::Cost, Metric::Duration];

/// A window at some moment, and how many days before the current one.
pub struct Place {
    pub days_back: u16,
    pub weekday: u8,
    pub range: Range,
}

pub struct Asked {
    pub filters: Filters,
    pub zone: TimeZone,
    pub window_hours: u16,
    pub at: Timestamp,
}

impl Asked {
    pub fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, ANOMALIES_QUERY);
        let zone = crate::period::zone(&mut params);
        let at = params.time("at").and_then(|at| Timestamp::from_microsecond(at).ok());
        let window_hours = window_hours(&mut params);
        let filters = Filters::in_common(&params);
        params.finish()?;
        Ok(Asked { filters, zone, window_hours, at: at.unwrap_or_else(Timestamp::now) })
    }
}

pub fn window_hours(params: &mut Params) -> u16 {
    params.whole("window_hours") as u16
}

/// The current window, and those before it that began when there was history already; the newest first.
pub fn places(at: &ZonedDateTime, window_hours: u16, history: i64) -> Vec<Place> {
    let earlier = days_back(window_hours);
    let places = std::iter::once(0).chain(earlier).filter_map(|days_back| {
        let to = at.checked_sub(i64::from(days_back).days()).ok()?;
        let range =
            Range { from: to.timestamp().as_second() - i64::from(window_hours) * HOUR, to: to.timestamp().as_second() };
        let weekday = to.weekday().to_monday_zero_offset() as u8;
        (days_back == 0 || range.from >= history).then_some(Place { days_back, weekday, range })
    });
    places.collect()
}

impl Place {
    pub fn window(&self, ended: &Ended) -> Window {
        Window {
            days_back: self.days_back,
            weekday: self.weekday,
            traces: ended.errors.traces(),
            failed: ended.errors.failed,
            cost: ended.cost.clone(),
            duration: ended.duration.clone(),
        }
    }
}
