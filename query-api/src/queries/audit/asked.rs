//! What is asked for.

use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::AUDIT_QUERY;
use runtime::position::Signer;

use super::find::Place;
use crate::cursor::Cursor;
use crate::downloads::csv;
use crate::params::Params;
use crate::times::moment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => csv::CONTENT_TYPE,
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
        }
    }
}

pub struct Asked {
    pub format: Format,
    pub limit: usize,
    pub filters: Filters,
    pub after: Option<Place>,
    /// What cursors are bound to.
    pub purpose: String,
}

#[derive(Debug)]
pub struct Filters {
    from: Option<i64>,
    to: Option<i64>,
    /// Pseudonyms; any of them.
    actors: Vec<String>,
    /// How the kinds begin, with a dot at their end.
    kind: Option<String>,
    subject: Option<String>,
}

impl Asked {
    pub fn read(pairs: Vec<(String, String)>, principal: &Principal, signer: &Signer) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, AUDIT_QUERY);
        let format = match params.one_of("format").as_deref() {
            Some("csv") => Format::Csv,
            _ => Format::Json,
        };
        let limit = params.whole("limit") as usize;
        let filters = Filters::read(&mut params, principal);
        let purpose = format!("audit\0{filters:?}");
        let after = Cursor::asked(&mut params, signer, &purpose).and_then(|cursor| Place::of(&cursor));
        params.finish()?;
        Ok(Asked { format, limit, filters, after, purpose })
    }
}

impl Filters {
    fn read(params: &mut Params, principal: &Principal) -> Filters {
        let (from, to) = (params.time("from"), params.time("to"));
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            params.fault("from is not before to".to_owned());
        }
        let actors = params.text("actor").map_or_else(Vec::new, |actor| {
            let user = Principal { user: actor.clone(), ..principal.clone() };
            vec![user.actor(), actor]
        });
        let kind = params.text("type").map(|text| {
            let text = if text.starts_with("dev.retrace.") { text } else { format!("dev.retrace.{text}") };
            format!("{text}.")
        });
        Filters { from, to, actors, kind, subject: params.text("subject") }
    }

    /// What they say of a row, and the values in it.
    pub fn condition(&self) -> (String, Vec<&str>) {
        let (mut condition, mut values) = ("true".to_owned(), Vec::new());
        let mut and = |more: &str| {
            condition.push_str(" AND ");
            condition.push_str(more);
        };
        if let Some(from) = self.from {
            and(&format!("time >= {}", moment(from)));
        }
        if let Some(to) = self.to {
            and(&format!("time < {}", moment(to)));
        }
        if let [pseudonym, actor] = &self.actors[..] {
            and("actor IN (?, ?)");
            values.extend([pseudonym.as_str(), actor.as_str()]);
        }
        if let Some(kind) = &self.kind {
            and("startsWith(concat(kind, '.'), ?)");
            values.push(kind);
        }
        if let Some(subject) = &self.subject {
            and("subject = ?");
            values.push(subject);
        }
        (condition, values)
    }
}
