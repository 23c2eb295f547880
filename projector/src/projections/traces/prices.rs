//! The cost of a call by the price tables that an event names. Tables are immutable, so that a fold of the log at any
//! later time prices alike.

use std::collections::HashMap;

use schemas::Money;
use schemas::prices::{self, PriceEntry, PriceTable};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Default)]
pub struct PriceBook {
    tables: HashMap<String, HashMap<String, Vec<Price>>>,
}

struct Price {
    from: Option<i64>,
    to: Option<i64>,
    input: Money,
    output: Money,
    /// (above this many input tokens, input, output), lowest mark first.
    tiers: Vec<(i64, Money, Money)>,
}

const MILLION: i128 = 1_000_000;

impl PriceBook {
    /// With the table that ships with this version.
    pub fn with_shipped() -> anyhow::Result<PriceBook> {
        let mut book = PriceBook::default();
        book.add(&prices::hash(prices::SHIPPED), prices::SHIPPED)?;
        Ok(book)
    }

    pub fn knows(&self, hash: &str) -> bool {
        self.tables.contains_key(hash)
    }

    pub fn add(&mut self, hash: &str, table: &str) -> anyhow::Result<()> {
        let table: PriceTable = prices::parse(table).map_err(anyhow::Error::msg)?;
        let mut by_id: HashMap<String, Vec<Price>> = HashMap::new();
        for model in table.models {
            for id in model.aliases.iter().chain([&model.model]) {
                let entries = model.prices.iter().map(read).collect::<anyhow::Result<Vec<Price>>>()?;
                by_id.insert(id.to_lowercase(), entries);
            }
        }
        self.tables.insert(hash.to_owned(), by_id);
        Ok(())
    }

    /// `tables` are hashes, most specific first, comma separated; the time is in microseconds.
    pub fn cost(&self, tables: &str, model: &str, at: i64, input: Option<i64>, output: Option<i64>) -> Option<Money> {
        if input.is_none() && output.is_none() {
            return None;
        }
        let model = model.to_lowercase();
        let price = tables.split(',').find_map(|hash| {
            let prices = self.tables.get(hash)?.get(&model)?;
            prices.iter().find(|price| price.from.is_none_or(|from| from <= at) && price.to.is_none_or(|to| at < to))
        })?;
        let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
        let tier = price.tiers.iter().rev().find(|(above, _, _)| input > *above);
        let (per_input, per_output) = tier.map_or((price.input, price.output), |(_, i, o)| (*i, *o));
        let units =
            per_input.0.checked_mul(i128::from(input))?.checked_add(per_output.0.checked_mul(i128::from(output))?)?;
        Money(units).ratio(1, MILLION)
    }
}

fn read(entry: &PriceEntry) -> anyhow::Result<Price> {
    let micros = |text: &Option<String>| -> anyhow::Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        Ok(Some((OffsetDateTime::parse(text, &Rfc3339)?.unix_timestamp_nanos() / 1000) as i64))
    };
    let mut tiers = entry
        .tiers
        .iter()
        .map(|tier| Ok((tier.above_input_tokens, Money::parse(&tier.input)?, Money::parse(&tier.output)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    tiers.sort_by_key(|(above, _, _)| *above);
    Ok(Price {
        from: micros(&entry.valid_from)?,
        to: micros(&entry.valid_to)?,
        input: Money::parse(&entry.input)?,
        output: Money::parse(&entry.output)?,
        tiers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"version":"t","currency":"USD","unit":"","models":[{"provider":"p","model":"m","aliases":["P/M"],
        "prices":[{"valid_from":null,"valid_to":"2025-01-01T00:00:00Z","source":"s","input":"4","output":"8"},
                  {"valid_from":"2025-01-01T00:00:00Z","valid_to":null,"source":"s","input":"2.5","output":"10",
                   "tiers":[{"above_input_tokens":200000,"input":"5","output":"15"}]}]}]}"#;

    fn cost(model: &str, at: i64, input: Option<i64>, output: Option<i64>) -> Option<String> {
        let mut book = PriceBook::default();
        book.add("h", TABLE).unwrap();
        book.cost("other,h", model, at, input, output).map(|money| money.to_string())
    }

    #[test]
    fn prices_by_date_and_tier() {
        let (old, new) = (1_700_000_000_000_000, 1_750_000_000_000_000);
        assert_eq!(cost("M", old, Some(12), Some(5)).as_deref(), Some("0.000088"));
        assert_eq!(cost("p/m", new, Some(12), Some(5)).as_deref(), Some("0.00008"));
        assert_eq!(cost("m", new, Some(200_000), None).as_deref(), Some("0.5"));
        assert_eq!(cost("m", new, Some(200_001), Some(1)).as_deref(), Some("1.00002"));
        assert_eq!(cost("m", new, None, None), None);
        assert_eq!(cost("unknown", new, Some(1), None), None);
    }

    #[test]
    fn the_shipped_table_prices_the_usual_models() {
        let book = PriceBook::with_shipped().unwrap();
        let hash = prices::hash(prices::SHIPPED);
        let cost = book.cost(&hash, "gpt-4o-mini", 1_790_000_000_000_000, Some(12), Some(5));
        assert_eq!(cost.unwrap().to_string(), "0.0000048");
    }
}
