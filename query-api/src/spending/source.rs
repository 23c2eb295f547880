//! From which rows a period is answered: whole days and quarters of an hour from the totals, what is left at its ends, or
//! what the totals do not know, from the rows of the traces.

use jiff::ZonedDateTime;

use super::cut_days::CutDays;
use super::filters::Filters;
use crate::period::Period;
use crate::times::moment;

const SECOND_US: i64 = 1_000_000;
const QUARTER: i64 = 900;
pub const DAY: i64 = 86_400;

/// By what rows are grouped.
#[derive(Clone, Copy, PartialEq)]
pub enum Group {
    Model,
    Project,
    Environment,
    Name,
    User,
    Session,
    Tag,
}

/// What is selected, from which table, under which condition.
pub type Scan = (String, &'static str, String);

impl Group {
    /// What it is in the rows of traces, and in the totals where they have it. The empty text stands for none.
    fn columns(self) -> (&'static str, Option<&'static str>) {
        match self {
            Group::Model => ("toString(model)", Some("toString(model)")),
            Group::Project => ("ifNull(project_id, '')", Some("toString(project_id)")),
            Group::Environment => ("ifNull(environment, '')", Some("toString(environment)")),
            Group::Name => ("name", None),
            Group::User => ("ifNull(user_id, '')", None),
            Group::Session => ("ifNull(session_id, '')", None),
            Group::Tag => ("arrayJoin(if(empty(tags), [''], tags))", None),
        }
    }
}

/// What is summed, beside the traces and their uses.
pub const FIGURES: [&str; 11] = [
    "calls",
    "unpriced_calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "tokens",
    "timed_calls",
    "duration_us",
    "cost",
];

/// One shape for both tables.
fn selected(group: &str, second: &str, uses: &str) -> String {
    format!("{group} AS grouped, {second} AS second, traces, {uses} AS uses, {}", FIGURES.join(", "))
}

/// Which of the totals' cubes tells apart what is asked for, as the projection's `cube` bits have it.
fn cube(filters: &Filters, group: Group) -> u8 {
    u8::from(filters.by_project || group == Group::Project) | u8::from(filters.by_model || group == Group::Model) << 1
}

/// The scans that make up a period, for one group, and so that rows can be told apart at `cuts`.
pub fn scans(period: &Period, filters: &Filters, group: Group, cuts: &[ZonedDateTime]) -> Vec<Scan> {
    let (facts, totals) = group.columns();
    let of_facts = |from: i64, to: i64| {
        let condition = format!("started_at >= {} AND started_at < {} AND {}", moment(from), moment(to), filters.facts);
        (selected(facts, "toInt64(toUnixTimestamp(started_at))", "toInt64(1)"), "trace_models", condition)
    };
    let cube = cube(filters, group);
    let cut_days = CutDays::of(cube, cuts);
    let grains = if cut_days.is_some() { vec![DAY] } else { grains(cube, cuts) };
    let known = totals.zip(filters.totals.as_deref()).filter(|_| !grains.is_empty());
    let Some((totals, condition)) = known else { return vec![of_facts(period.from, period.end())] };
    let place = cut_days.as_ref().map_or("toInt64(start)", CutDays::place_of_totals);
    let of_totals = |grain: i64, from: i64, to: i64| {
        let condition =
            format!("cube = {cube} AND grain = {grain} AND start >= {from} AND start < {to} AND {condition}");
        (selected(totals, place, "uses"), "cost_totals", condition)
    };
    // What is not covered by long buckets is left to shorter ones, and in the end to the traces.
    let mut left = vec![(period.from, period.end())];
    let mut scans = Vec::new();
    for grain in grains {
        let mut still = Vec::new();
        for (from, to) in left {
            let (first, last) = (whole_up(from, grain * SECOND_US), whole_down(to, grain * SECOND_US));
            if first >= last {
                still.push((from, to));
                continue;
            }
            let (start, end) = (first / SECOND_US, last / SECOND_US);
            scans.push(of_totals(grain, start, end));
            scans.extend(cut_days.as_ref().and_then(|days| days.moved(facts, &filters.facts, start, end)));
            still.extend([(from, first), (last, to)].into_iter().filter(|(from, to)| from < to));
        }
        left = still;
    }
    scans.extend(left.into_iter().map(|(from, to)| of_facts(from, to)));
    scans
}

/// The lengths of a cube's buckets that no cut goes through, longest first. Those by model have only days.
fn grains(cube: u8, cuts: &[ZonedDateTime]) -> Vec<i64> {
    let all = if cube & 2 > 0 { [DAY].as_slice() } else { &[DAY, QUARTER] };
    let whole = |grain: &i64| cuts.iter().all(|cut| second(cut).rem_euclid(*grain) == 0);
    all.iter().copied().filter(whole).collect()
}

fn second(cut: &ZonedDateTime) -> i64 {
    cut.timestamp().as_second()
}

fn whole_down(value: i64, step: i64) -> i64 {
    value.div_euclid(step) * step
}

fn whole_up(value: i64, step: i64) -> i64 {
    whole_down(value + step - 1, step)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn pieces(from: &str, to: &str, cuts: &[&str], group: Group) -> Vec<String> {
        let period = Period { from: micros(from), to: micros(to), is_open: false, zone: TimeZone::UTC };
        let filters = Filters {
            facts: "true".to_owned(),
            totals: Some("true".to_owned()),
            values: Vec::new(),
            by_project: false,
            by_model: false,
        };
        let cuts: Vec<ZonedDateTime> =
            cuts.iter().map(|cut| cut.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC)).collect();
        scans(&period, &filters, group, &cuts).into_iter().map(|(_, _, condition)| condition).collect()
    }

    fn of_traces(from: &str, to: &str) -> String {
        let time = |text| format!("fromUnixTimestamp64Micro({}, 'UTC')", micros(text));
        format!("started_at >= {} AND started_at < {} AND true", time(from), time(to))
    }

    fn of_totals(cube: u8, grain: i64, from: &str, to: &str) -> String {
        let second = |text| micros(text) / SECOND_US;
        format!("cube = {cube} AND grain = {grain} AND start >= {} AND start < {} AND true", second(from), second(to))
    }

    #[test]
    fn a_period_is_covered_once() {
        let (from, to) = ("2026-01-01T23:50:00Z", "2026-01-04T00:16:00Z");
        let expected = [
            of_totals(1, 86_400, "2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z"),
            of_totals(1, 900, "2026-01-04T00:00:00Z", "2026-01-04T00:15:00Z"),
            of_traces(from, "2026-01-02T00:00:00Z"),
            of_traces("2026-01-04T00:15:00Z", to),
        ];
        assert_eq!(pieces(from, to, &["2026-01-03T00:00:00Z"], Group::Project), expected);
        let expected = [
            of_totals(2, 86_400, "2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z"),
            of_traces(from, "2026-01-02T00:00:00Z"),
            of_traces("2026-01-04T00:00:00Z", to),
        ];
        assert_eq!(pieces(from, to, &[], Group::Model), expected);
        assert_eq!(pieces(from, to, &[], Group::User), [of_traces(from, to)]);
    }

    #[test]
    fn days_of_models_are_cut_with_the_traces_of_their_shorter_parts() {
        let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z");
        let days = of_totals(2, 86_400, from, to);
        let time = |text| format!("fromUnixTimestamp64Micro({}, 'UTC')", micros(text));
        let part = |from, to| format!("(started_at >= {} AND started_at < {})", time(from), time(to));
        // Berlin's days end an hour before these, New York's begin five hours after.
        let late = [
            part("2026-01-01T23:00:00Z", "2026-01-02T00:00:00Z"),
            part("2026-01-02T23:00:00Z", "2026-01-03T00:00:00Z"),
        ];
        let berlin = ["2026-01-01T23:00:00Z", "2026-01-02T23:00:00Z"];
        assert_eq!(
            pieces(from, to, &berlin, Group::Model),
            [days.clone(), format!("({}) AND true", late.join(" OR "))]
        );
        let early = format!("({}) AND true", part("2026-01-02T00:00:00Z", "2026-01-02T05:00:00Z"));
        assert_eq!(pieces(from, to, &["2026-01-02T05:00:00Z"], Group::Model), [days, early]);
        let hours = ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"];
        assert_eq!(pieces(from, to, &hours, Group::Model), [of_traces(from, to)]);
    }

    #[test]
    fn cuts_within_days_take_quarters_and_cuts_within_quarters_take_traces() {
        let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z");
        let of = |cut| pieces(from, to, &[cut], Group::Environment);
        assert_eq!(of("2026-01-02T00:00:00Z"), [of_totals(0, 86_400, from, to)]);
        assert_eq!(of("2026-01-01T18:15:00Z"), [of_totals(0, 900, from, to)]);
        assert_eq!(of("2026-01-01T18:16:00Z"), [of_traces(from, to)]);
    }
}
