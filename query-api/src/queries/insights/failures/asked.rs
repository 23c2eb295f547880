//! A request's parameters.

use runtime::Problem;

use super::super::filters::Filters;
use crate::params::Params;
use crate::period::{Interval, Intervals, Period};

const PARAMETERS: &[&str] = &[
    "from",
    "to",
    "timezone",
    "interval",
    "recent_hours",
    "limit",
    "project_id",
    "environment",
    "name",
    "model",
    "user_id",
    "session_id",
    "tag",
];

pub const HOUR: i64 = 3_600_000_000;

pub struct Asked {
    pub period: Period,
    pub filters: Filters,
    pub intervals: Intervals,
    /// What began in the last so many hours is new.
    pub recent_hours: u64,
    pub limit: usize,
}

impl Asked {
    pub fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, PARAMETERS);
        let period = Period::read(&mut params);
        let filters = Filters::read(&mut params);
        let interval = Interval::read(&mut params).unwrap_or(Interval::Day);
        let intervals = period.cut(interval, &mut params);
        let recent_hours = params.whole("recent_hours", 1, 24 * 366, 24);
        let limit = params.whole("limit", 1, 200, 50) as usize;
        params.finish()?;
        Ok(Asked { period, filters, intervals, recent_hours, limit })
    }

    pub fn recent_from(&self) -> i64 {
        self.period.to - self.recent_hours as i64 * HOUR
    }
}
