//! Values as ClickHouse sends them and as JSON shows them.

use runtime::http::micros_rfc3339;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::numbers::Number;

/// `Decimal(38, 12)`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Money(i128);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number::money(self.0).serialize(serializer)
    }
}

/// Milliseconds as `Decimal(38, 3)`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Milliseconds(i128);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = i64::try_from(self.0).map_err(serde::ser::Error::custom)?;
        Number::milliseconds(micros).serialize(serializer)
    }
}

/// `DateTime64(6)`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&micros_rfc3339(self.0))
    }
}

/// JSON as it was sent.
pub struct Json(Box<RawValue>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        let text = String::deserialize(deserializer)?;
        RawValue::from_string(text).map(Json).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A payload, which may be left out of the file.
pub enum Payload<T> {
    LeftOut,
    Is(Option<T>),
}

impl<T> Payload<T> {
    pub fn is_left_out(&self) -> bool {
        matches!(self, Payload::LeftOut)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Payload<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload<T>, D::Error> {
        Option::deserialize(deserializer).map(Payload::Is)
    }
}

impl<T: Serialize> Serialize for Payload<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Payload::Is(value) => value.serialize(serializer),
            Payload::LeftOut => serializer.serialize_none(),
        }
    }
}
