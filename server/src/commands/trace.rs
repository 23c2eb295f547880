//! `retrace trace`: a trace as the tree of its spans.

use std::collections::HashMap;
use std::fmt::Write;

use anyhow::anyhow;
use runtime::Settings;
use schemas::ids;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::door::{Door, PATIENCE};
use super::figures::{cost, duration, tokens};
use super::terminal::{Paint, Style, brief, plain, plain_json, print};
use crate::cli::TraceOptions;

/// Spans that are deeper stand where those of this depth do.
const DEEPEST: usize = 40;
/// Letters of a name, and of an error.
const LONGEST_NAME: usize = 80;
const LONGEST_ERROR: usize = 300;
/// Figures stand behind the longest name, if it is no longer.
const WIDEST: usize = 72;

#[derive(Deserialize)]
struct Trace {
    id: String,
    name: String,
    status: String,
    error: Option<String>,
    environment: Option<String>,
    started_at: String,
    total_tokens: i64,
    total_cost: Box<RawValue>,
    total_duration_ms: Option<f64>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    id: String,
    parent_id: Option<String>,
    span_type: String,
    name: String,
    model: Option<String>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cost: Option<Box<RawValue>>,
    duration_ms: Option<f64>,
    error: Option<String>,
}

pub async fn run(settings: &Settings, options: TraceOptions) -> anyhow::Result<()> {
    let id = ids::trace_id(&options.id).map_err(|fault| anyhow!("the trace id {fault}"))?;
    let text = Door::new(settings, &options.server, PATIENCE)?.text(&format!("traces/{id}"), &[]).await?;
    if options.json {
        return print(&format!("{}\n", plain_json(&text)));
    }
    print(&serde_json::from_str::<Trace>(&text)?.shown(Paint::of_stdout()))
}

fn status(paint: Paint, status: &str) -> String {
    let style = match status {
        "failed" => Style::Red,
        "completed" => Style::Green,
        _ => Style::Yellow,
    };
    paint.with(style, &plain(status))
}

impl Trace {
    fn shown(&self, paint: Paint) -> String {
        let name = if self.name.is_empty() { "(no name)".to_owned() } else { brief(&self.name, LONGEST_NAME) };
        let figures = [
            self.total_duration_ms.map(duration),
            Some(tokens(self.total_tokens)),
            Some(cost(self.total_cost.get())),
            self.environment.as_deref().map(|environment| brief(environment, LONGEST_NAME)),
        ];
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        let mut shown =
            format!("{}  {}  {}\n", paint.with(Style::Bold, &name), status(paint, &self.status), figures.join("  "));
        let _ =
            writeln!(shown, "{}", paint.with(Style::Dim, &format!("{}  {}", plain(&self.id), plain(&self.started_at))));
        if let Some(error) = &self.error {
            let _ = writeln!(shown, "{}", paint.with(Style::Red, &brief(error, LONGEST_ERROR)));
        }
        if !self.spans.is_empty() {
            shown.push('\n');
        }
        let lines: Vec<Line<'_>> = tree(&self.spans);
        let width = lines.iter().map(Line::width).max().unwrap_or(0).min(WIDEST);
        for line in &lines {
            line.show(&mut shown, paint, width);
        }
        shown
    }
}

/// A span where it stands in the tree.
struct Line<'t> {
    /// What is before it, and before what is said below it.
    branch: String,
    below: String,
    span: &'t Span,
    label: String,
}

/// Each span below the one that it is in, in the order of their starts. Those that are in one that is not here, or in each
/// other, stand for themselves.
fn tree(spans: &[Span]) -> Vec<Line<'_>> {
    let at: HashMap<&str, usize> = spans.iter().enumerate().map(|(at, span)| (span.id.as_str(), at)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut roots = Vec::new();
    for (number, span) in spans.iter().enumerate() {
        match span.parent_id.as_deref().and_then(|parent| at.get(parent)) {
            Some(parent) => children[*parent].push(number),
            None => roots.push(number),
        }
    }
    let mut lines = Vec::with_capacity(spans.len());
    let mut is_shown = vec![false; spans.len()];
    // Behind the roots come those that no root leads to.
    for root in roots.into_iter().chain(0..spans.len()) {
        let mut waiting = vec![(root, String::new(), String::new(), 0)];
        while let Some((number, branch, below, depth)) = waiting.pop() {
            if std::mem::replace(&mut is_shown[number], true) {
                continue;
            }
            let inner = &children[number];
            for (place, child) in inner.iter().enumerate().rev() {
                let is_last = place + 1 == inner.len();
                let (corner, bar) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                let under = if depth < DEEPEST { format!("{below}{bar}") } else { below.clone() };
                waiting.push((*child, format!("{below}{corner}"), under, depth + 1));
            }
            lines.push(Line { branch, below, span: &spans[number], label: spans[number].label() });
        }
    }
    lines
}

