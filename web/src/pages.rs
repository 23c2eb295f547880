//! The pages, rendered.

use askama::Template;

use crate::{
    Error, assets, headers, oembed, outline,
    tape::{Contents, SPAN_TYPES, Step, Tape},
    text::{cut, visible},
    words,
};

const LONGEST_DESCRIPTION: usize = 200;
/// What a reader without scripts sees of a value.
const LONGEST_EXCERPT: usize = 500;

/// What every page has.
struct Frame {
    heading: String,
    assets: String,
    home_url: String,
}

impl Frame {
    fn new(base_url: &str, heading: String) -> Self {
        Self { heading, assets: assets::folder(), home_url: format!("{base_url}/") }
    }
}

/// All texts are visible ones; "" where there is nothing.
struct View {
    description: String,
    page_url: String,
    oembed_url: String,
    image_url: String,
    image_alt: String,
    steps_url: String,
    embed_code: String,
    unlisted: bool,
    framed: bool,
    modules: Vec<&'static str>,
    author: String,
    published: String,
    published_at: String,
    views: String,
    note: String,
    tags: Vec<String>,
    has_tags: bool,
    figures: Vec<Figure>,
    kinds: Vec<Kind>,
    step_count: usize,
    outline: String,
    list_start: usize,
    listed: Vec<Listed>,
    listed_note: String,
    earlier_url: String,
    later_url: String,
}

struct Figure {
    label: &'static str,
    value: String,
}

struct Kind {
    name: &'static str,
    label: String,
    count: String,
}

struct Listed {
    number: usize,
    kind: String,
    name: String,
    facts: String,
    error: String,
    input: String,
    output: String,
}

#[derive(Template)]
#[template(path = "tape.html")]
struct TapeHtml {
    page: Frame,
    tape: View,
}

