//! What goes wrong in the traffic, when and where: the ground truth for whatever looks for it.

use serde::Serialize;

use crate::Shape;
use crate::cast::Cast;
use crate::clock::{self, DAY, HOUR};
use crate::models::{CHEAPER, DEARER, DEARER_BY};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Calls take `factor` times the tokens.
    CostSpike,
    /// Everything takes `factor` times as long.
    LatencySpike,
    /// `factor` times as many traces fail.
    ErrorSpike,
    /// `factor` times as many traces are made, a tenth for one.
    VolumeDrop,
    /// From `from` on another model is called, at `factor` times the price.
    CostDrift,
    /// From `from` on everything takes `factor` times as long.
    LatencyDrift,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    pub kind: Kind,
    pub project: String,
    /// Only traces of this name, where there is one; a volume drop is of a whole project.
    pub name: Option<String>,
    /// Traces that start at `from` or later and before `to`; microseconds since 1970.
    #[serde(serialize_with = "clock::serialize")]
    pub from: i64,
    #[serde(serialize_with = "clock::serialize")]
    pub to: i64,
    pub factor: f64,
    /// Of a cost drift: all calls of the name are of the first model before, of the second after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<[&'static str; 2]>,
}

const SPIKES: [(Kind, f64); 4] =
    [(Kind::CostSpike, 3.0), (Kind::LatencySpike, 3.0), (Kind::ErrorSpike, 5.0), (Kind::VolumeDrop, 0.1)];
const LATENCY_DRIFT: f64 = 2.0;
const LASTS: i64 = 6 * HOUR;
/// When somebody is at work in the project's time zone: a window without traces shows nothing.
const BEGINS_AT: i64 = 10 * HOUR;
/// The first days are what the later ones are compared with.
const QUIET: i64 = 7;
const DAYS_APART: i64 = 3;

/// Of a shape, `shape.incidents` incidents at most: the two drifts over the last seven days, a cost spike that is still
/// going on, then spikes of every kind in turn, one project after the other, as far back as the quiet days at the start.
/// A project has one a day, none while one of its names drifts, and none on Saturdays and Sundays, when few would see it.
pub(crate) fn planted(shape: &Shape, cast: &Cast) -> Vec<Incident> {
    let today = shape.today();
    let projects = cast.projects.len();
    let mut planted = vec![
        Incident { models: Some([CHEAPER, DEARER]), ..drift(Kind::CostDrift, DEARER_BY, cast, 2 % projects, shape) },
        drift(Kind::LatencyDrift, LATENCY_DRIFT, cast, 3 % projects, shape),
        spike(Kind::CostSpike, 3.0, cast, 0, today - LASTS, shape.end()),
    ];
    let drifting: Vec<String> = planted.iter().take(2).map(|drift| drift.project.clone()).collect();
    for number in 0.. {
        let (round, project) = (number / projects, number % projects);
        let days_ago = working(2 + round as i64 * DAYS_APART + (project as i64 % DAYS_APART), today);
        if planted.len() >= shape.incidents || days_ago > i64::from(shape.days) - QUIET {
            break;
        }
        if days_ago <= QUIET + 1 && drifting.contains(&cast.projects[project].id) {
            continue;
        }
        let (kind, factor) = SPIKES[(number + round + 1) % SPIKES.len()];
        let from = today - days_ago * DAY + BEGINS_AT - cast.projects[project].east;
        planted.push(spike(kind, factor, cast, project, from, from + LASTS));
    }
    planted.truncate(shape.incidents);
    planted
}

/// The day itself, or the Thursday or Friday before.
fn working(days_ago: i64, today: i64) -> i64 {
    if clock::weekday(today - days_ago * DAY) >= 5 { days_ago + 2 } else { days_ago }
}

fn spike(kind: Kind, factor: f64, cast: &Cast, project: usize, from: i64, to: i64) -> Incident {
    // Whole hours in UTC, as the traffic is made in, also where the time zone has half ones.
    let whole = |time: i64| time - time.rem_euclid(HOUR);
    let project = cast.projects[project].id.clone();
    Incident { kind, project, name: None, from: whole(from), to: whole(to), factor, models: None }
}

/// Of the most used name of a project.
fn drift(kind: Kind, factor: f64, cast: &Cast, project: usize, shape: &Shape) -> Incident {
    let from = shape.today() - QUIET * DAY;
    let name = cast.projects[project].agents.first().map(|agent| agent.name.clone());
    Incident { name, ..spike(kind, factor, cast, project, from, shape.end()) }
}

/// What the incidents do to one trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effect {
    pub(crate) tokens: f64,
    pub(crate) time: f64,
    pub(crate) failures: f64,
    pub(crate) model: Option<&'static str>,
}

pub(crate) fn effect(incidents: &[Incident], project: &str, name: &str, at: i64) -> Effect {
    let mut effect = Effect { tokens: 1.0, time: 1.0, failures: 1.0, model: None };
    let of_trace = |one: &&Incident| one.project == project && one.name.as_ref().is_none_or(|only| only == name);
    for incident in incidents.iter().filter(of_trace) {
        let during = (incident.from..incident.to).contains(&at);
        if let Some([before, after]) = incident.models {
            effect.model = Some(if during { after } else { before });
        }
        match incident.kind {
            Kind::CostSpike if during => effect.tokens *= incident.factor,
            Kind::LatencySpike | Kind::LatencyDrift if during => effect.time *= incident.factor,
            Kind::ErrorSpike if during => effect.failures *= incident.factor,
            _ => {}
        }
    }
    effect
}

/// How many times the usual number of traces of an hour there are.
pub(crate) fn volume(incidents: &[Incident], project: &str, hour: i64) -> f64 {
    let drops = incidents.iter().filter(|one| one.kind == Kind::VolumeDrop && one.project == project);
    drops.filter(|one| (one.from..one.to).contains(&hour)).map(|one| one.factor).product()
}
