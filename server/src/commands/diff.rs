//! `retrace diff`: what differs between two traces.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::anyhow;
use runtime::Settings;
use schemas::ids;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::door::{Door, PATIENCE};
use super::figures::{cost, duration, signed, tokens};
use super::terminal::{Paint, Style, brief, plain, plain_json, print};
use crate::cli::DiffOptions;

/// Steps of a page.
const PAGE: usize = 200;
/// Letters of a value, and of words that stay beside such that do not.
const LONGEST_VALUE: usize = 160;
const LONGEST_EQUAL: usize = 40;

#[derive(Deserialize)]
struct Diff {
    a: String,
    b: String,
    first_divergence: Option<Divergence>,
    steps: Vec<Step>,
    summary: Summary,
    left_out: u64,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Divergence {
    index: u64,
    span_id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Step {
    index: u64,
    status: String,
    differs: Vec<String>,
    moved: bool,
    repeated: bool,
    original: Option<Span>,
    forked: Option<Span>,
    changes: Vec<Change>,
    changes_left_out: u64,
    cost_delta: Option<Box<RawValue>>,
    tokens_delta: Option<i64>,
    duration_delta_ms: Option<f64>,
}

#[derive(Deserialize)]
struct Span {
    span_type: String,
    name: String,
}

#[derive(Deserialize)]
struct Change {
    path: String,
    from: Option<Box<RawValue>>,
    to: Option<Box<RawValue>>,
    words: Option<Vec<Words>>,
}

#[derive(Deserialize)]
struct Words {
    op: String,
    text: String,
}

#[derive(Deserialize)]
struct Summary {
    cost_delta: Box<RawValue>,
    tokens_delta: i64,
    duration_delta_ms: Option<f64>,
    same: u64,
    changed: u64,
    added: u64,
    removed: u64,
    moved: u64,
}

pub async fn run(settings: &Settings, options: DiffOptions) -> anyhow::Result<()> {
    let [a, b] = [(&options.a, "first"), (&options.b, "second")]
        .map(|(id, which)| ids::trace_id(id).map_err(|fault| anyhow!("the {which} trace id {fault}")));
    let show = if options.all { "all" } else { "differing" };
    let path = format!("traces/diff?a={}&b={}&show={show}&limit={PAGE}", a?, b?);
    let pages = pages(&Door::new(settings, &options.server, PATIENCE)?, &path).await?;
    if options.json {
        return print(&format!("{}\n", plain_json(&in_one(&pages)?)));
    }
    let paint = Paint::of_stdout();
    let mut shown = String::new();
    for page in &pages {
        let diff: Diff = serde_json::from_str(page)?;
        if shown.is_empty() {
            shown = diff.head(paint);
        }
        shown.extend(diff.steps.iter().map(|step| step.shown(paint)));
    }
    print(&shown)
}

async fn pages(door: &Door, path: &str) -> anyhow::Result<Vec<String>> {
    let mut pages = Vec::new();
    let mut asked = path.to_owned();
    loop {
        let page = door.text(&asked, &[]).await?;
        let next = serde_json::from_str::<Diff>(&page)?.next_cursor;
        pages.push(page);
        let Some(cursor) = next else { return Ok(pages) };
        asked = format!("{path}&cursor={cursor}");
    }
}

/// The first page with the steps of all.
fn in_one(pages: &[String]) -> anyhow::Result<String> {
    type Fields = BTreeMap<String, Box<RawValue>>;
    let mut steps: Vec<Box<RawValue>> = Vec::new();
    let mut whole = Fields::new();
    for page in pages.iter().rev() {
        whole = serde_json::from_str(page)?;
        let of_page = whole.get("steps").map(|steps| serde_json::from_str::<Vec<Box<RawValue>>>(steps.get()));
        steps.splice(..0, of_page.transpose()?.unwrap_or_default());
    }
    whole.insert("steps".to_owned(), to_raw_value(&steps)?);
    whole.insert("limit".to_owned(), to_raw_value(&steps.len())?);
    whole.insert("next_cursor".to_owned(), RawValue::NULL.to_owned());
    Ok(serde_json::to_string(&whole)?)
}

impl Diff {
    fn head(&self, paint: Paint) -> String {
        let Summary { same, changed, added, removed, moved, .. } = self.summary;
        let figures = [
            Some(signed(cost(self.summary.cost_delta.get()))),
            Some(signed(tokens(self.summary.tokens_delta))),
            self.summary.duration_delta_ms.map(|ms| signed(duration(ms))),
        ];
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        let mut head = format!(
            "{}\n{}\n\n{changed} changed, {added} added, {removed} removed, {moved} moved, {same} the same; {}\n",
            paint.with(Style::Red, &format!("- {}", plain(&self.a))),
            paint.with(Style::Green, &format!("+ {}", plain(&self.b))),
            figures.join(", "),
        );
        let parted = match &self.first_divergence {
            None => "They do not diverge.".to_owned(),
            Some(Divergence { index, span_id, reason }) => format!(
                "They diverge first at step {index}: {}, span {}.",
                plain(&reason.replace('_', " ")),
                plain(span_id)
            ),
        };
        let _ = writeln!(head, "{}", paint.with(Style::Bold, &parted));
        if self.left_out > 0 {
            let _ = writeln!(head, "{} spans are beyond what is compared.", self.left_out);
        }
        if !self.steps.is_empty() {
            head.push('\n');
        }
        head
    }
}

impl Step {
    fn shown(&self, paint: Paint) -> String {
        let (sign, style) = match self.status.as_str() {
            "added" => ("+", Style::Green),
            "removed" => ("-", Style::Red),
            "changed" => ("~", Style::Yellow),
            _ if self.moved => (">", Style::Yellow),
            _ => (" ", Style::Dim),
        };
        let name = |span: &Option<Span>| {
            span.as_ref().map(|span| format!("{} {}", plain(&span.span_type), brief(&span.name, LONGEST_VALUE)))
        };
        let what = name(&self.forked).or_else(|| name(&self.original)).unwrap_or_default();
        let told = [
            (!self.differs.is_empty()).then(|| self.differs.join(", ")),
            self.moved.then(|| "moved".to_owned()),
            self.repeated.then(|| "a round of a loop".to_owned()),
        ];
        let told: Vec<String> = told.into_iter().flatten().collect();
        let figures = [
            self.duration_delta_ms.filter(|ms| *ms != 0.0).map(|ms| signed(duration(ms))),
            self.tokens_delta.filter(|count| *count != 0).map(|count| signed(tokens(count))),
            self.cost_delta.as_ref().filter(|amount| amount.get() != "0").map(|amount| signed(cost(amount.get()))),
        ];
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        let head = paint.with(style, &format!("{sign} {:>4}  {what}", self.index));
        let line = format!("{head}  {}  {}", paint.with(Style::Dim, &plain(&told.join("; "))), figures.join("  "));
        let mut shown = format!("{}\n", line.trim_end());
        for change in &self.changes {
            let _ = writeln!(shown, "        {}: {}", brief(&change.path, LONGEST_VALUE), change.shown(paint));
        }
        if self.changes_left_out > 0 {
            let _ = writeln!(shown, "        and {} more", self.changes_left_out);
        }
        shown
    }
}

impl Change {
    fn shown(&self, paint: Paint) -> String {
        if let Some(words) = &self.words {
            return words.iter().map(|row| row.shown(paint)).collect();
        }
        let value = |value: &Option<Box<RawValue>>| value.as_ref().map(|json| brief(json.get(), LONGEST_VALUE));
        match (value(&self.from), value(&self.to)) {
            (Some(from), Some(to)) => format!("{} → {}", paint.with(Style::Red, &from), paint.with(Style::Green, &to)),
            (Some(from), None) => paint.with(Style::Red, &format!("- {from}")),
            (None, to) => paint.with(Style::Green, &format!("+ {}", to.unwrap_or_default())),
        }
    }
}

impl Words {
    fn shown(&self, paint: Paint) -> String {
        match self.op.as_str() {
            "delete" if paint.is_coloured() => paint.with(Style::Red, &brief(&self.text, LONGEST_VALUE)),
            "insert" if paint.is_coloured() => paint.with(Style::Green, &brief(&self.text, LONGEST_VALUE)),
            "delete" => format!("[-{}-]", brief(&self.text, LONGEST_VALUE)),
            "insert" => format!("{{+{}+}}", brief(&self.text, LONGEST_VALUE)),
            _ => between(&self.text),
        }
    }
}

/// Both ends of what stays.
fn between(text: &str) -> String {
    let letters = text.chars().count();
    if letters <= 2 * LONGEST_EQUAL {
        return plain(text);
    }
    let start: String = text.chars().take(LONGEST_EQUAL).collect();
    let end: String = text.chars().skip(letters - LONGEST_EQUAL).collect();
    format!("{}…{}", plain(&start), plain(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [&str; 2] = [
        r#"{"a":"1","b":"2","first_divergence":{"index":3,"span_id":"s","reason":"input_changed"},"left_out":0,"limit":1,
            "total":2,"next_cursor":"c","summary":{"cost_delta":0.0000125,"tokens_delta":-20,"duration_delta_ms":1500,"same":4,
            "changed":1,"added":1,"removed":0,"moved":0},"steps":[{"index":3,"status":"changed","differs":["input","model"],
            "moved":false,"repeated":false,"original":{"span_type":"llm_call","name":"chat"},
            "forked":{"span_type":"llm_call","name":"chat"},"cost_delta":0,"tokens_delta":-20,"duration_delta_ms":null,
            "changes_left_out":2,"changes":[
            {"path":"model","op":"changed","from":"a","to":"b","is_cut":false,"words":null},
            {"path":"input.q","op":"changed","from":"x y","to":"x z","is_cut":false,"words":[{"op":"equal","text":"x "},
            {"op":"delete","text":"y"},{"op":"insert","text":"z\u001b"}]},
            {"path":"input.n","op":"added","from":null,"to":1.50,"is_cut":false,"words":null}]}]}"#,
        r#"{"a":"1","b":"2","first_divergence":null,"left_out":0,"limit":1,"total":2,"next_cursor":null,"summary":{
            "cost_delta":0.0000125,"tokens_delta":-20,"duration_delta_ms":1500,"same":4,"changed":1,"added":1,"removed":0,
            "moved":0},"steps":[{"index":5,"status":"added","differs":[],"moved":false,"repeated":true,"original":null,
            "forked":{"span_type":"tool_call","name":"search"},"cost_delta":null,"tokens_delta":null,"duration_delta_ms":5,
            "changes_left_out":0,"changes":[]}]}"#,
    ];

    #[test]
    fn what_differs_is_told_in_lines() {
        let pages = PAGES.map(|page| serde_json::from_str::<Diff>(page).unwrap());
        let paint = Paint::plain();
        let steps: String = pages.iter().flat_map(|page| &page.steps).map(|step| step.shown(paint)).collect();
        assert_eq!(
            pages[0].head(paint) + &steps,
            "\
- 1
+ 2

1 changed, 1 added, 0 removed, 0 moved, 4 the same; +$0.0000125, -20 tokens, +1.50 s
They diverge first at step 3: input changed, span s.

~    3  llm_call chat  input, model  -20 tokens
        model: \"a\" → \"b\"
        input.q: x [-y-]{+z\\u{1b}+}
        input.n: + 1.50
        and 2 more
+    5  tool_call search  a round of a loop  +5.0 ms
"
        );
    }

    #[test]
    fn pages_become_one_with_every_figure_as_it_was_sent() {
        let whole = in_one(&PAGES.map(str::to_owned)).unwrap();
        assert!(whole.contains("\"to\":1.50") && whole.contains("\"cost_delta\":0.0000125"), "{whole}");
        let diff: Diff = serde_json::from_str(&whole).unwrap();
        assert_eq!(diff.steps.iter().map(|step| step.index).collect::<Vec<_>>(), [3, 5]);
        assert!(diff.first_divergence.is_some() && diff.next_cursor.is_none());
    }
}
