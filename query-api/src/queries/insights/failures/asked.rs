//! A request's parameters.

use runtime::Problem;
use runtime::http::parameters::FAILURES_QUERY;

use crate::params::Params;
use crate::period::{Interval, Intervals, Period};
use crate::trace_filters::Filters;

pub const HOUR: i64 = 3_600_000_000;

pub struct Asked {
    pub period: Period,
    pub project_id: Option<String>,
    pub filters: Filters,
    pub intervals: Intervals,
    /// What began in the last so many hours is new.
    pub recent_hours: u64,
    pub limit: usize,
}

impl Asked {
    pub fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, FAILURES_QUERY);
        let period = Period::read(&mut params);
        let (project_id, filters) = (params.text("project_id"), Filters::in_common(&params));
        let interval = Interval::read(&mut params).unwrap_or(Interval::Day);
        let intervals = period.cut(interval, &mut params);
        let recent_hours = params.whole("recent_hours");
        let limit = params.whole("limit") as usize;
        params.finish()?;
        Ok(Asked { period, project_id, filters, intervals, recent_hours, limit })
    }

    pub fn recent_from(&self) -> i64 {
        self.period.to - self.recent_hours as i64 * HOUR
    }
}
