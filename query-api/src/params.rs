//! Query parameters: each read by its type, the unknown and the malformed refused by name, all in one answer.

use std::collections::HashMap;

use runtime::Problem;
use runtime::http::parameters;
use schemas::Money;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub struct Params {
    values: HashMap<String, String>,
    faults: Vec<String>,
}

impl Params {
    /// Of what the route's documentation names.
    pub fn new(pairs: Vec<(String, String)>, query: parameters::Query) -> Params {
        let mut params = Params { values: HashMap::new(), faults: Vec::new() };
        for (name, value) in pairs {
            if !parameters::names(query).any(|known| known == name) {
                params.faults.push(format!("there is no parameter `{name}`"));
            } else if params.values.insert(name.clone(), value).is_some() {
                params.faults.push(format!("{name} is given twice"));
            }
        }
        params
    }

    pub fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    pub fn whole(&mut self, name: &str, least: u64, most: u64, default: u64) -> u64 {
        let Some(text) = self.values.get(name) else { return default };
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.faults.push(format!("{name} is not a whole number from {least} to {most}"));
                default
            }
        }
    }

    /// Microseconds since 1970.
    pub fn time(&mut self, name: &str) -> Option<i64> {
        let text = self.values.get(name)?;
        match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(time) if (1970..=2200).contains(&time.year()) => Some((time.unix_timestamp_nanos() / 1000) as i64),
            _ => {
                self.faults.push(format!("{name} is not an RFC 3339 time"));
                None
            }
        }
    }

    pub fn money(&mut self, name: &str) -> Option<Money> {
        let text = self.values.get(name)?;
        match Money::parse(text) {
            Ok(money) => Some(money),
            Err(fault) => {
                self.faults.push(format!("{name} {fault}"));
                None
            }
        }
    }

    pub fn one_of(&mut self, name: &str, all: &[&str]) -> Option<String> {
        let text = self.values.get(name)?;
        if all.contains(&text.as_str()) {
            return Some(text.clone());
        }
        self.faults.push(format!("{name} is not one of {}", all.join(", ")));
        None
    }

    pub fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::faults(self.faults)) }
    }
}
