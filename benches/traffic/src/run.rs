//! One run of an agent, step by step, on a clock of its own.

use serde_json::{Value, json};

use crate::cast::{Agent, Project};
use crate::domains::Tool;
use crate::failures::{Failure, Place};
use crate::incidents::Effect;
use crate::models::Model;
use crate::random::Random;
use crate::texts::{fill, object, tool_calls};
use crate::trace::Span;

const MS: f64 = 1_000.0;
/// Messages of the conversation that a call's input shows beside the instructions.
const SHOWN: usize = 4;
/// Below every length from which on a price table asks for more, also three times over.
const LONGEST_CONTEXT: f64 = 40_000.0;
const LONGEST_ANSWER: f64 = 8_000.0;
const MOST_TURNS: usize = 14;
/// How often the context is far longer, and how many turns there are then.
const A_WHOLE_DOCUMENT: f64 = 0.0015;
const MOST_TURNS_THEN: usize = 2;

/// Times of its spans are microseconds after its start, before incidents stretch them.
pub(crate) struct Run<'a> {
    pub(crate) id: String,
    pub(crate) spans: Vec<Span>,
    pub(crate) now: f64,
    pub(crate) random: Random,
    pub(crate) project: &'a Project,
    pub(crate) agent: &'a Agent,
    pub(crate) effect: &'a Effect,
    model: &'static Model,
    small: &'static Model,
    root: String,
    conversation: Vec<Value>,
    context: f64,
}

