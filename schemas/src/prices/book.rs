//! What a call costs by the price tables that an event names. Tables are immutable, so that a fold of the log at any
//! later time prices alike.

use std::collections::HashMap;

use super::{PriceEntry, PriceTable, SHIPPED, hash, micros, parse};
use crate::Money;

/// Tables by hash.
#[derive(Default)]
pub struct PriceBook {
    tables: HashMap<String, Table>,
}

#[derive(Default)]
struct Table {
    prices: Vec<Price>,
    /// A model or alias in lower case → its prices, in the table's order.
    by_id: HashMap<String, Vec<usize>>,
}

/// The price of a model in a time.
pub struct Price {
    pub provider: String,
    /// As the table calls it, whichever alias was asked for.
    pub model: String,
    /// As it was published.
    pub entry: PriceEntry,
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
    pub fn with_shipped() -> Result<PriceBook, String> {
        let mut book = PriceBook::default();
        book.add(&hash(SHIPPED), SHIPPED)?;
        Ok(book)
    }

    pub fn knows(&self, hash: &str) -> bool {
        self.tables.contains_key(hash)
    }

    /// How many tables it holds.
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    pub fn add(&mut self, hash: &str, table: &str) -> Result<(), String> {
        let parsed: PriceTable = parse(table)?;
        let mut table = Table::default();
        for model in parsed.models {
            for entry in model.prices {
                for id in model.aliases.iter().chain([&model.model]) {
                    table.by_id.entry(id.to_lowercase()).or_default().push(table.prices.len());
                }
                table.prices.push(Price::read(&model.provider, &model.model, entry)?);
            }
        }
        self.tables.insert(hash.to_owned(), table);
        Ok(())
    }

    /// Whether one of the tables has a price of the model, whenever it is valid.
    pub fn knows_model(&self, tables: &str, model: &str) -> bool {
        let model = model.to_lowercase();
        tables.split(',').any(|hash| self.tables.get(hash).is_some_and(|table| table.by_id.contains_key(&model)))
    }

    /// The price valid at a time (in microseconds), with the table that has it. `tables` are hashes, most specific
    /// first, comma separated.
    pub fn price<'t>(&self, tables: &'t str, model: &str, at: i64) -> Option<(&'t str, &Price)> {
        let model = model.to_lowercase();
        tables.split(',').find_map(|hash| {
            let table = self.tables.get(hash)?;
            let mut prices = table.by_id.get(&model)?.iter().filter_map(|place| table.prices.get(*place));
            prices.find(|price| price.is_valid(at)).map(|price| (hash, price))
        })
    }

    /// What a call costs that began at `at`; none without a price, or without tokens.
    pub fn cost(&self, tables: &str, model: &str, at: i64, input: Option<i64>, output: Option<i64>) -> Option<Money> {
        if input.is_none() && output.is_none() {
            return None;
        }
        let (_, price) = self.price(tables, model, at)?;
        price.cost(input.unwrap_or(0), output.unwrap_or(0))
    }
}

impl Price {
    fn read(provider: &str, model: &str, entry: PriceEntry) -> Result<Price, String> {
        let money = |text: &str| Money::parse(text).map_err(|fault| format!("{model}: `{text}` {fault}"));
        let time = |text: &Option<String>| text.as_deref().map(micros).transpose();
        let tiers = entry.tiers.iter();
        let mut tiers = tiers
            .map(|tier| Ok((tier.above_input_tokens, money(&tier.input)?, money(&tier.output)?)))
            .collect::<Result<Vec<_>, String>>()?;
        tiers.sort_by_key(|(above, _, _)| *above);
        Ok(Price {
            provider: provider.to_owned(),
            model: model.to_owned(),
            from: time(&entry.valid_from)?,
            to: time(&entry.valid_to)?,
            input: money(&entry.input)?,
            output: money(&entry.output)?,
            tiers,
            entry,
        })
    }

