//! What a history is, and how one is drawn.

use std::fmt;

use schemas::events::PlanChanged;
use serde_json::Value;

use super::bodies::body;
use super::commands::{Command, Noun};
use super::plans;
use crate::harness::Random;

/// Two users of one tenant, and one of another.
pub const USERS: [(usize, &str); 3] = [(0, "ann"), (0, "bob"), (1, "ann")];
pub const TENANTS: usize = 2;
/// Both tenants use the same ids.
pub const TRACES: usize = 2;

/// Requests, one after the other; those of one step at the same time.
#[derive(Clone, Debug, Default)]
pub struct History(pub Vec<Vec<Request>>);

#[derive(Clone, Debug)]
pub struct Request {
    pub user: usize,
    pub trace: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Post(Value),
    Patch(Value),
    Delete,
    Golden(bool),
    Feedback(i8, Option<String>),
    /// A price table of the tenant, with this price.
    Prices(u8),
    /// A price table of the tenant, with this price, and all its traces priced by it.
    Reprice(u8),
    /// What is said of the tenant's plan.
    Plan(PlanChanged),
    /// A read that waits for the trace's last write.
    Look,
    /// A model is asked why it failed, whether it was before or not.
    RootCause(bool),
    /// On the workspace.
    Command(Command),
    /// The user's current API key is made anew, or taken away.
    CurrentKey(bool),
}

/// What a history's commands on the workspace are about: of few nouns they come to meet each other.
struct Topic {
    nouns: Vec<Noun>,
    /// Of a hundred requests.
    share: usize,
}

impl What {
    /// Afterwards the trace exists, unless it is deleted.
    pub fn writes(&self) -> bool {
        matches!(self, What::Post(_) | What::Patch(_))
    }
}

impl History {
    pub fn draw(random: &mut Random) -> History {
        let topic = Topic::draw(random);
        let mut history = History::default();
        let steps = random.between(3, 12);
        if random.percent(60) {
            history.begin(&topic, random);
        }
        while history.0.len() < steps {
            let mut step = vec![history.request(&topic, random)];
            if random.percent(20) {
                // Another writer, as a rule of the same trace.
                let mut second = history.request(&topic, random);
                if random.percent(70) && second.trace_of_command().is_none() {
                    second.trace = step[0].trace;
                }
                if !step[0].ends_key_of(&second) && !second.ends_key_of(&step[0]) {
                    step.push(second);
                }
            }
            history.0.push(step);
        }
        history
    }

    /// With what most commands need, so that they are not all refused.
    fn begin(&mut self, topic: &Topic, random: &mut Random) {
        let first = topic.nouns[0].first();
        let user = if random.percent(70) { 0 } else { 2 };
        let trace = first.trace().unwrap_or(0);
        if topic.nouns[0].is_about_traces() {
            self.0.push(vec![Request { user, trace, what: What::Post(body(random)) }]);
        }
        self.0.push(vec![Request { user, trace, what: What::Command(first) }]);
    }

    pub fn requests(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn request(&self, topic: &Topic, random: &mut Random) -> Request {
        let earlier: Vec<&Request> = self.0.iter().flatten().collect();
        if !earlier.is_empty() && random.percent(12) {
            // Sent again: by a client that saw no answer, or from a backlog.
            return (*random.pick(&earlier)).clone();
        }
        let user = *random.pick(&[0, 0, 1, 2, 2]);
        if random.percent(topic.share) {
            if topic.nouns.contains(&Noun::ApiKeys) && random.percent(15) {
                return Request { user, trace: 0, what: What::CurrentKey(random.percent(70)) };
            }
            let command = random.pick(&topic.nouns).command(random);
            let trace = command.trace().unwrap_or(0);
            return Request { user: *random.pick(&[0, 0, 0, 1, 1, 2]), trace, what: What::Command(command) };
        }
        let what = match random.below(100) {
            0..57 => What::Post(body(random)),
            57..60 => What::Plan(plans::draw(random)),
            60..72 => What::Patch(body(random)),
            72..79 => What::Delete,
            79..85 => What::Golden(random.percent(60)),
            85..93 => {
                let note = random.percent(50).then(|| format!("note {}", random.below(9)));
                What::Feedback(if random.percent(50) { 1 } else { -1 }, note)
            }
            93 => What::Prices(random.between(1, 9) as u8),
            94 | 95 => What::Reprice(random.between(1, 9) as u8),
            96 | 97 => What::RootCause(random.percent(50)),
            _ => What::Look,
        };
        Request { user, trace: random.below(TRACES), what }
    }
}

impl Topic {
    /// Most requests are about traces; in a fifth of the histories half are not.
    fn draw(random: &mut Random) -> Topic {
        let nouns = (0..random.between(1, 2)).map(|_| Noun::draw(random)).collect();
        Topic { nouns, share: if random.percent(20) { 50 } else { 17 } }
    }
}

impl Request {
    /// A command that is refused since its key ends meanwhile is refused for good under its Idempotency-Key.
    fn ends_key_of(&self, other: &Request) -> bool {
        let is_kept = matches!(other.what, What::Command(_));
        matches!(self.what, What::CurrentKey(_)) && is_kept && self.user == other.user
    }

    fn trace_of_command(&self) -> Option<usize> {
        if let What::Command(command) = &self.what { command.trace() } else { None }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            for Request { user, trace, what } in step {
                let (tenant, name) = USERS[*user];
                writeln!(f, "{at:>3}  {name} of tenant {tenant}, trace {trace}: {what:?}")?;
            }
        }
        Ok(())
    }
}