/// A failure that ends the run, or that another attempt gets over.
pub(crate) struct Trouble {
    pub(crate) failure: &'static Failure,
    pub(crate) is_final: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        id: String,
        mut random: Random,
        project: &'a Project,
        agent: &'a Agent,
        effect: &'a Effect,
    ) -> Run<'a> {
        let only = effect.model.and_then(crate::models::named);
        let context = if random.chance(A_WHOLE_DOCUMENT) {
            random.between(60_000.0, 250_000.0)
        } else {
            random.lognormal(agent.context, 0.5).min(LONGEST_CONTEXT)
        };
        let root = random.uuid().to_string();
        Run {
            id,
            root,
            context,
            project,
            agent,
            effect,
            random,
            model: only.unwrap_or(agent.model),
            small: only.unwrap_or(agent.small),
            spans: Vec::new(),
            now: 0.0,
            conversation: Vec::new(),
        }
    }

    /// From the question to the answer, or to the error that ends it.
    pub(crate) fn play(&mut self, ask: &str, trouble: Option<Trouble>) -> Result<String, String> {
        let most = if self.context > LONGEST_CONTEXT { MOST_TURNS_THEN } else { MOST_TURNS };
        let turns = (self.random.lognormal(self.agent.turns, 0.55).round() as usize).clamp(1, most);
        let troubled = self.random.below(turns);
        let root = self.span(self.root.clone(), None, "action", self.agent.name.clone());
        self.spans[root].input = json!({"task": ask});
        self.spans[root].agent_id = Some(self.agent.name.clone());
        self.spans[root].agent_role = Some("lead");
        // Nobody asks the very same thing twice.
        let case = self.id.get(..8).unwrap_or_default();
        self.conversation = vec![message("user", &format!("{ask} (case {case})"))];
        self.pass(1.0, 0.5);
        let mut outcome = Ok(String::new());
        for turn in 0..turns {
            let here = trouble.as_ref().filter(|_| turn == troubled);
            let last = turn + 1 == turns;
            outcome = match here.filter(|trouble| trouble.is_final || trouble.failure.place == Place::Model) {
                Some(trouble) => self.troubled(trouble, last),
                None => Ok(self.turn(last)),
            };
            if outcome.is_err() {
                break;
            }
        }
        self.end(root);
        match &outcome {
            Ok(answer) => self.spans[root].output = json!(answer),
            Err(error) => self.spans[root].error = Some(error.clone()),
        }
        outcome
    }

    /// A call of the model, and either what it asks for or the answer.
    fn turn(&mut self, last: bool) -> String {
        if self.random.chance(0.15) {
            self.think();
        }
        if last {
            let answer = self.said(self.agent.domain.answers);
            let call = self.call(self.model, self.root.clone(), answer.clone());
            self.end(call);
            return answer;
        }
        if self.random.chance(0.12) {
            self.delegate();
        }
        let count = 1 + usize::from(self.random.chance(0.3)) + usize::from(self.random.chance(0.12));
        self.use_tools(count, None);
        String::new()
    }

    /// The failure, tried again where that may help; then the turn after all, unless this was the end.
    fn troubled(&mut self, trouble: &Trouble, last: bool) -> Result<String, String> {
        let failure = trouble.failure;
        let error = failure.text(self.model, &mut self.random);
        if failure.place == Place::Tool {
            self.use_tools(1, Some((failure, &error)));
            return Err(error);
        }
        let attempts = match (failure.passing, trouble.is_final) {
            (true, true) => 1 + self.random.below(3),
            (true, false) => 1 + usize::from(self.random.chance(0.2)),
            (false, _) => 1,
        };
        for attempt in 0..attempts {
            self.fail(failure, error.clone());
            if attempt + 1 < attempts || !trouble.is_final {
                self.pass(500.0 * f64::from(1 << attempt), 0.2);
            }
        }
        if trouble.is_final {
            let span = self.span_of("error", "unhandled error");
            self.spans[span].error = Some(error.clone());
            self.end(span);
            return Err(error);
        }
        Ok(self.turn(last))
    }

    fn fail(&mut self, failure: &Failure, error: String) {
        let started = self.now;
        let call = self.call(self.model, self.root.clone(), String::new());
        if let Some(ms) = failure.after_ms {
            self.now = started + self.random.lognormal(ms, 0.1) * MS;
        }
        let span = &mut self.spans[call];
        span.error = Some(error);
        span.output = Value::Null;
        if !failure.paid {
            (span.input_tokens, span.output_tokens) = (None, None);
        }
        self.end(call);
    }

    fn think(&mut self) {
        let thought = self.said(self.agent.domain.thoughts);
        let span = self.span_of("reasoning", "plan");
        self.spans[span].output = json!(thought);
        self.pass(40.0, 0.8);
        self.end(span);
    }

    /// A helper with a model and a tool of its own does a part.
    fn delegate(&mut self) {
        let helper = self.agent.domain.helper;
        let span = self.span_of("action", helper);
        self.spans[span].agent_id = Some(helper.to_owned());
        self.spans[span].parent_agent_id = Some(self.agent.name.clone());
        self.spans[span].agent_role = Some("helper");
        let parent = self.spans[span].id.clone();
        if let Some((tool, arguments)) = self.wanted() {
            let call = self.call(self.small, parent, tool_calls(&[(tool, arguments.clone())]));
            self.end(call);
            let parent = self.spans[call].id.clone();
            self.tool(tool, arguments, parent, None);
        }
        let answer = self.said(self.agent.domain.answers);
        let parent = self.spans[span].id.clone();
        let call = self.call(self.small, parent, answer.clone());
        self.end(call);
        self.spans[span].output = json!(answer);
        self.end(span);
    }

    /// The model asks for tools, which run beside each other; the slowest is waited for.
    fn use_tools(&mut self, count: usize, failing: Option<(&Failure, &str)>) {
        let calls: Vec<(&Tool, Value)> = (0..count).filter_map(|_| self.wanted()).collect();
        let asked = tool_calls(&calls);
        let call = self.call(self.model, self.root.clone(), asked.clone());
        self.end(call);
        self.conversation.push(message("assistant", &asked));
        let began = self.now;
        let mut ended = began;
        for (tool, arguments) in calls {
            self.now = began;
            self.pass(2.0, 0.5);
            let parent = self.spans[call].id.clone();
            self.tool(tool, arguments, parent, failing);
            ended = ended.max(self.now);
        }
        self.now = ended;
        self.context = (self.context + 250.0).min(LONGEST_CONTEXT.max(self.context));
    }

    fn wanted(&mut self) -> Option<(&'static Tool, Value)> {
        let tool = self.random.pick(self.agent.domain.tools)?;
        Some((tool, object(tool.arguments, &mut self.random)))
    }

    fn tool(&mut self, tool: &Tool, arguments: Value, parent: String, failing: Option<(&Failure, &str)>) {
        let id = self.random.uuid().to_string();
        let span = self.span(id, Some(parent.clone()), "tool_call", tool.name.to_owned());
        self.spans[span].input = arguments;
        let ms = failing.and_then(|(failure, _)| failure.after_ms).unwrap_or(tool.ms);
        let tail = self.tail();
        self.pass(ms * tail, 0.7);
        if let Some((_, error)) = failing {
            self.spans[span].error = Some(error.to_owned());
            self.end(span);
            return;
        }
        let result = object(tool.result, &mut self.random);
        self.conversation.push(message("tool", &result.to_string()));
        self.spans[span].output = result.clone();
        self.end(span);
        if self.agent.tool_results {
            let id = self.random.uuid().to_string();
            let span = self.span(id, Some(parent), "tool_result", tool.name.to_owned());
            self.spans[span].output = result;
            self.end(span);
        }
    }

    /// A call of a model with the conversation so far; it is to be ended by whoever made it.
    fn call(&mut self, model: &'static Model, parent: String, output: String) -> usize {
        let id = self.random.uuid().to_string();
        let span = self.span(id, Some(parent), "llm_call", model.vendor.span_name().to_owned());
        let long_answer = if self.random.chance(0.01) { 8.0 } else { 1.0 };
        let answer = (self.random.lognormal(self.agent.answer, 0.6) * long_answer).clamp(3.0, LONGEST_ANSWER).round();
        let context = (self.context * self.random.between(0.97, 1.03)).round();
        let shown = self.conversation.len().saturating_sub(SHOWN);
        let mut messages = vec![message("system", self.agent.domain.instructions)];
        messages.extend_from_slice(&self.conversation[shown..]);
        let call = &mut self.spans[span];
        call.model = Some(model.name);
        call.input = json!({"messages": messages});
        call.output = json!(output);
        call.input_tokens = Some((context * self.effect.tokens).round() as u64);
        call.output_tokens = Some((answer * self.effect.tokens).round() as u64);
        call.metadata = json!({"temperature": 0.2});
        let tail = self.tail();
        self.pass((model.first_ms + answer * model.token_ms) * tail, 0.3);
        span
    }

    /// Mostly 1; now and then something hangs.
    fn tail(&mut self) -> f64 {
        if self.random.chance(0.015) { self.random.between(3.0, 12.0) } else { 1.0 }
    }

    fn said(&mut self, templates: &[&str]) -> String {
        let template = self.random.pick(templates).copied().unwrap_or_default();
        fill(template, &mut self.random)
    }

    fn pass(&mut self, median_ms: f64, deviation: f64) {
        self.now += self.random.lognormal(median_ms, deviation) * MS;
    }

    fn span_of(&mut self, span_type: &'static str, name: &str) -> usize {
        let id = self.random.uuid().to_string();
        self.span(id, Some(self.root.clone()), span_type, name.to_owned())
    }

    fn span(&mut self, id: String, parent_id: Option<String>, span_type: &'static str, name: String) -> usize {
        self.spans.push(Span {
            id,
            trace_id: self.id.clone(),
            parent_id,
            span_type,
            name,
            started_at: self.now as i64,
            ended_at: None,
            duration_ms: None,
            model: None,
            input: Value::Null,
            output: Value::Null,
            error: None,
            input_tokens: None,
            output_tokens: None,
            metadata: Value::Null,
            agent_id: None,
            parent_agent_id: None,
            agent_role: None,
        });
        self.spans.len() - 1
    }

    fn end(&mut self, span: usize) {
        self.spans[span].ended_at = Some(self.now as i64);
    }
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}