impl Span {
    fn label(&self) -> String {
        let model = self.model.as_deref().map(|model| format!(" ({})", brief(model, LONGEST_NAME)));
        format!("{} {}{}", plain(&self.span_type), brief(&self.name, LONGEST_NAME), model.unwrap_or_default())
    }

    fn tokens(&self) -> Option<i64> {
        let parts = [self.input_tokens, self.output_tokens];
        parts.iter().any(Option::is_some).then(|| parts.into_iter().flatten().sum())
    }
}

impl Line<'_> {
    fn width(&self) -> usize {
        self.branch.chars().count() + self.label.chars().count()
    }

    fn show(&self, shown: &mut String, paint: Paint, width: usize) {
        let Line { branch, below, span, label } = self;
        let gap = " ".repeat(width.saturating_sub(self.width()));
        let style = if span.error.is_some() { Style::Red } else { Style::Cyan };
        let (kind, rest) = label.split_once(' ').unwrap_or((label, ""));
        let figures = [
            span.duration_ms.map(duration),
            span.tokens().map(tokens),
            span.cost.as_ref().map(|amount| cost(amount.get())),
        ];
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        let line = format!(
            "{}{} {rest}{gap}  {}",
            paint.with(Style::Dim, branch),
            paint.with(style, kind),
            figures.join("  ")
        );
        let _ = writeln!(shown, "{}", line.trim_end());
        if let Some(error) = &span.error {
            let error = format!("error: {}", brief(error, LONGEST_ERROR));
            let _ = writeln!(shown, "{}{}", paint.with(Style::Dim, below), paint.with(Style::Red, &error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stand_below_the_one_that_they_are_in() {
        let trace = serde_json::from_str::<Trace>(
            r#"{"id":"t","name":"hello\u001b[31m","status":"failed","error":"gave up","environment":null,
                "started_at":"2026-03-10T10:00:00Z","total_tokens":1234,"total_cost":0.00125,"total_duration_ms":1500,
                "spans":[
                  {"id":"1","parent_id":null,"span_type":"action","name":"agent","model":null,"input_tokens":null,
                   "output_tokens":null,"cost":null,"duration_ms":1500,"error":null},
                  {"id":"2","parent_id":"1","span_type":"llm_call","name":"chat","model":"m","input_tokens":1000,
                   "output_tokens":234,"cost":0.00125,"duration_ms":900,"error":null},
                  {"id":"3","parent_id":"1","span_type":"tool_call","name":"search","model":null,"input_tokens":null,
                   "output_tokens":null,"cost":null,"duration_ms":5,"error":"a\nb"},
                  {"id":"4","parent_id":"2","span_type":"reasoning","name":"","model":null,"input_tokens":null,
                   "output_tokens":null,"cost":null,"duration_ms":null,"error":null},
                  {"id":"5","parent_id":"6","span_type":"action","name":"x","model":null,"input_tokens":null,
                   "output_tokens":null,"cost":null,"duration_ms":null,"error":null},
                  {"id":"6","parent_id":"5","span_type":"action","name":"y","model":null,"input_tokens":null,
                   "output_tokens":null,"cost":null,"duration_ms":null,"error":null}]}"#,
        );
        assert_eq!(
            trace.unwrap().shown(Paint::plain()),
            "\
hello\\u{1b}[31m  failed  1.50 s  1,234 tokens  $0.00125
t  2026-03-10T10:00:00Z
gave up

action agent          1.50 s
├─ llm_call chat (m)  900 ms  1,234 tokens  $0.00125
│  └─ reasoning
└─ tool_call search   5.0 ms
   error: a\\nb
action x
└─ action y
"
        );
    }
}