    fn is_valid(&self, at: i64) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    fn cost(&self, input: i64, output: i64) -> Option<Money> {
        let tier = self.tiers.iter().rev().find(|(above, _, _)| input > *above);
        let (per_input, per_output) = tier.map_or((self.input, self.output), |(_, input, output)| (*input, *output));
        let of_input = per_input.0.checked_mul(i128::from(input))?;
        let of_output = per_output.0.checked_mul(i128::from(output))?;
        Money(of_input.checked_add(of_output)?).ratio(1, MILLION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"version":"t","currency":"USD","unit":"","models":[{"provider":"p","model":"m","aliases":["P/M"],
        "prices":[{"valid_from":null,"valid_to":"2025-01-01T00:00:00Z","source":"s","input":"4","output":"8"},
                  {"valid_from":"2025-01-01T00:00:00Z","valid_to":null,"source":"s","input":"2.5","output":"10",
                   "tiers":[{"above_input_tokens":200000,"input":"5","output":"15"}]}]}]}"#;
    /// Another entry of the same model, and one whose prices have ended.
    const OWN: &str = r#"{"version":"t","currency":"USD","unit":"","models":[
        {"provider":"p","model":"m","prices":[{"valid_from":null,"valid_to":"2024-01-01T00:00:00Z","source":"s","input":"1","output":"1"}]},
        {"provider":"q","model":"M","prices":[{"valid_from":"2025-06-01T00:00:00Z","valid_to":null,"source":"s","input":"7","output":"7"}]}]}"#;
    const OLD: i64 = 1_700_000_000_000_000;
    const NEW: i64 = 1_750_000_000_000_000;

    fn book() -> PriceBook {
        let mut book = PriceBook::default();
        book.add("h", TABLE).unwrap();
        book.add("own", OWN).unwrap();
        book
    }

    fn cost(model: &str, at: i64, input: Option<i64>, output: Option<i64>) -> Option<String> {
        book().cost("other,h", model, at, input, output).map(|money| money.to_string())
    }

    #[test]
    fn prices_by_date_and_tier() {
        assert_eq!(cost("M", OLD, Some(12), Some(5)).as_deref(), Some("0.000088"));
        assert_eq!(cost("p/m", NEW, Some(12), Some(5)).as_deref(), Some("0.00008"));
        assert_eq!(cost("m", NEW, Some(200_000), None).as_deref(), Some("0.5"));
        assert_eq!(cost("m", NEW, Some(200_001), Some(1)).as_deref(), Some("1.00002"));
        assert_eq!(cost("m", NEW, None, None), None);
        assert_eq!(cost("unknown", NEW, Some(1), None), None);
    }

    #[test]
    fn the_first_table_with_a_price_valid_then_counts() {
        let book = book();
        let found = |tables, at| book.price(tables, "m", at).map(|(hash, price)| (hash, price.entry.input.as_str()));
        assert_eq!(found("own,h", OLD), Some(("own", "1")));
        // Between its own prices there is none.
        assert_eq!(found("own,h", 1_710_000_000_000_000), Some(("h", "4")));
        assert_eq!(found("own,h", NEW), Some(("own", "7")));
        assert_eq!(found("h,own", NEW), Some(("h", "2.5")));
        assert_eq!(found("own", 1_710_000_000_000_000), None);
        assert!(book.knows_model("own", "M") && !book.knows_model("own", "p/m") && book.knows_model("own,h", "p/m"));
    }

    #[test]
    fn the_shipped_table_prices_the_usual_models() {
        let book = PriceBook::with_shipped().unwrap();
        let cost = book.cost(&hash(SHIPPED), "gpt-4o-mini", 1_790_000_000_000_000, Some(12), Some(5));
        assert_eq!(cost.unwrap().to_string(), "0.0000048");
    }

    #[test]
    fn a_table_whose_times_cannot_be_read_is_refused() {
        let table = TABLE.replace("\"2025-01-01T00:00:00Z\",\"valid_to\"", "\"tomorrow\",\"valid_to\"");
        assert_eq!(parse(&table).unwrap_err(), "m: `tomorrow` is not an RFC 3339 time");
    }
}
