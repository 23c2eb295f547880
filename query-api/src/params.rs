//! Query parameters: each read by its type, the unknown and the malformed refused by name, all in one answer.

use std::collections::HashMap;

use runtime::Problem;
use runtime::http::parameters::{self, Kind};
use schemas::Money;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub struct Params {
    query: parameters::Query,
    values: HashMap<String, String>,
    faults: Vec<String>,
}

impl Params {
    /// Of what the route's documentation names.
    pub fn new(pairs: Vec<(String, String)>, query: parameters::Query) -> Params {
        let mut params = Params { query, values: HashMap::new(), faults: Vec::new() };
        for (name, value) in pairs {
            let Some(parameter) = parameters::find(query, &name) else {
                params.faults.push(format!("there is no parameter `{name}`"));
                continue;
            };
            if value.contains('\0') && matches!(parameter.kind, Kind::Text | Kind::Form(_)) {
                params.faults.push(format!("{name} contains NUL"));
            }
            if params.values.insert(name.clone(), value).is_some() {
                params.faults.push(format!("{name} is given twice"));
            }
        }
        for parameter in query.iter().copied().flatten().filter(|parameter| parameter.is_needed) {
            if !params.values.contains_key(parameter.name) {
                params.faults.push(format!("{} is missing", parameter.name));
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

    /// Within the bounds of its documentation; its default where it is not given.
    pub fn whole(&mut self, name: &str) -> u64 {
        let default = match self.kind(name) {
            Some(Kind::Whole(_, _, default)) => default.unwrap_or_default(),
            _ => 0,
        };
        self.whole_if_given(name).unwrap_or(default)
    }

    pub fn whole_if_given(&mut self, name: &str) -> Option<u64> {
        let Some(Kind::Whole(least, most, _)) = self.kind(name) else { return self.undocumented(name) };
        let number = self.values.get(name)?.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.faults.push(format!("{name} is not a whole number from {least} to {most}"));
        }
        number
    }

    /// One of those that its documentation names.
    pub fn one_of(&mut self, name: &str) -> Option<String> {
        let Some(Kind::OneOf(all)) = self.kind(name) else { return self.undocumented(name) };
        let text = self.values.get(name)?;
        if all.contains(&text.as_str()) {
            return Some(text.clone());
        }
        self.faults.push(format!("{name} is not one of {}", all.join(", ")));
        None
    }

    /// A mistake of ours, which the first request shows.
    fn undocumented<T>(&mut self, name: &str) -> Option<T> {
        self.faults.push(format!("{name} is not documented as what it is"));
        None
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        Some(parameters::find(self.query, name)?.kind)
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

    pub fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::faults(self.faults)) }
    }
}
