//! The files read again, each by a reader that did not write it: lines as JSON, CSV by the `csv` crate, Parquet by
//! ClickHouse from a file.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::harness::{Client, engines};

pub const FORMATS: [&str; 3] = ["ndjson", "csv", "parquet"];
const JSON: [&str; 5] = ["input", "output", "metadata", "token_ids", "logprobs"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noun {
    Traces,
    Spans,
}

impl Noun {
    pub fn path(self) -> &'static str {
        match self {
            Noun::Traces => "/api/v1/traces/export",
            Noun::Spans => "/api/v1/spans/export",
        }
    }
}

/// A trace or span: its fields as they are written in JSON, so that numbers are compared by their digits.
#[derive(Debug)]
pub struct Document(BTreeMap<String, Box<RawValue>>);

impl Document {
    pub fn read(json: &str) -> Document {
        Document(serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}")))
    }

    pub fn take(&mut self, name: &str) -> Vec<Document> {
        let raw = self.0.remove(name).unwrap();
        let fields: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(raw.get()).unwrap();
        fields.into_iter().map(Document).collect()
    }

    pub fn text(&self, name: &str) -> String {
        serde_json::from_str(self.0[name].get()).unwrap()
    }
}

fn is_payload(name: &str) -> bool {
    name == "error" || JSON.contains(&name)
}

/// Texts and lists may be written in several ways; all else is compared to the character. The line breaks of JSON that
/// was sent over several lines are spaces in the files.
pub fn assert_same(expected: &Document, found: &Document, noun: Noun, payloads: bool, path: &str) {
    let names = |document: &Document| document.0.keys().cloned().collect::<Vec<_>>();
    let asked: Vec<String> = names(expected).into_iter().filter(|name| payloads || !is_payload(name)).collect();
    assert_eq!(asked, names(found), "{path} {noun:?}");
    for name in asked {
        let (expected, found) = (expected.0[&name].get(), found.0[&name].get());
        let same = if !JSON.contains(&name.as_str()) && expected.starts_with(['"', '[']) {
            serde_json::from_str::<Value>(expected).unwrap() == serde_json::from_str::<Value>(found).unwrap()
        } else {
            expected.replace(['\n', '\r'], " ") == found.replace(['\n', '\r'], " ")
        };
        let short = |text: &str| text.chars().take(300).collect::<String>();
        assert!(same, "{path} {name}: expected {}, found {}", short(expected), short(found));
    }
}

/// All rows of a file, in its order, which is that of the ids.
pub async fn get(client: &Client, path: &str, noun: Noun, format: &str, payloads: bool) -> Vec<Document> {
    let file = client.download(path).await;
    let rows = match format {
        "ndjson" => std::str::from_utf8(&file.body).unwrap().split_terminator('\n').map(Document::read).collect(),
        "csv" => csv(&file.body),
        _ => parquet(&file.body, noun, payloads).await,
    };
    let ids = |row: &Document| match noun {
        Noun::Traces => (row.text("id"), String::new()),
        Noun::Spans => (row.text("trace_id"), row.text("id")),
    };
    assert!(rows.iter().map(ids).is_sorted(), "{path} is not in the order of ids");
    rows
}

/// Which fields are text, number and truth value is what the API's document says.
fn csv(file: &[u8]) -> Vec<Document> {
    const BARE: [&str; 15] = [
        "lossy",
        "golden",
        "total_tokens",
        "total_cost",
        "total_duration_ms",
        "reported_total_tokens",
        "reported_total_cost",
        "span_count",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "cost",
        "duration_ms",
    ];
    const LISTS: [&str; 3] = ["tags", "models", "warnings"];
    assert!(file.ends_with(b"\r\n"));
    let mut reader = csv::ReaderBuilder::new().from_reader(file);
    let names = reader.headers().unwrap().clone();
    let optional = |name: &str| !matches!(name, "id" | "trace_id" | "name" | "status" | "span_type");
    let records = reader.records().map(|record| {
        let record = record.unwrap();
        let fields = names.iter().zip(&record).map(|(name, cell)| {
            let json = if cell.is_empty() && optional(name) {
                "null".to_owned()
            } else if BARE.contains(&name) || LISTS.contains(&name) || JSON.contains(&name) {
                cell.to_owned()
            } else {
                let risky = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
                assert!(!cell.starts_with(risky), "{name} begins like a formula: {cell:?}");
                serde_json::to_string(cell.strip_prefix('\'').unwrap_or(cell)).unwrap()
            };
            (name.to_owned(), RawValue::from_string(json).unwrap())
        });
        Document(fields.collect())
    });
    records.collect()
}

async fn parquet(file: &[u8], noun: Noun, payloads: bool) -> Vec<Document> {
    let endpoints = engines().await.stack.endpoints();
    let clickhouse = clickhouse::Client::default()
        .with_url(&endpoints.clickhouse_url)
        .with_user(&endpoints.clickhouse_user)
        .with_password(&endpoints.clickhouse_password);
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(file).unwrap();
    let path = on_disk.path().to_str().unwrap();
    let described: Vec<(String, String, String, String, String, String, String)> =
        clickhouse.query("DESCRIBE file(?, 'Parquet')").bind(path).fetch_all().await.unwrap();
    let types: BTreeMap<&str, &str> = described.iter().map(|row| (row.0.as_str(), row.1.as_str())).collect();
    let typed: &[(&str, &str)] = match noun {
        Noun::Traces => &[
            ("started_at", "DateTime64(6, 'UTC')"),
            ("total_cost", "Decimal(38, 12)"),
            ("total_duration_ms", "Nullable(Decimal(38, 3))"),
            ("tags", "Array(String)"),
            ("lossy", "Bool"),
            ("span_count", "UInt64"),
        ],
        Noun::Spans => &[
            ("started_at", "Nullable(DateTime64(6, 'UTC'))"),
            ("cost", "Nullable(Decimal(38, 12))"),
            ("input_tokens", "Nullable(Int64)"),
            ("cache_read_tokens", "Nullable(Int64)"),
        ],
    };
    for (name, kind) in typed {
        // A reader of the format takes any column for one that may be null.
        let plain = |kind: &str| kind.replace("Nullable(", "").trim_end_matches("))").trim_end_matches(')').to_owned();
        assert_eq!(plain(types[name]), plain(kind), "{name}");
    }
    assert_eq!(types.contains_key("error"), payloads);
    let mut cursor = clickhouse
        .query("SELECT * FROM file(?, 'Parquet') SETTINGS input_format_parquet_preserve_order = 1")
        .bind(path)
        .with_setting("date_time_output_format", "iso")
        .with_setting("output_format_json_quote_64bit_integers", "0")
        .with_setting("output_format_json_quote_decimals", "0")
        .with_setting("max_threads", "1")
        .fetch_bytes("JSONEachRow")
        .unwrap();
    let bytes = cursor.collect().await.unwrap();
    let lines = std::str::from_utf8(&bytes).unwrap().split_terminator('\n');
    lines.map(|line| from_parquet(Document::read(line))).collect()
}

/// Payloads are texts in a file with types: JSON in them is taken out.
fn from_parquet(mut row: Document) -> Document {
    for (name, value) in &mut row.0 {
        if JSON.contains(&name.as_str()) && value.get() != "null" {
            *value = RawValue::from_string(serde_json::from_str(value.get()).unwrap()).unwrap();
        }
    }
    row
}
