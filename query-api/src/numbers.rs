//! Money and durations in answers: exact decimals, whatever a float would make of them.

use std::borrow::Cow;

use schemas::Money;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A decimal number, exact.
#[derive(Serialize)]
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

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        Object::with_type(Type::Number).into()
    }
}
impl ToSchema for Number {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Number")
    }
}
