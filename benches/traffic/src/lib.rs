//! Made-up traffic of AI agents whose truth is known: seeded, with the cycles of days and weeks, heavy tails, several
//! projects and models, and planted incidents.
//!
//! Every trace is a pure function of the [`Shape`] and its index, so any number of writers share the work, no order is
//! needed, and millions of traces take no memory. The order of indexes is that of time, to the hour.

mod cast;
mod clock;
mod domains;
mod failures;
mod incidents;
mod models;
mod random;
mod rhythm;
mod run;
mod texts;
mod trace;
mod waste;

use serde_json::{Value, json};

pub use clock::{DAY, HOUR, rfc3339};
pub use incidents::{Incident, Kind};
pub use models::{Model, UNPRICED, all as models};
pub use random::{Random, mix};
pub use trace::{Feedback, Span, Trace};
pub use waste::Waste;

use cast::{Agent, Cast, Project};
use incidents::{Effect, effect, planted};
use rhythm::Rhythm;
use run::{Run, Trouble};
use texts::fill;

#[derive(Clone, Debug)]
pub struct Shape {
    pub seed: u64,
    /// Now, in microseconds since 1970. What is made depends on its day only, and how much of that day there is on it.
    pub until: i64,
    /// Whole days in UTC before the day of `until`.
    pub days: u32,
    /// Traces over these days and the whole of the last.
    pub traces: u64,
    pub projects: usize,
    pub names: usize,
    pub models: usize,
    /// At most so many are planted.
    pub incidents: usize,
    /// Every trace has it.
    pub tag: String,
}

impl Shape {
    /// The beginning of the day of `until`.
    pub fn today(&self) -> i64 {
        self.until - self.until.rem_euclid(DAY)
    }

    pub fn start(&self) -> i64 {
        self.today() - i64::from(self.days) * DAY
    }

    /// Two shapes have no trace in common: one would change what the other has made.
    fn own_seed(&self) -> u64 {
        let sizes = [self.traces, self.projects as u64, self.names as u64, self.models as u64, self.incidents as u64];
        let times = [self.today() as u64, u64::from(self.days)];
        times.into_iter().chain(sizes).fold(self.seed, mix)
    }

    /// `until` itself where that is the beginning of a day.
    fn end(&self) -> i64 {
        if self.until == self.today() { self.until } else { self.today() + DAY }
    }
}

/// Streams of random numbers that have nothing in common.
enum Purpose {
    Projects = 1,
    Agents,
    Days,
    Hours,
    Arrivals,
    Traces,
}

pub struct Traffic {
    shape: Shape,
    cast: Cast,
    rhythm: Rhythm,
    incidents: Vec<Incident>,
}

impl Traffic {
    /// With the usual incidents.
    pub fn new(shape: Shape) -> Traffic {
        let incidents = planted(&shape, &Cast::new(&shape));
        Traffic::with(shape, incidents)
    }

