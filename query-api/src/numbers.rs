//! Money and durations in answers: exact decimals, whatever a float would make of them.

use schemas::Money;
use serde::Serialize;
use serde_json::value::RawValue;

/// A decimal number, exact; documents show it as `f64`.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Number(Box<RawValue>);

impl Number {
    pub fn money(units: i128) -> Number {
        Number::text(Money(units).to_string())
    }

    /// Milliseconds from microseconds.
    pub fn milliseconds(micros: i64) -> Number {
        // Twelve digits of money are enough for three of time.
        Number::text(Money(i128::from(micros) * 1_000_000_000).to_string())
    }

    fn text(text: String) -> Number {
        Number(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}
