//! An object's fields, each read by its type; what is wrong is collected, with the field's name, instead of ending the
//! reading.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use runtime::http::whole;
use schemas::Money;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// 2000-01-01T00:00:00Z in microseconds.
const EARLIEST: i64 = 946_684_800_000_000;
const DAY: i64 = 86_400_000_000;
/// Beyond it, sums over a trace could overflow.
const MOST_TOKENS: i64 = 100_000_000_000;
const MOST_MILLISECONDS: i64 = 100 * 365 * 86_400_000;
/// Clock steps of this size are clamped, larger ones refused.
pub const CLOCK_STEP_US: i64 = 300_000_000;

/// A JSON object, its values unparsed.
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

        struct Objects;
        impl<'de> Visitor<'de> for Objects {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(24);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    fields.push((key, value));
                }
                Ok(fields)
            }
        }
        Ok(Fields(deserializer.deserialize_map(Objects)?))
    }
}

impl<'a> Fields<'a> {
    /// The value of a field unless it is absent or null. Of a repeated key the last counts, as in most parsers.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let value = self.0.iter().rev().find(|(key, _)| key == name)?.1;
        (value.get() != "null").then_some(value)
    }

    /// Where null says something else than no field does.
    pub fn is_null(&self, name: &str) -> bool {
        let value = self.0.iter().rev().find(|(key, _)| key == name);
        value.is_some_and(|(_, value)| value.get() == "null")
    }
}

/// Reads the fields of one object. `prefix` is what faults put before a field's name: empty, or `spans[3].`.
pub struct Reader<'a, 'f> {
    pub fields: Fields<'a>,
    pub prefix: String,
    pub faults: &'f mut Vec<String>,
    pub warnings: &'f mut Vec<String>,
}

impl<'a> Reader<'a, '_> {
    pub fn fault(&mut self, name: &str, what: impl fmt::Display) {
        self.faults.push(format!("{}{name} {what}", self.prefix));
    }

    pub fn warn(&mut self, name: &str, what: &str) {
        self.warnings.push(format!("{}{name} {what}", self.prefix));
    }

    /// Any JSON, as the text that was sent.
    pub fn payload(&self, name: &str) -> Option<String> {
        self.fields.get(name).map(|raw| raw.get().to_owned())
    }

    /// Text of any length, NUL included.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let raw = self.fields.get(name)?;
        match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => Some(text),
            Err(_) => {
                self.fault(name, "is not text");
                None
            }
        }
    }

    /// A name or id: bounded, without NUL.
    pub fn name(&mut self, name: &str, most: usize) -> Option<String> {
        let text = self.content(name, usize::MAX)?;
        if text.chars().count() > most {
            self.fault(name, format_args!("is longer than {most} characters"));
            return None;
        }
        Some(text)
    }

    /// Text without NUL, bounded as records are.
    pub fn content(&mut self, name: &str, most_bytes: usize) -> Option<String> {
        let text = self.text(name)?;
        if text.contains('\0') {
            self.fault(name, "contains NUL");
            return None;
        }
        if text.len() > most_bytes {
            self.fault(name, format_args!("is longer than {most_bytes} bytes"));
            return None;
        }
        Some(text)
    }

    /// A trace or span id, lower-cased.
    pub fn id(&mut self, name: &str, accept: fn(&str) -> Result<String, &'static str>) -> Option<String> {
        match accept(&self.text(name)?) {
            Ok(id) => Some(id),
            Err(fault) => {
                self.fault(name, fault);
                None
            }
        }
    }

    pub fn one_of<T: Copy>(&mut self, name: &str, parse: fn(&str) -> Option<T>, all: &[&str]) -> Option<T> {
        let text = self.text(name)?;
        let found = parse(&text);
        if found.is_none() {
            self.fault(name, format_args!("is not one of {}", all.join(", ")));
        }
        found
    }

    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let found = serde_json::from_str(self.fields.get(name)?.get()).ok();
        if found.is_none() {
            self.fault(name, "is neither true nor false");
        }
        found
    }

    pub fn texts(&mut self, name: &str, most: usize, longest: usize) -> Option<Vec<String>> {
        let raw = self.fields.get(name)?;
        let Ok(texts) = serde_json::from_str::<Vec<String>>(raw.get()) else {
            self.fault(name, "is not a list of texts");
            return None;
        };
        if texts.len() > most {
            self.fault(name, format_args!("has more than {most} entries"));
        }
        for (at, text) in texts.iter().enumerate() {
            if text.contains('\0') || text.chars().count() > longest {
                let what = format_args!("contains NUL or is longer than {longest} characters");
                self.fault(&format!("{name}[{at}]"), what);
            }
        }
        Some(texts)
    }

    /// Microseconds since 1970.
    pub fn time(&mut self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        let Ok(time) = OffsetDateTime::parse(&text, &Rfc3339) else {
            self.fault(name, "is not an RFC 3339 time");
            return None;
        };
        let micros = (time.unix_timestamp_nanos() / 1000) as i64;
        let latest = (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000) as i64 + DAY;
        if !(EARLIEST..=latest).contains(&micros) {
            self.fault(name, "is not between 2000-01-01 and tomorrow");
            return None;
        }
        Some(micros)
    }

    pub fn tokens(&mut self, name: &str) -> Option<i64> {
        self.whole(name, 0..=MOST_TOKENS)
    }

    pub fn whole(&mut self, name: &str, within: RangeInclusive<i64>) -> Option<i64> {
        let raw = self.fields.get(name)?.get();
        let number = whole(raw).and_then(|number| i64::try_from(number).ok()).filter(|number| within.contains(number));
        if number.is_none() {
            let (least, most) = within.into_inner();
            if most == i64::MAX {
                self.fault(name, format_args!("is not a whole number from {least}"));
            } else {
                self.fault(name, format_args!("is not a whole number from {least} to {most}"));
            }
        }
        number
    }

    /// Milliseconds, kept in microseconds.
    pub fn duration(&mut self, name: &str) -> Option<i64> {
        let raw = self.fields.get(name)?.get();
        // Money's twelve digits are milliseconds' as well: exact, and rounded in one place.
        let micros = Money::parse(raw).ok().and_then(|ms| ms.ratio(1, 1_000_000_000)).map(|micros| micros.0 as i64);
        match micros {
            Some(micros) if (-CLOCK_STEP_US..0).contains(&micros) => {
                self.warn(name, "was negative (a clock step) and is kept as 0");
                Some(0)
            }
            Some(micros) if (0..=MOST_MILLISECONDS * 1000).contains(&micros) => Some(micros),
            _ => {
                self.fault(name, "is not a duration in milliseconds");
                None
            }
        }
    }

    pub fn money(&mut self, name: &str) -> Option<Money> {
        let raw = self.fields.get(name)?.get();
        match Money::parse(raw) {
            Ok(money) if money >= Money::ZERO && money < Money(1_000_000_000 * 1_000_000_000_000) => Some(money),
            Ok(money) if money < Money::ZERO => {
                self.fault(name, "is negative");
                None
            }
            _ => {
                self.fault(name, "is not an amount of US dollars");
                None
            }
        }
    }
}