#[derive(Template)]
#[template(path = "embed.html")]
struct EmbedHtml {
    page: Frame,
    tape: View,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct MissingHtml {
    page: Frame,
    message: &'static str,
}

pub struct Page {
    pub html: String,
    pub headers: &'static [(&'static str, &'static str)],
}

/// The public page of a tape.
pub fn tape_page(tape: &Tape<'_>) -> Result<Page, Error> {
    let page = Frame::new(tape.base_url, heading(tape));
    let html = TapeHtml { page, tape: view(tape, false)? }.render()?;
    Ok(Page { html, headers: headers::PAGE })
}

/// The player alone.
pub fn embed_page(tape: &Tape<'_>) -> Result<Page, Error> {
    let page = Frame::new(tape.base_url, heading(tape));
    let html = EmbedHtml { page, tape: view(tape, true)? }.render()?;
    Ok(Page { html, headers: headers::EMBED })
}

/// For a slug that no tape has, or no longer. Framed too, it says so within the frame's own rules.
pub fn missing_page(base_url: &str, framed: bool) -> Result<Page, Error> {
    let page = Frame::new(base_url, "No tape here".to_owned());
    let message = "It may have been deleted by its author, or the address is incomplete.";
    let html = MissingHtml { page, message }.render()?;
    Ok(Page { html, headers: if framed { headers::EMBED } else { headers::PAGE } })
}

pub(crate) fn heading(tape: &Tape<'_>) -> String {
    let title = visible(tape.title);
    if title.trim().is_empty() { "Untitled tape".to_owned() } else { title }
}

fn view(tape: &Tape<'_>, framed: bool) -> Result<View, Error> {
    let Tape { base_url, slug, .. } = *tape;
    let place = if framed { "embed" } else { "t" };
    let to = tape.contents_from + tape.contents.len();
    let page_of = |from: usize| format!("/{place}/{slug}?from={from}#list");
    Ok(View {
        description: description(tape),
        page_url: format!("{base_url}/t/{slug}"),
        oembed_url: oembed::address(base_url, slug),
        image_url: format!("{base_url}/t/{slug}/card.png"),
        image_alt: format!("{}: {}", heading(tape), summary(tape)),
        steps_url: format!("/api/v1/tapes/{slug}/steps"),
        embed_code: oembed::embed_code(base_url, slug, &heading(tape), "100%", oembed::HEIGHT),
        unlisted: !tape.is_public,
        framed,
        modules: assets::modules(),
        author: tape.author.map(visible).unwrap_or_default(),
        published: words::day(tape.published_at),
        published_at: tape.published_at.to_owned(),
        views: if tape.views == 0 { String::new() } else { words::number_of(tape.views, "view") },
        note: visible(tape.note),
        tags: tape.tags.iter().map(|tag| visible(tag)).collect(),
        has_tags: !tape.tags.is_empty(),
        figures: figures(tape),
        kinds: kinds(tape.steps),
        step_count: tape.steps.len(),
        outline: outline(tape.steps)?,
        list_start: tape.contents_from + 1,
        listed: listed(tape),
        listed_note: listed_note(tape),
        earlier_url: if tape.contents_from == 0 { String::new() } else { page_of(earlier(tape)) },
        later_url: if to < tape.steps.len() { page_of(to) } else { String::new() },
    })
}

fn listed_note(tape: &Tape<'_>) -> String {
    let (from, number) = (tape.contents_from, tape.contents.len());
    if number == 0 {
        return String::new();
    }
    let count = |number: usize| words::count(number as u64);
    format!("{} to {} of {}", count(from + 1), count(from + number), count(tape.steps.len()))
}

fn earlier(tape: &Tape<'_>) -> usize {
    tape.contents_from.saturating_sub(tape.contents.len().max(1))
}

/// What the tape is about, for those who see a link to it.
fn description(tape: &Tape<'_>) -> String {
    let note = visible(tape.note).split_whitespace().collect::<Vec<_>>().join(" ");
    if note.is_empty() { summary(tape) } else { cut(&note, LONGEST_DESCRIPTION) }
}

/// `15 steps · 21.4 s · 7,871 tokens · $0.037`, of what there is.
pub(crate) fn summary(tape: &Tape<'_>) -> String {
    let figures = &tape.figures;
    let mut facts = vec![words::number_of(tape.steps.len() as u64, "step"), words::duration(figures.duration_micros)];
    if figures.tokens > 0 {
        facts.push(words::number_of(figures.tokens, "token"));
    }
    if figures.cost_micros > 0 {
        facts.push(words::money(figures.cost_micros));
    }
    facts.join(" · ")
}

fn figures(tape: &Tape<'_>) -> Vec<Figure> {
    let of = &tape.figures;
    let mut figures = vec![
        Figure { label: "Spans", value: words::count(tape.steps.len() as u64) },
        Figure { label: "Duration", value: words::duration(of.duration_micros) },
        Figure { label: "Tokens", value: words::count(of.tokens) },
        Figure { label: "Cost", value: words::money(of.cost_micros) },
    ];
    if !of.models.is_empty() {
        let label = if of.models.len() == 1 { "Model" } else { "Models" };
        figures.push(Figure { label, value: visible(&of.models.join(", ")) });
    }
    figures
}

fn kinds(steps: &[Step<'_>]) -> Vec<Kind> {
    let number = |name: &str| steps.iter().filter(|step| step.span_type == name).count() as u64;
    let counted = SPAN_TYPES.into_iter().map(|name| (name, number(name))).filter(|(_, number)| *number > 0);
    counted.map(|(name, number)| Kind { name, label: words::type_label(name), count: words::count(number) }).collect()
}

fn listed(tape: &Tape<'_>) -> Vec<Listed> {
    let steps = tape.steps.iter().enumerate().skip(tape.contents_from);
    steps.zip(tape.contents).map(|((i, step), contents)| one_listed(i, step, contents)).collect()
}

fn one_listed(i: usize, step: &Step<'_>, contents: &Contents<'_>) -> Listed {
    let label = words::type_label(step.span_type);
    let took = step.duration_micros.map_or("never ended".to_owned(), words::duration);
    let model = step.model.map(|model| format!(" · {}", visible(model))).unwrap_or_default();
    Listed {
        number: i + 1,
        kind: step.span_type.to_owned(),
        name: if step.name.is_empty() { label.clone() } else { visible(step.name) },
        facts: format!("{label} · {took}{model}"),
        error: visible(&cut(contents.error, LONGEST_EXCERPT)),
        input: excerpt(contents.input),
        output: excerpt(contents.output),
    }
}

/// The beginning of a JSON text; that of a string without its quotes.
fn excerpt(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) => visible(&cut(&text, LONGEST_EXCERPT)),
        Err(_) => visible(&cut(json, LONGEST_EXCERPT)),
    }
}