    /// With incidents of the caller's own; projects and names are those of a [`Traffic`] of the same shape.
    pub fn with(shape: Shape, incidents: Vec<Incident>) -> Traffic {
        let cast = Cast::new(&shape);
        let rhythm = Rhythm::new(&shape, &cast, &incidents);
        Traffic { shape, cast, rhythm, incidents }
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The ground truth.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// Projects, the busiest first, each with its names, the most used first.
    pub fn names(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.cast.projects.iter().map(|project| {
            let names = project.agents.iter().map(|agent| agent.name.as_str());
            (project.id.as_str(), names.collect())
        })
    }

    /// How many there are up to the hour of `until`. The last few may end after it.
    pub fn traces(&self) -> u64 {
        self.rhythm.before(self.shape.until)
    }

    /// The trace of an index below [`Traffic::traces`].
    pub fn trace(&self, index: u64) -> Trace {
        let mut random = Random::new(mix(self.shape.own_seed(), Purpose::Traces as u64), index);
        let id = random.uuid().to_string();
        let (hour, project) = self.rhythm.place(index);
        let started_at = hour + (random.unit() * (HOUR - 1) as f64) as i64;
        let project = &self.cast.projects[project];
        let agent = &project.agents[random.weighted(&project.shares)];
        let effect = effect(&self.incidents, &project.id, &agent.name, started_at);
        let trouble = trouble(&mut random, agent, &effect);
        let ask = random.pick(agent.domain.asks).map(|ask| fill(ask, &mut random)).unwrap_or_default();
        let mut run = Run::new(id, random, project, agent, &effect);
        let outcome = run.play(&ask, trouble);
        self.recorded(run, ask, outcome, started_at)
    }

    /// What the client library makes of a run.
    fn recorded(&self, run: Run<'_>, ask: String, outcome: Result<String, String>, started_at: i64) -> Trace {
        let Run { id, mut spans, now, mut random, agent, effect, project, .. } = run;
        let at = |offset: i64| started_at + (offset as f64 * effect.time).round() as i64;
        for span in &mut spans {
            span.started_at = at(span.started_at);
            span.ended_at = span.ended_at.map(at);
            span.duration_ms = span.ended_at.map(|ended| (ended - span.started_at) as f64 / 1e3);
        }
        let failed = outcome.is_err();
        let (answer, error) = match outcome {
            Ok(answer) => (json!(answer), None),
            Err(error) => (Value::Null, Some(error)),
        };
        let tokens = |span: &Span| span.input_tokens.unwrap_or(0) + span.output_tokens.unwrap_or(0);
        let ended_at = at(now as i64);
        let user = (project.users as f64 * random.unit().powi(2)) as u64;
        let mut trace = Trace {
            id,
            name: agent.name.clone(),
            status: if failed { "failed" } else { "completed" },
            started_at,
            ended_at: Some(ended_at),
            total_duration_ms: (ended_at - started_at) as f64 / 1e3,
            total_tokens: spans.iter().map(tokens).sum(),
            project_id: project.id.clone(),
            session_id: self.session(project, user, started_at),
            user_id: format!("user-{user:04}"),
            tags: self.tags(&mut random),
            input: json!({"args": [ask], "kwargs": {}}),
            output: answer,
            error,
            metadata: json!({"environment": environment(&mut random), "sdk_version": "0.16.24"}),
            span_count: spans.len(),
            spans,
            feedback: feedback(&mut random, failed),
            golden: random.chance(0.004) && !failed,
        };
        if random.chance(0.004) && !failed {
            vanish(&mut trace);
        }
        trace
    }

    /// A user's runs of a day are of one session.
    fn session(&self, project: &Project, user: u64, at: i64) -> String {
        let day = at.div_euclid(DAY) as u64;
        let seed = mix(mix(self.shape.seed, project.users as u64), project.east as u64);
        Random::new(mix(seed, day), user).uuid().to_string()
    }

    fn tags(&self, random: &mut Random) -> Vec<String> {
        let mut tags = vec![self.shape.tag.clone()];
        tags.extend(
            ["web", "mobile", "vip", "beta"].iter().filter(|_| random.chance(0.2)).map(|tag| (*tag).to_owned()),
        );
        tags
    }
}

/// Whether a run fails, or meets a failure that it gets over.
fn trouble(random: &mut Random, agent: &Agent, effect: &Effect) -> Option<Trouble> {
    let drawn = random.unit();
    let usual = &failures::USUAL[random.weighted(failures::WEIGHTS)];
    let passing = random.chance(0.05);
    if drawn <= agent.failure_rate {
        return Some(Trouble { failure: usual, is_final: true });
    }
    if drawn <= (agent.failure_rate * effect.failures).min(0.95) {
        return Some(Trouble { failure: failures::OUTAGE, is_final: true });
    }
    (passing && usual.passing).then_some(Trouble { failure: usual, is_final: false })
}

fn environment(random: &mut Random) -> &'static str {
    ["production", "staging", "development"][random.weighted(&[0.85, 0.97, 1.0])]
}

fn feedback(random: &mut Random, failed: bool) -> Option<Feedback> {
    let (given, good) = if failed { (0.12, 0.05) } else { (0.06, 0.82) };
    let (given, good, noted) = (random.chance(given), random.chance(good), random.chance(0.4));
    let note = match (good, random.below(3)) {
        (true, 0) => "exactly what I needed",
        (true, _) => "quick and right",
        (false, 0) => "this took far too long",
        (false, _) => "wrong, I had to do it by hand",
    };
    given.then_some(Feedback { value: if good { 1 } else { -1 }, note: noted.then_some(note) })
}

/// The process is gone before the run has ended.
fn vanish(trace: &mut Trace) {
    trace.status = "running";
    trace.ended_at = None;
    trace.output = Value::Null;
    trace.total_duration_ms = 0.0;
    for span in [0, trace.spans.len() - 1] {
        trace.spans[span].ended_at = None;
        trace.spans[span].duration_ms = None;
        trace.spans[span].output = Value::Null;
    }
}
