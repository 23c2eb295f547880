//! Runs an agent's plan, well or with a fault in it, and with decoys: what fails and is tried again, what is handled, what
//! is slow or empty for no harm.

use retrace_insights::root_cause::{Kind, Run, Span, Step, Trace};

use super::faults::Fault;
use super::plan::{Agent, Leaf, Plan, Telling, leaves};
use super::random::Random;
use super::wordings::{self, Wordings};

const BEGIN: i64 = 1_790_000_000_000_000;

/// A trace with what was planted in it.
pub struct Case {
    pub trace: Trace,
    pub runs: Vec<Run>,
    pub fault: Fault,
    pub kind: Kind,
    pub cause: String,
    pub failed: Option<String>,
}

pub(super) struct Failure {
    pub at: i64,
    pub text: String,
    /// The step's own wrapper is what failed: it says so whatever the others say.
    pub by_wrapper: bool,
    /// Nobody says anything.
    pub quiet: bool,
    /// Everything stops.
    pub abort: bool,
}

impl Failure {
    pub fn loud(at: i64, text: String) -> Failure {
        Failure { at, text, by_wrapper: false, quiet: false, abort: false }
    }
}

pub(super) struct World<'a> {
    pub says: &'static Wordings,
    pub random: &'a mut Random,
    pub agent: &'a Agent,
    pub leaves: Vec<Leaf>,
    pub spans: Vec<Span>,
    pub fault: Option<(Fault, usize)>,
    pub decoys: f64,
    pub leaf: usize,
    pub tokens: i64,
    pub last_model: Option<usize>,
    pub kind: Kind,
    pub cause: Option<usize>,
    pub failed: Option<usize>,
    /// What the trace is said to have failed of, where no span failed.
    pub verdict: Option<String>,
    /// A limit that the calls beside the failed one run into as well: since when, and what they are told.
    pub burst: Option<(i64, String)>,
}

pub fn case(seed: u64, fault: Fault, says: &'static Wordings) -> Case {
    let mut random = Random::new(seed);
    loop {
        let agent = Agent::random(&mut random);
        let Some(place) = fault.place(&agent, &mut random) else { continue };
        let needs_runs = matches!(fault, Fault::MissingStep | Fault::UnexpectedStep);
        let runs = match random.below(10) {
            0..3 if !needs_runs => 0,
            3 if !needs_runs => 1 + random.below(2),
            _ => 4 + random.below(17),
        };
        let runs = (0..runs).map(|_| successful(&agent, &mut random, says)).collect();
        let mut world = World::new(&mut random, &agent, Some((fault, place)), says);
        let Some((trace, cause, failed)) = world.fail() else { continue };
        return Case { kind: world.kind, trace, runs, fault, cause, failed };
    }
}

fn successful(agent: &Agent, random: &mut Random, says: &'static Wordings) -> Run {
    let mut world = World::new(random, agent, None, says);
    let ended = world.root().map_or(0, |ended| ended);
    world.spans.sort_by_key(|span| span.started_at);
    let steps = world.spans.iter().filter(|span| !span.failed).map(|span| Step {
        span_type: span.span_type.clone(),
        name: span.name.clone(),
        duration_us: span.ended_at.zip(span.started_at).map(|(end, start)| end - start),
    });
    let tokens = world.spans.iter().filter_map(|span| Some(span.input_tokens? + span.output_tokens?)).sum();
    Run { steps: steps.collect(), tokens, duration_us: Some(ended - BEGIN) }
}

