//! What a call costs by the price tables that an event names. Tables are immutable, so that a fold of the log at any
//! later time prices alike.

use std::collections::HashMap;

use super::{PriceEntry, PriceTable, PriceTier, SHIPPED, Usage, hash, micros, parse};
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
    rates: Rates,
    /// (above this many input tokens, its rates), lowest mark first.
    tiers: Vec<(i64, Rates)>,
}

/// Per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    pub input: Money,
    pub output: Money,
    /// As plain input where the table has no price of its own for them.
    pub cache_read: Money,
    pub cache_write: Money,
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

    /// The models of a provider with a price at a time, by the first of the tables that has any.
    pub fn models<'b>(&'b self, tables: &'b str, provider: &'b str, at: i64) -> impl Iterator<Item = &'b Price> {
        let table = tables
            .split(',')
            .filter_map(|hash| self.tables.get(hash))
            .find(|table| table.prices.iter().any(|price| price.provider == provider && price.is_valid(at)));
        let prices = table.into_iter().flat_map(|table| &table.prices);
        prices.filter(move |price| price.provider == provider && price.is_valid(at))
    }

    /// What a call costs that began at `at`; none without a price, or without tokens.
    pub fn cost(&self, tables: &str, model: &str, at: i64, usage: Usage) -> Option<Money> {
        if usage.input.is_none() && usage.output.is_none() {
            return None;
        }
        let (_, price) = self.price(tables, model, at)?;
        price.cost(usage)
    }
}

impl Price {
    fn read(provider: &str, model: &str, entry: PriceEntry) -> Result<Price, String> {
        let money = |text: &str| Money::parse(text).map_err(|fault| format!("{model}: `{text}` {fault}"));
        let time = |text: &Option<String>| text.as_deref().map(micros).transpose();
        let rates = |input: &str, output: &str, read: &Option<String>, write: &Option<String>| {
            let input = money(input)?;
            let cached = |own: &Option<String>| own.as_deref().map_or(Ok(input), money);
            Ok::<Rates, String>(Rates {
                input,
                output: money(output)?,
                cache_read: cached(read)?,
                cache_write: cached(write)?,
            })
        };
        let own = rates(&entry.input, &entry.output, &entry.cache_read, &entry.cache_write)?;
        let tier = |tier: &PriceTier| {
            Ok((tier.above_input_tokens, rates(&tier.input, &tier.output, &tier.cache_read, &tier.cache_write)?))
        };
        let mut tiers = entry.tiers.iter().map(tier).collect::<Result<Vec<_>, String>>()?;
        tiers.sort_by_key(|(above, _)| *above);
        Ok(Price {
            provider: provider.to_owned(),
            model: model.to_owned(),
            from: time(&entry.valid_from)?,
            to: time(&entry.valid_to)?,
            rates: own,
            tiers,
            entry,
        })
    }

    fn is_valid(&self, at: i64) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// What calls of so many input tokens pay.
    pub fn rates(&self, input: i64) -> &Rates {
        self.tiers.iter().rev().find(|(above, _)| input > *above).map_or(&self.rates, |(_, rates)| rates)
    }

    /// The marks above which calls pay more or less, lowest first.
    pub fn tiers(&self) -> impl Iterator<Item = (i64, &Rates)> {
        self.tiers.iter().map(|(above, rates)| (*above, rates))
    }

    pub fn cost(&self, usage: Usage) -> Option<Money> {
        let input = usage.input.unwrap_or(0);
        self.rates(input).cost(usage)
    }
}

impl Rates {
    /// Cached tokens beyond the input, as a late correction may leave them, are taken at their word.
    pub fn cost(&self, usage: Usage) -> Option<Money> {
        let [input, output, read, write] =
            [usage.input, usage.output, usage.cache_read, usage.cache_write].map(|tokens| tokens.unwrap_or(0));
        let plain = input.saturating_sub(read.saturating_add(write)).max(0);
        let parts = [(self.input, plain), (self.cache_read, read), (self.cache_write, write), (self.output, output)];
        let mut sum = 0i128;
        for (rate, tokens) in parts {
            sum = sum.checked_add(rate.0.checked_mul(i128::from(tokens))?)?;
        }
        Money(sum).ratio(1, MILLION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"version":"t","currency":"USD","unit":"","models":[{"provider":"p","model":"m","aliases":["P/M"],
        "prices":[{"valid_from":null,"valid_to":"2025-01-01T00:00:00Z","source":"s","input":"4","output":"8"},
                  {"valid_from":"2025-01-01T00:00:00Z","valid_to":null,"source":"s","input":"2.5","output":"10",
                   "cache_read":"0.25",
                   "tiers":[{"above_input_tokens":200000,"input":"5","output":"15","cache_read":"0.5"}]}]}]}"#;
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
        of(model, at, Usage { input, output, ..Usage::default() })
    }

    fn of(model: &str, at: i64, usage: Usage) -> Option<String> {
        book().cost("other,h", model, at, usage).map(|money| money.to_string())
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
    fn cached_tokens_are_part_of_the_input_at_their_own_price() {
        let usage = |input, read, write| Usage {
            input: Some(input),
            output: None,
            cache_read: Some(read),
            cache_write: Some(write),
        };
        // 600 plain and 100 written at 2.5, 300 read at 0.25 a million
        assert_eq!(of("m", NEW, usage(1000, 300, 100)).as_deref(), Some("0.001825"));
        // Without a price of their own they are plain input.
        assert_eq!(of("m", OLD, usage(1000, 300, 100)).as_deref(), Some("0.004"));
        // In the tier, at its.
        assert_eq!(of("m", NEW, usage(300_000, 100_000, 0)).as_deref(), Some("1.05"));
        assert_eq!(of("m", NEW, usage(10, 20, 0)).as_deref(), Some("0.000005"));
    }

    #[test]
    fn the_models_of_a_provider() {
        let book = book();
        let of = |provider, at| {
            book.models("other,own,h", provider, at).map(|price| price.model.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of("p", NEW), ["m"]);
        assert_eq!(of("q", NEW), ["M"]);
        assert!(of("q", OLD).is_empty());
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
        let cost = book.cost(
            &hash(SHIPPED),
            "gpt-4o-mini",
            1_790_000_000_000_000,
            Usage { input: Some(12), output: Some(5), ..Usage::default() },
        );
        assert_eq!(cost.unwrap().to_string(), "0.0000048");
    }

    #[test]
    fn a_table_whose_times_cannot_be_read_is_refused() {
        let table = TABLE.replace("\"2025-01-01T00:00:00Z\",\"valid_to\"", "\"tomorrow\",\"valid_to\"");
        assert_eq!(parse(&table).unwrap_err(), "m: `tomorrow` is not an RFC 3339 time");
    }
}
