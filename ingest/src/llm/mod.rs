//! A model that answers questions: its wire ([`gemini`]), and what may be spent on it ([`budget`]).

mod budget;
mod gemini;

use std::time::Duration;

use runtime::Settings;
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::Instant;

use budget::Budget;
use gemini::Gemini;

/// Of an answer, thoughts included.
const MOST_OUTPUT_TOKENS: u32 = 8_192;
const ATTEMPTS: u32 = 2;

pub struct Llm {
    gemini: Gemini,
    budget: Budget,
    /// For all attempts at one question.
    timeout: Duration,
}

pub struct Question<'a> {
    pub instructions: &'a str,
    pub text: &'a str,
    /// Of the answer, as the provider writes schemas.
    pub schema: &'a Value,
}

/// An answer that was accepted.
pub struct Said<T> {
    pub answer: T,
    pub input_tokens: i64,
    pub output_tokens: i64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("today's budget of {0} tokens does not allow another question")]
    OverBudget(u64),
    #[error("the budget cannot be read")]
    NoBudget,
    #[error("it did not answer within {0} s")]
    Slow(f64),
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it refused with status {0}")]
    Refused(u16),
    #[error("it blocked the question or its answer: {0}")]
    Blocked(String),
    #[error("its answer was cut off")]
    CutOff,
    #[error("its answer is not as asked for: {0}")]
    Malformed(String),
}

impl Fault {
    /// Whether the same question may be answered at the next attempt.
    fn is_passing(&self) -> bool {
        match self {
            Fault::Unreachable | Fault::CutOff | Fault::Malformed(_) => true,
            Fault::Refused(status) => *status == 429 || *status >= 500,
            Fault::OverBudget(_) | Fault::NoBudget | Fault::Slow(_) | Fault::Blocked(_) => false,
        }
    }

    /// Whether the provider may have counted tokens that it did not tell of.
    fn may_cost(&self) -> bool {
        !matches!(self, Fault::Refused(_) | Fault::OverBudget(_) | Fault::NoBudget)
    }
}

/// What an attempt came to, and the tokens that it took as far as the provider says so.
struct Attempt {
    outcome: Result<String, Fault>,
    tokens: Option<(i64, i64)>,
}

impl Llm {
    /// None where no key is set.
    pub fn new(settings: &Settings, pool: &PgPool) -> anyhow::Result<Option<Llm>> {
        if settings.gemini_api_key.is_empty() {
            return Ok(None);
        }
        Ok(Some(Llm {
            gemini: Gemini::new(settings)?,
            budget: Budget::new(pool.clone(), settings.gemini_daily_tokens),
            timeout: Duration::from_millis(settings.gemini_timeout_ms),
        }))
    }

    pub fn engine(&self) -> &'static str {
        "gemini"
    }

    pub fn model(&self) -> &str {
        self.gemini.model()
    }

    /// Asks, and once more where the answer was not accepted; each attempt's tokens are reserved before it.
    pub async fn ask<T>(
        &self,
        tenant: &str,
        question: &Question<'_>,
        accept: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Said<T>, Fault> {
        let deadline = Instant::now() + self.timeout;
        let (mut input_tokens, mut output_tokens) = (0, 0);
        for attempt in 1.. {
            let reserved = self.budget.reserve(tenant, self.gemini.most_tokens(question)).await?;
            let Attempt { outcome, tokens } = tokio::time::timeout_at(deadline, self.gemini.generate(question))
                .await
                .unwrap_or(Attempt { outcome: Err(Fault::Slow(self.timeout.as_secs_f64())), tokens: None });
            let outcome = outcome.and_then(|text| accept(&text).map_err(Fault::Malformed));
            match (&outcome, tokens) {
                (_, Some((input, output))) => {
                    reserved.spent(input + output).await;
                    input_tokens += input;
                    output_tokens += output;
                }
                (Err(fault), None) if !fault.may_cost() => reserved.spent(0).await,
                // What is not known was spent.
                (_, None) => {}
            }
            match outcome {
                Ok(answer) => return Ok(Said { answer, input_tokens, output_tokens }),
                Err(fault) => {
                    tracing::warn!(model = self.model(), %fault, attempt, "no answer from the model");
                    if attempt >= ATTEMPTS || !fault.is_passing() {
                        return Err(fault);
                    }
                }
            }
        }
        Err(Fault::Unreachable)
    }
}
