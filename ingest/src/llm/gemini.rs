//! Gemini's `generateContent`, with an answer by schema.

use anyhow::Context;
use runtime::Settings;
use serde::Deserialize;
use serde_json::json;

use super::{Attempt, Fault, MOST_OUTPUT_TOKENS, Question};

/// An answer of [`MOST_OUTPUT_TOKENS`] is far smaller.
const LONGEST_BODY: usize = 1 << 20;
/// Of what the provider says of a refusal, for the log.
const LONGEST_MESSAGE: usize = 500;

pub(super) struct Gemini {
    client: reqwest::Client,
    url: String,
    key: String,
    model: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    /// A summary of what it thought, not its answer.
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    prompt_token_count: i64,
    #[serde(default)]
    candidates_token_count: i64,
    #[serde(default)]
    thoughts_token_count: i64,
}

impl Gemini {
    pub fn new(settings: &Settings) -> anyhow::Result<Gemini> {
        let base = settings.gemini_url.trim_end_matches('/');
        let model = settings.gemini_model.trim_start_matches("models/");
        let url = format!("{base}/v1beta/models/{model}:generateContent");
        reqwest::Url::parse(&url).context("the settings `gemini_url` and `gemini_model` make no URL")?;
        // A redirect would take the key elsewhere.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Gemini { client, url, key: settings.gemini_api_key.clone(), model: model.to_owned() })
    }

    pub fn model(&self) -> &str {
        &self.model
    }

    /// A token is a byte at the least.
    pub fn most_tokens(&self, question: &Question<'_>) -> i64 {
        let bytes = question.instructions.len() + question.text.len() + question.schema.to_string().len();
        i64::try_from(bytes).unwrap_or(i64::MAX / 2) + i64::from(MOST_OUTPUT_TOKENS)
    }

    pub async fn generate(&self, question: &Question<'_>) -> Attempt {
        match self.send(question).await {
            Ok(answer) => {
                let tokens = answer.usage_metadata.as_ref().map(|usage| {
                    (
                        usage.prompt_token_count.max(0),
                        (usage.candidates_token_count + usage.thoughts_token_count).max(0),
                    )
                });
                Attempt { outcome: read(answer), tokens }
            }
            Err(fault) => Attempt { outcome: Err(fault), tokens: None },
        }
    }

    async fn send(&self, question: &Question<'_>) -> Result<Answer, Fault> {
        let body = json!({
            "systemInstruction": {"parts": [{"text": question.instructions}]},
            "contents": [{"role": "user", "parts": [{"text": question.text}]}],
            "generationConfig": {
                "temperature": 0,
                "maxOutputTokens": MOST_OUTPUT_TOKENS,
                "responseMimeType": "application/json",
                "responseSchema": question.schema,
            },
        });
        let unreachable = |cause: reqwest::Error| {
            tracing::warn!(cause = %cause.without_url(), "Gemini cannot be reached");
            Fault::Unreachable
        };
        let sent = self.client.post(&self.url).header("x-goog-api-key", &self.key).json(&body).send();
        let mut answer = sent.await.map_err(unreachable)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + piece.len() > LONGEST_BODY {
                return Err(Fault::Malformed(format!("it is longer than {LONGEST_BODY} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        if !status.is_success() {
            let message: String = String::from_utf8_lossy(&bytes).chars().take(LONGEST_MESSAGE).collect();
            tracing::warn!(status = status.as_u16(), message, "Gemini refused");
            return Err(Fault::Refused(status.as_u16()));
        }
        serde_json::from_slice(&bytes).map_err(|cause| Fault::Malformed(format!("it is no answer of Gemini: {cause}")))
    }
}

/// The text of the first candidate, if it is whole.
fn read(answer: Answer) -> Result<String, Fault> {
    if let Some(reason) = answer.prompt_feedback.and_then(|feedback| feedback.block_reason) {
        return Err(Fault::Blocked(reason));
    }
    let Some(candidate) = answer.candidates.into_iter().next() else {
        return Err(Fault::Malformed("it has no candidate".to_owned()));
    };
    match candidate.finish_reason.as_deref() {
        None | Some("STOP") => {}
        Some("MAX_TOKENS") => return Err(Fault::CutOff),
        Some("MALFORMED_FUNCTION_CALL" | "OTHER" | "FINISH_REASON_UNSPECIFIED") => {
            return Err(Fault::Malformed("it was not finished".to_owned()));
        }
        Some(reason) => return Err(Fault::Blocked(reason.to_owned())),
    }
    let parts = candidate.content.map(|content| content.parts).unwrap_or_default();
    let text: String = parts.into_iter().filter(|part| !part.thought).filter_map(|part| part.text).collect();
    if text.is_empty() { Err(Fault::Malformed("it is empty".to_owned())) } else { Ok(text) }
}
