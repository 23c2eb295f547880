//! How each fault shows.

use retrace_insights::root_cause::Kind;

use super::faults::Fault;
use super::plan::What;
use super::wordings;
use super::world::{Failure, World};

impl World<'_> {
    /// Does what happens at a leaf with a fault.
    pub(super) fn plant(&mut self, fault: Fault, number: usize, parent: usize, at: i64) -> Result<i64, Failure> {
        match fault {
            Fault::SlowPart => self.slow_part(number, parent, at),
            Fault::BadArguments => self.bad_arguments(number, parent, at),
            Fault::EmptyOutput => self.useless_output(number, parent, at, true),
            Fault::MalformedOutput => self.useless_output(number, parent, at, false),
            Fault::Loop => self.looping(number, parent, at),
            Fault::Killed | Fault::Hang => self.never_ending(fault, number, parent, at),
            Fault::MissingStep => {
                self.cause = self.last_model;
                self.failed = self.cause;
                self.verdict = self.verdict_of(wordings::REJECTED);
                Ok(at)
            }
            Fault::UnexpectedStep => {
                let place = self.begin(Some(parent), "tool_call", "delete_all", at);
                let took = self.usual(number);
                self.spans[place].ended_at = Some(at + took);
                self.record(place, "{\"sure\": true}", Some("{\"done\": true}"));
                (self.cause, self.failed) = (Some(place), Some(place));
                self.verdict = self.verdict_of(wordings::REJECTED);
                Ok(at + took)
            }
            Fault::OnlyOnTrace => self.only_on_trace(number, parent, at),
            _ => self.failing(fault, number, parent, at),
        }
    }

    fn verdict_of(&mut self, texts: &[&str]) -> Option<String> {
        if self.random.chance(0.3) { None } else { Some(self.say(texts, "")) }
    }

    fn texts(&self, fault: Fault, number: usize) -> &'static [&'static str] {
        let (of_model, of_tool) = (self.says.of_model, self.says.of_tool);
        match fault {
            Fault::RetriesExhausted => wordings::OBSCURE,
            Fault::Cancelled => self.says.cancelled,
            _ if self.leaves[number].what == What::Model && !of_model(fault.kind()).is_empty() => {
                of_model(fault.kind())
            }
            _ => of_tool(fault.kind()),
        }
    }

    fn tool(&self, number: usize) -> String {
        match &self.leaves[number].what {
            What::Tool(name) => name.clone(),
            _ => String::new(),
        }
    }

    /// The step itself fails, once or on every attempt, alone or with those beside it.
    fn failing(&mut self, fault: Fault, number: usize, parent: usize, mut at: i64) -> Result<i64, Failure> {
        let texts = self.texts(fault, number);
        let attempts = match fault {
            Fault::RetriesExhausted => 3 + self.random.below(3),
            _ if fault.is_transient() && self.random.chance(0.5) => 2 + self.random.below(3),
            _ => 1,
        };
        let mut backoff = if self.random.chance(0.5) { 2_000 } else { 1_000_000 };
        let tool = self.tool(number);
        let text = self.say(texts, &tool);
        let mut last = text.clone();
        for attempt in 0..attempts {
            let took = match fault {
                Fault::Timeout => self.usual(number) * 4,
                _ => self.usual(number) / 2,
            };
            let place = self.step(number, parent, at, took);
            if fault == Fault::ContextOverflow {
                self.spans[place].input_tokens = Some(self.random.between(130_000, 1_200_000));
            }
            if attempt > 0 && self.random.chance(0.3) {
                last = self.say(texts, &tool);
            }
            self.set_failed(place, last.clone());
            if attempt == 0 {
                (self.cause, self.failed) = (Some(place), Some(place));
            }
            at = self.spans[place].ended_at.unwrap();
            if attempt + 1 < attempts {
                at += backoff;
                backoff *= 2;
            }
        }
        if fault == Fault::RateLimit && self.leaves[number].parallel {
            self.burst = Some((at, last.clone()));
        }
        Err(Failure::loud(at, last))
    }

    /// What it is in runs out of time.
    fn slow_part(&mut self, number: usize, parent: usize, at: i64) -> Result<i64, Failure> {
        let took = self.usual(number) * self.random.between(15, 60) + 20_000_000;
        let place = self.step(number, parent, at, took);
        let end = at + took;
        match self.random.below(3) {
            0 => {
                let text = self.say(self.says.cancelled, "");
                self.set_failed(place, text);
            }
            1 => {
                self.spans[place].ended_at = None;
                self.spans[place].output = None;
            }
            // It comes to an end, and the next step is cut short.
            _ => {
                let next = self.begin(Some(parent), "tool_call", "save_result", end + 100);
                self.spans[next].ended_at = Some(end + 5_000);
                let text = self.say(self.says.cancelled, "");
                self.set_failed(next, text);
            }
        }
        self.cause = Some(place);
        let text = self.say(self.says.deadline, "");
        Err(Failure { by_wrapper: true, ..Failure::loud(end + 6_000, text) })
    }

    fn bad_arguments(&mut self, number: usize, parent: usize, at: i64) -> Result<i64, Failure> {
        let took = self.usual(number) / 10;
        let place = self.step(number, parent, at, took);
        let tool = self.tool(number);
        let text = if self.random.chance(0.25) {
            self.spans[place].input = Some("{\"q\": \"unfinished".to_owned());
            self.say(wordings::UNREADABLE, "")
        } else {
            self.say((self.says.of_tool)(Kind::BadArguments), &tool)
        };
        self.set_failed(place, text.clone());
        (self.cause, self.failed) = (self.last_model, Some(place));
        Err(Failure::loud(at + took, text))
    }

    /// The model's last output is empty or of no form; what comes after says so, or nobody does.
    fn useless_output(&mut self, number: usize, parent: usize, at: i64, empty: bool) -> Result<i64, Failure> {
        let took = self.usual(number);
        let place = self.step(number, parent, at, took);
        let mut at = at + took;
        (self.cause, self.failed) = (Some(place), Some(place));
        const NOTHING: [&str; 5] = [
            "",
            "\"\"",
            "{\"role\": \"assistant\", \"content\": \"\"}",
            "null",
            "{\"content\": [], \"stop_reason\": \"end_turn\"}",
        ];
        let output = if empty {
            self.random.pick(&NOTHING)
        } else {
            self.random.pick(&["Sure! Here is the JSON:", "{\"a\": [1, 2"])
        };
        self.record(place, "[{\"role\": \"user\", \"content\": \"answer\"}]", Some(output));
        if empty {
            self.spans[place].output_tokens = Some(0);
        }
        let texts = if empty { self.says.empty } else { self.says.malformed };
        let text = self.say(texts, "");
        if self.leaves.len() > number + 1 || self.random.chance(0.4) {
            let took = 20_000;
            let parser = self.begin(Some(parent), "action", "parse_answer", at + 50);
            self.spans[parser].ended_at = Some(at + took);
            self.record(parser, output, None);
            self.set_failed(parser, text.clone());
            self.failed = Some(parser);
            at += took;
            return Err(Failure::loud(at, text));
        }
        if empty {
            self.verdict = if self.random.chance(0.5) { Some(text) } else { self.verdict_of(wordings::GENERIC) };
        } else {
            self.verdict = Some(text);
        }
        Err(Failure { quiet: true, ..Failure::loud(at, String::new()) })
    }

    fn looping(&mut self, number: usize, parent: usize, mut at: i64) -> Result<i64, Failure> {
        let tool = self.tool(number);
        let rounds = 5 + self.random.below(12);
        let same = self.random.chance(0.8);
        for round in 0..rounds {
            if round > 0 {
                let took = self.usual(number);
                let model = self.step(number - 1, parent, at, took);
                self.spans[model].input =
                    self.spans[model].input.as_ref().map(|_| format!("[\"turn {number}.{round}\"]"));
                at += took + 300;
            }
            let took = self.usual(number);
            let place = self.step(number, parent, at, took);
            if !same {
                self.record(place, &format!("{{\"q\": \"try {round}\"}}"), Some("[]"));
            }
            if round == 0 {
                self.cause = Some(place);
            }
            at += took + 400;
        }
        let quiet = same && self.agent.records_input && self.random.chance(0.3);
        let text = self.say(self.says.looping, &tool);
        self.verdict = if quiet { self.verdict_of(wordings::GENERIC) } else { Some(text.clone()) };
        if self.random.chance(0.5) || quiet {
            return Err(Failure { quiet: true, ..Failure::loud(at, String::new()) });
        }
        Err(Failure { by_wrapper: true, ..Failure::loud(at, text) })
    }

    fn never_ending(&mut self, fault: Fault, number: usize, parent: usize, at: i64) -> Result<i64, Failure> {
        let took = if fault == Fault::Hang { 600_000_000 } else { self.usual(number) * 6 };
        let place = self.step(number, parent, at, took + 1_000_000);
        (self.cause, self.failed) = (Some(place), Some(place));
        self.verdict = if fault == Fault::Killed {
            Some(self.say(self.says.killed, ""))
        } else {
            self.verdict_of(&["Run ended without a result", "no heartbeat from the worker"])
        };
        Err(Failure { abort: true, ..Failure::loud(at + took, String::new()) })
    }

    /// No span says that it failed.
    fn only_on_trace(&mut self, number: usize, parent: usize, at: i64) -> Result<i64, Failure> {
        let took = self.usual(number) / 2;
        let place = self.step(number, parent, at, took);
        self.spans[place].output = None;
        self.spans[place].output_tokens = None;
        if self.random.chance(0.3) {
            self.spans[place].ended_at = None;
        }
        (self.cause, self.failed) = (Some(place), Some(place));
        let tool = self.tool(number);
        let model = self.leaves[number].what == What::Model;
        let kinds: &[Kind] = if model {
            &[Kind::RateLimit, Kind::ContextOverflow, Kind::ProviderError, Kind::ContentFiltered]
        } else {
            &[Kind::ToolError, Kind::DependencyError]
        };
        self.kind = kinds[self.random.below(kinds.len())];
        let text =
            self.say(if model { (self.says.of_model)(self.kind) } else { (self.says.of_tool)(self.kind) }, &tool);
        self.verdict = Some(if self.random.chance(0.4) && !model { format!("{tool}: {text}") } else { text });
        Err(Failure { quiet: true, ..Failure::loud(at + took, String::new()) })
    }
}
