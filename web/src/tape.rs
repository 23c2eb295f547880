//! What is to be told of a tape to have its pages.

/// The types of a span, as they are called here and everywhere.
pub(crate) const SPAN_TYPES: [&str; 7] =
    ["llm_call", "tool_call", "tool_result", "reasoning", "action", "error", "fork_point"];

pub struct Tape<'a> {
    /// The server's public address, without a slash at its end.
    pub base_url: &'a str,
    pub slug: &'a str,
    pub title: &'a str,
    /// What the author says about it; "" if nothing.
    pub note: &'a str,
    pub author: Option<&'a str>,
    pub tags: &'a [String],
    /// RFC 3339.
    pub published_at: &'a str,
    pub views: u64,
    /// An unlisted tape is kept from search engines.
    pub is_public: bool,
    pub figures: Figures<'a>,
    /// All steps, in the order of their start.
    pub steps: &'a [Step<'a>],
    /// The place of the first step in `contents`.
    pub contents_from: usize,
    /// What some steps hold, for a reader without scripts: a page of steps at a time, `?from=` says which.
    pub contents: &'a [Contents<'a>],
}

pub struct Figures<'a> {
    pub tokens: u64,
    /// Millionths of a dollar.
    pub cost_micros: u64,
    pub duration_micros: u64,
    /// The most used first.
    pub models: &'a [String],
}

pub struct Step<'a> {
    /// One of the span types.
    pub span_type: &'a str,
    pub name: &'a str,
    pub model: Option<&'a str>,
    /// The place of its parent among the steps.
    pub parent: Option<usize>,
    /// Microseconds after the start of the tape; never less than those of the step before.
    pub start_micros: u64,
    /// None for a step that never ended.
    pub duration_micros: Option<u64>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_micros: u64,
    pub failed: bool,
}

/// Input and output are JSON texts as they were recorded; "" where there is none.
pub struct Contents<'a> {
    pub input: &'a str,
    pub output: &'a str,
    pub error: &'a str,
}
