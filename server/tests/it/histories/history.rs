//! What a history is, and how one is drawn.

use std::fmt;

use serde_json::Value;

use super::bodies::body;
use super::commands::Command;
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
    /// A read that waits for the trace's last write.
    Look,
    /// A model is asked why it failed, whether it was before or not.
    RootCause(bool),
    /// On the workspace.
    Command(Command),
}

impl What {
    /// Afterwards the trace exists, unless it is deleted.
    pub fn writes(&self) -> bool {
        matches!(self, What::Post(_) | What::Patch(_))
    }
}

impl History {
    pub fn draw(random: &mut Random) -> History {
        let mut history = History::default();
        for _ in 0..random.between(3, 12) {
            let mut step = vec![history.request(random)];
            if random.percent(20) {
                // Another writer, as a rule of the same trace.
                let mut second = history.request(random);
                if random.percent(70) {
                    second.trace = step[0].trace;
                }
                step.push(second);
            }
            history.0.push(step);
        }
        history
    }

    pub fn requests(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn request(&self, random: &mut Random) -> Request {
        let earlier: Vec<&Request> = self.0.iter().flatten().collect();
        if !earlier.is_empty() && random.percent(12) {
            // Sent again: by a client that saw no answer, or from a backlog.
            return (*random.pick(&earlier)).clone();
        }
        let what = match random.below(120) {
            0..60 => What::Post(body(random)),
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
            98 | 99 => What::Look,
            _ => What::Command(Command::draw(random)),
        };
        Request { user: *random.pick(&[0, 0, 1, 2, 2]), trace: random.below(TRACES), what }
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
