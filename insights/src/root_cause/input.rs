//! What the analysis looks at. Times are microseconds; texts may be cut by the caller, and only their beginnings are read.

#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub name: String,
    /// Its status is `failed`.
    pub failed: bool,
    pub error: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub spans: Vec<Span>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub id: String,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub duration_us: Option<i64>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub failed: bool,
    pub error: Option<String>,
    pub input: Option<String>,
    /// Of the whole input, where `input` is only its beginning: two questions may begin alike.
    pub input_hash: Option<u64>,
    pub output: Option<String>,
}

/// A successful trace of the same name.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Those that did not fail, in the order of their starts.
    pub steps: Vec<Step>,
    pub tokens: i64,
    pub duration_us: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct Step {
    pub span_type: String,
    pub name: String,
    pub duration_us: Option<i64>,
}

pub(super) type Asked<'a> = (&'a str, Option<u64>);

impl Span {
    /// Of the client's own types, and `error`, which is a failure that is a span.
    pub(super) fn has_failed(&self) -> bool {
        self.failed || self.error.is_some() || self.span_type == "error"
    }

    /// What it says of its failure: an `error` span may say it in its output or name.
    pub(super) fn failure(&self) -> &str {
        let own = self.error.as_deref().filter(|text| !text.trim().is_empty());
        let said = || self.output.as_deref().or(self.input.as_deref()).unwrap_or(&self.name);
        own.unwrap_or_else(|| if self.span_type == "error" { said() } else { "" })
    }

    pub(super) fn start(&self) -> Option<i64> {
        self.started_at.or_else(|| Some(self.ended_at?.saturating_sub(self.duration_us?)))
    }

    pub(super) fn end(&self) -> Option<i64> {
        self.ended_at.or_else(|| Some(self.started_at?.saturating_add(self.duration_us?)))
    }

    pub(super) fn duration(&self) -> Option<i64> {
        self.duration_us.or_else(|| Some(self.ended_at?.saturating_sub(self.started_at?)))
    }

    pub(super) fn is_llm(&self) -> bool {
        self.span_type == "llm_call"
    }

    /// What was asked, the same if the whole of it is.
    pub(super) fn asked(&self) -> Option<Asked<'_>> {
        Some((self.input.as_deref()?, self.input_hash))
    }

    /// A call that an agent goes on with, rather than something that it notes.
    pub(super) fn is_call(&self) -> bool {
        self.is_llm() || self.span_type == "tool_call"
    }

    pub(super) fn tokens(&self) -> i64 {
        self.input_tokens.unwrap_or(0).saturating_add(self.output_tokens.unwrap_or(0))
    }
}
