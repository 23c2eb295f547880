//! What is compared with what: whole days of a time zone, so that the hour of day does not pose as drift.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use runtime::Problem;
use runtime::http::parameters::DRIFT_QUERY;

use crate::params::Params;
use crate::period::{Interval, Intervals, Period};
use crate::trace_filters::Filters;

const CURRENT_DAYS: i64 = 7;

pub struct Asked {
    pub project_id: Option<String>,
    pub filters: Filters,
    pub baseline: (ZonedDateTime, ZonedDateTime),
    pub current: (ZonedDateTime, ZonedDateTime),
    /// The days of both, one after another.
    pub days: Vec<ZonedDateTime>,
    /// Name, and expression on `trace_list`.
    pub by: Option<(String, &'static str)>,
    pub limit: u64,
}

impl Asked {
    pub fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, DRIFT_QUERY);
        let zone = crate::period::zone(&mut params);
        let to = day(&mut params, "to", &zone).unwrap_or_else(|| today(&zone));
        let from = day(&mut params, "from", &zone).or_else(|| back(&to, CURRENT_DAYS)).unwrap_or_else(|| to.clone());
        if from >= to {
            params.fault("from is not before to".to_owned());
        }
        let baseline_days = params.whole("baseline_days");
        let start = back(&from, baseline_days as i64).unwrap_or_else(|| from.clone());
        let period = Period {
            from: start.timestamp().as_microsecond(),
            to: to.timestamp().as_microsecond(),
            is_open: false,
            zone,
        };
        let Intervals { starts: days } = period.cut(Interval::Day, &mut params);
        let by = params.one_of("by").map(|by| {
            let expression = match by.as_str() {
                "name" => "toString(name)",
                "environment" => "toString(ifNull(environment, ''))",
                // A trace of several models is of all of them, so that every trace is in one group.
                _ => "arrayStringConcat(models, ', ')",
            };
            (by, expression)
        });
        let limit = params.whole("limit");
        let (project_id, filters) = (params.text("project_id"), Filters::in_common(&params));
        params.finish()?;
        Ok(Asked { project_id, filters, baseline: (start, from.clone()), current: (from, to), days, by, limit })
    }
}

/// A time that must be the start of a day.
fn day(params: &mut Params, name: &str, zone: &TimeZone) -> Option<ZonedDateTime> {
    let time = Timestamp::from_microsecond(params.time(name)?).ok()?.to_zoned_datetime(zone.clone());
    if time.start_of_day().is_ok_and(|start| start != time) {
        params.fault(format!("{name} is not the start of a day in the time zone"));
    }
    Some(time)
}

fn today(zone: &TimeZone) -> ZonedDateTime {
    let now = Timestamp::now().to_zoned_datetime(zone.clone());
    now.start_of_day().unwrap_or(now)
}

fn back(time: &ZonedDateTime, days: i64) -> Option<ZonedDateTime> {
    time.checked_sub(days.days()).and_then(|time| time.start_of_day()).ok()
}
