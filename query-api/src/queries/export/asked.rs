//! What is asked for.

use runtime::Problem;
use runtime::http::parameters::EXPORT_QUERY;

use crate::downloads::csv;
use crate::params::Params;
use crate::trace_filters::Filters;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Csv,
    Parquet,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Ndjson => "application/x-ndjson",
            Format::Csv => csv::CONTENT_TYPE,
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }
}

pub struct Asked {
    pub format: Format,
    pub payloads: bool,
    pub filters: Filters,
}

impl Asked {
    pub fn read(pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
        let mut params = Params::new(pairs, EXPORT_QUERY);
        let filters = Filters::read(&mut params);
        let format = match params.one_of("format").as_deref() {
            Some("csv") => Format::Csv,
            Some("parquet") => Format::Parquet,
            _ => Format::Ndjson,
        };
        let payloads = params.one_of("payloads").as_deref() != Some("false");
        params.finish()?;
        Ok(Asked { format, payloads, filters })
    }
}
