//! The lines as CSV.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{Column, Kind, Of};
use crate::downloads::csv;

pub fn write_header(kind: &Kind, payloads: bool, to: &mut Vec<u8>) {
    csv::write_header(kind.columns(payloads).map(|column| column.name), to);
}

/// Appends the record of a line of JSON with exactly these columns.
pub fn write_record(line: &[u8], kind: &Kind, payloads: bool, to: &mut Vec<u8>) -> serde_json::Result<()> {
    let record = Record { columns: kind.columns(payloads), to };
    serde_json::Deserializer::from_slice(line).deserialize_map(record)
}

struct Record<'a, C> {
    columns: C,
    to: &'a mut Vec<u8>,
}

impl<'de, C: Iterator<Item = &'static Column>> Visitor<'de> for Record<'_, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of the export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut is_first = true;
        for column in self.columns {
            let Some((name, value)) = fields.next_entry::<Cow<'_, str>, &RawValue>()? else {
                return Err(serde::de::Error::custom("a field is missing"));
            };
            if name != column.name {
                return Err(serde::de::Error::custom("a field is out of its place"));
            }
            if !std::mem::take(&mut is_first) {
                self.to.push(b',');
            }
            match column.of {
                Of::Json => csv::write_json(value.get(), self.to),
                _ => csv::write_value(value.get(), self.to).map_err(serde::de::Error::custom)?,
            }
        }
        self.to.extend_from_slice(b"\r\n");
        Ok(())
    }
}
