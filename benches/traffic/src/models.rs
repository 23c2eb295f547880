//! The models of the traffic, the most used first. All but one are in the price table that ships.

#[derive(Debug, PartialEq)]
pub struct Model {
    pub name: &'static str,
    /// Milliseconds until the first token.
    pub(crate) first_ms: f64,
    pub(crate) token_ms: f64,
    pub(crate) vendor: Vendor,
}

/// Whose client library makes the call: it names the span and words the errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Vendor {
    OpenAi,
    Anthropic,
    Google,
    /// Behind an interface like OpenAI's.
    Other,
}

impl Vendor {
    pub(crate) fn span_name(self) -> &'static str {
        match self {
            Vendor::OpenAi | Vendor::Other => "openai.chat.completions.create",
            Vendor::Anthropic => "anthropic.messages.create",
            Vendor::Google => "gemini.generate_content",
        }
    }
}

/// In no price table: calls of it are unpriced.
pub const UNPRICED: &str = "acme/house-llm-8b";

/// The cost drift's models: the second costs so many times the first, for input and output alike.
pub(crate) const CHEAPER: &str = "claude-haiku-4-5";
pub(crate) const DEARER: &str = "claude-sonnet-4-6";
pub(crate) const DEARER_BY: f64 = 3.0;

pub fn all() -> &'static [Model] {
    MODELS
}

pub(crate) fn named(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}

const fn model(name: &'static str, vendor: Vendor, first_ms: f64, token_ms: f64) -> Model {
    Model { name, first_ms, token_ms, vendor }
}

// The two of the cost drift are as quick as each other here: a drift is of one metric.
const MODELS: &[Model] = &[
    model("gpt-5-mini", Vendor::OpenAi, 520.0, 8.0),
    model("claude-sonnet-4-5", Vendor::Anthropic, 900.0, 15.0),
    model("gpt-4.1-mini", Vendor::OpenAi, 380.0, 9.0),
    model("claude-haiku-4-5", Vendor::Anthropic, 450.0, 8.0),
    model("gpt-4o-mini", Vendor::OpenAi, 400.0, 10.0),
    model("gemini-2.5-flash", Vendor::Google, 350.0, 5.0),
    model("gpt-5.2", Vendor::OpenAi, 1_400.0, 16.0),
    model("gpt-4.1", Vendor::OpenAi, 600.0, 13.0),
    model(UNPRICED, Vendor::Other, 120.0, 6.0),
    model("claude-opus-4-8", Vendor::Anthropic, 1_500.0, 22.0),
    model("gemini-2.5-pro", Vendor::Google, 1_600.0, 11.0),
    model("gpt-4o", Vendor::OpenAi, 550.0, 14.0),
    model("deepseek-chat", Vendor::Other, 1_100.0, 24.0),
    model("mistral-small-latest", Vendor::Other, 300.0, 7.0),
    model("gpt-5-nano", Vendor::OpenAi, 400.0, 5.0),
    model("grok-4-1-fast-reasoning", Vendor::Other, 800.0, 7.0),
    model("claude-sonnet-4-6", Vendor::Anthropic, 450.0, 8.0),
    model("gemini-2.5-flash-lite", Vendor::Google, 280.0, 3.5),
    model("gpt-4.1-nano", Vendor::OpenAi, 300.0, 5.0),
    model("o4-mini", Vendor::OpenAi, 2_600.0, 8.0),
    model("o3", Vendor::OpenAi, 5_000.0, 12.0),
    model("gpt-5", Vendor::OpenAi, 1_800.0, 16.0),
    model("gpt-5.1", Vendor::OpenAi, 1_500.0, 15.0),
    model("claude-sonnet-5", Vendor::Anthropic, 850.0, 13.0),
    model("mistral-large-latest", Vendor::Other, 600.0, 16.0),
    model("mistral-medium-latest", Vendor::Other, 450.0, 12.0),
    model("qwen3-235b-a22b", Vendor::Other, 900.0, 18.0),
    model("qwen-plus", Vendor::Other, 700.0, 14.0),
    model("deepseek-reasoner", Vendor::Other, 4_200.0, 26.0),
    model("gemini-3-flash-preview", Vendor::Google, 420.0, 5.0),
    model("gemini-3.1-pro", Vendor::Google, 1_900.0, 12.0),
    model("grok-code-fast-1", Vendor::Other, 500.0, 5.5),
    model("codestral", Vendor::Other, 320.0, 6.0),
    model("command-a", Vendor::Other, 500.0, 10.0),
    model("command-r", Vendor::Other, 350.0, 8.0),
    model("gpt-5.4-mini", Vendor::OpenAi, 600.0, 8.0),
    model("gpt-5.4", Vendor::OpenAi, 1_300.0, 14.0),
    model("claude-opus-4-5", Vendor::Anthropic, 1_600.0, 22.0),
    model("llama-3.3-70b-versatile", Vendor::Other, 200.0, 3.5),
    model("llama-3.1-8b-instant", Vendor::Other, 120.0, 1.4),
    model("devstral-latest", Vendor::Other, 400.0, 8.0),
    model("magistral-medium", Vendor::Other, 1_900.0, 13.0),
    model("gemini-3.5-flash", Vendor::Google, 400.0, 5.0),
    model("o3-mini", Vendor::OpenAi, 2_200.0, 8.0),
    model("gpt-5.4-nano", Vendor::OpenAi, 380.0, 5.0),
    model("claude-3-5-haiku-latest", Vendor::Anthropic, 520.0, 11.0),
];