impl<'a> World<'a> {
    fn new(
        random: &'a mut Random,
        agent: &'a Agent,
        fault: Option<(Fault, usize)>,
        says: &'static Wordings,
    ) -> World<'a> {
        World {
            says,
            leaves: leaves(&agent.plan),
            decoys: if fault.is_some() { 0.3 } else { 0.08 },
            kind: fault.map_or(Kind::Unknown, |(fault, _)| fault.kind()),
            tokens: random.between(200, 3000),
            random,
            agent,
            spans: Vec::new(),
            fault,
            leaf: 0,
            last_model: None,
            cause: None,
            failed: None,
            verdict: None,
            burst: None,
        }
    }

    /// None if the fault did not come to pass.
    fn fail(&mut self) -> Option<(Trace, String, Option<String>)> {
        let outcome = self.root();
        let cause = self.spans[self.cause?].id.clone();
        let failed = self.failed.map(|place| self.spans[place].id.clone());
        let (ended, error) = match outcome {
            Ok(at) => (at, self.verdict.clone()),
            Err(failure) => {
                if failure.abort {
                    self.stop(failure.at);
                }
                let text = match self.agent.telling {
                    _ if failure.quiet || failure.abort => self.verdict.clone(),
                    Telling::Same | Telling::Silent | Telling::Cut => Some(failure.text),
                    Telling::Named => Some(format!("{} failed: {}", self.agent.name, failure.text)),
                    Telling::Generic if self.random.chance(0.5) => None,
                    Telling::Generic => Some(self.random.pick(wordings::GENERIC).to_owned()),
                };
                (failure.at, text)
            }
        };
        let mut spans = std::mem::take(&mut self.spans);
        self.lose_one(&mut spans);
        self.random.shuffle(&mut spans);
        let trace = Trace {
            name: self.agent.name.clone(),
            failed: true,
            error,
            started_at: Some(BEGIN),
            ended_at: Some(ended + self.random.between(0, 2000)),
            spans,
        };
        Some((trace, cause, failed))
    }

    /// Now and then a wrapper's span has not arrived.
    fn lose_one(&mut self, spans: &mut Vec<Span>) {
        let at = self.random.below(spans.len());
        let is_planted = [self.cause, self.failed].contains(&Some(at));
        if self.random.chance(0.3) && spans[at].span_type == "action" && !is_planted {
            spans.remove(at);
        }
    }

    fn root(&mut self) -> Result<i64, Failure> {
        let agent = self.agent;
        self.wrapper(None, BEGIN, &agent.name, &agent.plan)
    }

    /// All that ran then has not ended, and nothing began later.
    fn stop(&mut self, at: i64) {
        let kept: Vec<bool> = self.spans.iter().map(|span| span.started_at.is_some_and(|start| start <= at)).collect();
        for span in &mut self.spans {
            if span.ended_at.is_some_and(|end| end > at) {
                span.ended_at = None;
                span.output = None;
            }
        }
        let mut kept = kept.into_iter();
        self.spans.retain(|_| kept.next().unwrap());
    }

    fn wrapper(&mut self, parent: Option<usize>, at: i64, name: &str, plan: &[Plan]) -> Result<i64, Failure> {
        let place = self.begin(parent, "action", name, at);
        let begin = at + self.random.between(10, 500);
        let outcome = self.sequence(place, begin, plan);
        self.close(place, outcome)
    }

    /// Ends a wrapper as what is in it did.
    fn close(&mut self, place: usize, outcome: Result<i64, Failure>) -> Result<i64, Failure> {
        match outcome {
            Ok(at) => {
                let at = at + self.random.between(10, 500);
                self.spans[place].ended_at = Some(at);
                Ok(at)
            }
            Err(failure) if failure.abort => Err(failure),
            Err(mut failure) => {
                failure.at += self.random.between(5, 300);
                self.spans[place].ended_at = Some(failure.at);
                if failure.by_wrapper {
                    failure.by_wrapper = false;
                    self.failed = Some(place);
                    self.spans[place].error = Some(failure.text.clone());
                    self.spans[place].failed = true;
                } else if !failure.quiet && self.agent.telling != Telling::Silent {
                    let name = self.spans[place].name.clone();
                    failure.text = match self.agent.telling {
                        Telling::Named => format!("{name} failed: {}", failure.text),
                        Telling::Generic => self.random.pick(wordings::GENERIC).to_owned(),
                        Telling::Cut => failure.text.chars().take(80).collect(),
                        _ => failure.text,
                    };
                    self.spans[place].error = Some(failure.text.clone());
                    self.spans[place].failed = true;
                }
                Err(failure)
            }
        }
    }

    fn sequence(&mut self, parent: usize, mut at: i64, plan: &[Plan]) -> Result<i64, Failure> {
        for step in plan {
            at += self.random.between(50, 2_000);
            at = match step {
                Plan::Wrapper(name, inner) => self.wrapper(Some(parent), at, name, inner)?,
                Plan::Parallel(branches) => self.parallel(parent, at, branches)?,
                _ => self.leaf(parent, at)?,
            };
        }
        Ok(at)
    }

    fn parallel(&mut self, parent: usize, at: i64, branches: &[Vec<Plan>]) -> Result<i64, Failure> {
        let place = self.begin(Some(parent), "action", "parallel", at);
        let mut ended = at;
        let mut first: Option<Failure> = None;
        for (number, branch) in branches.iter().enumerate() {
            let begin = at + self.random.between(10, 300);
            let outcome = if branch.len() > 1 {
                self.wrapper(Some(place), begin, &format!("branch_{number}"), branch)
            } else {
                self.sequence(place, begin, branch)
            };
            match outcome {
                Ok(at) => ended = ended.max(at),
                Err(failure) if first.as_ref().is_some_and(|first| first.at <= failure.at) => {}
                Err(failure) => first = Some(failure),
            }
        }
        self.burst = None;
        self.close(place, first.map_or(Ok(ended), Err))
    }

    fn leaf(&mut self, parent: usize, at: i64) -> Result<i64, Failure> {
        let number = self.leaf;
        self.leaf += 1;
        if let Some((fault, place)) = self.fault
            && place == number
        {
            return self.plant(fault, number, parent, at);
        }
        if let Some((failed_at, text)) = self.burst.clone()
            && self.random.chance(0.6)
        {
            let took = self.usual(number);
            let place = self.step(number, parent, at, took);
            let end = (at + took).max(failed_at + 1_000);
            self.spans[place].ended_at = Some(end);
            self.set_failed(place, text.clone());
            return Err(Failure::loud(end, text));
        }
        // After the fault nothing else is odd.
        let before = self.fault.is_none_or(|(_, place)| number < place);
        let at = if before && self.random.chance(self.decoys) { self.decoy(number, parent, at) } else { at };
        Ok(self.normal(number, parent, at))
    }

    /// A step that goes well.
    pub fn normal(&mut self, number: usize, parent: usize, at: i64) -> i64 {
        let took = self.usual(number);
        let place = self.step(number, parent, at, took);
        if self.random.chance(self.decoys * 0.3) {
            self.odd(place);
        }
        self.spans[place].ended_at.unwrap()
    }

    pub fn say(&mut self, texts: &[&str], tool: &str) -> String {
        let number = self.random.between(10, 300_000).to_string();
        self.random.pick(texts).replace("{tool}", tool).replace("{n}", &number)
    }

    pub fn set_failed(&mut self, place: usize, text: String) {
        let span = &mut self.spans[place];
        span.failed = true;
        span.error = Some(text);
        span.output = None;
        span.output_tokens = None;
    }

    /// How long a step takes; the same on the whole in every run.
    pub fn usual(&mut self, number: usize) -> i64 {
        let slowness = 1 + (number as i64 * 7) % 5;
        self.agent.pace * 1000 * slowness * self.random.between(80, 125) / 100
    }

    pub fn begin(&mut self, parent: Option<usize>, span_type: &str, name: &str, at: i64) -> usize {
        let id = format!("{:016x}", self.random.next());
        self.spans.push(Span {
            id,
            parent_id: parent.map(|parent| self.spans[parent].id.clone()),
            span_type: span_type.to_owned(),
            name: name.to_owned(),
            started_at: Some(at),
            ..Span::default()
        });
        self.spans.len() - 1
    }

    pub fn record(&mut self, place: usize, input: &str, output: Option<&str>) {
        self.spans[place].input = self.agent.records_input.then(|| input.to_owned());
        self.spans[place].output = output.filter(|_| self.agent.records_output).map(str::to_owned);
    }
}
