//! What tokens cost: docs/SEMANTICS.md, "Derived values" and "Price tables".

use std::collections::HashMap;

use schemas::Money;
use schemas::prices::{PriceEntry, parse};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Of a call. Those that a cache was read from or written to are part of the input.
pub struct Tokens {
    pub input: i64,
    pub cache_read: i64,
    pub cache_write: i64,
    pub output: i64,
}

/// Every table that was published, by hash; in a table, the entries of each name (in lower case) in the table's order.
#[derive(Default)]
pub struct Prices {
    tables: HashMap<String, HashMap<String, Vec<PriceEntry>>>,
}

impl Prices {
    pub fn add(&mut self, hash: &str, text: &str) -> Result<(), String> {
        let mut models: HashMap<String, Vec<PriceEntry>> = HashMap::new();
        for model in parse(text)?.models {
            let mut names = model.aliases;
            names.push(model.model);
            names.iter_mut().for_each(|name| *name = name.to_lowercase());
            names.sort();
            names.dedup();
            for name in names {
                models.entry(name).or_default().extend(model.prices.iter().cloned());
            }
        }
        self.tables.insert(hash.to_owned(), models);
        Ok(())
    }

    pub fn knows(&self, hash: &str) -> bool {
        self.tables.contains_key(hash)
    }

    /// `named`: the hashes of an event, comma separated; `at`: microseconds.
    pub fn cost(&self, named: &str, model: &str, at: i64, tokens: Tokens) -> Option<Money> {
        let model = model.to_lowercase();
        let mut entries = hashes(named).filter_map(|hash| self.tables.get(hash)?.get(&model)).flatten();
        let entry = entries.find(|entry| valid(entry, at))?;
        let Tokens { input, cache_read, cache_write, output } = tokens;
        let tier = entry.tiers.iter().filter(|t| t.above_input_tokens < input).max_by_key(|t| t.above_input_tokens);
        let (p_in, p_out, p_read, p_write) = match tier {
            Some(tier) => (&tier.input, &tier.output, &tier.cache_read, &tier.cache_write),
            None => (&entry.input, &entry.output, &entry.cache_read, &entry.cache_write),
        };
        let price = |text: &str| Money::parse(text).ok();
        // Without a price of its own, what is cached is input like any other.
        let (p_in, p_out, p_read, p_write) = (
            price(p_in)?,
            price(p_out)?,
            price(p_read.as_ref().unwrap_or(p_in))?,
            price(p_write.as_ref().unwrap_or(p_in))?,
        );
        let plain = (i128::from(input) - i128::from(cache_read) - i128::from(cache_write)).max(0);
        let parts = [(p_in, plain), (p_read, cache_read.into()), (p_write, cache_write.into()), (p_out, output.into())];
        let sum =
            parts.iter().try_fold(0i128, |sum, (price, tokens)| sum.checked_add(price.0.checked_mul(*tokens)?))?;
        Money(sum).ratio(1, 1_000_000)
    }
}

pub fn hashes(named: &str) -> impl Iterator<Item = &str> {
    named.split(',').filter(|hash| !hash.is_empty())
}

fn valid(entry: &PriceEntry, at: i64) -> bool {
    let at = i128::from(at) * 1000;
    let nanos = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().map(|time| time.unix_timestamp_nanos());
    // A bound that cannot be read holds for no time.
    let from = entry.valid_from.as_deref().is_none_or(|text| nanos(text).is_some_and(|from| from <= at));
    let to = entry.valid_to.as_deref().is_none_or(|text| nanos(text).is_some_and(|to| at < to));
    from && to
}
