//! The body of an import → its items, or the faults of all its lines.

use axum::http::StatusCode;
use runtime::Problem;
use schemas::events::DatasetItemContent;
use serde_json::value::RawValue;

use super::csv::{Record, Records};
use super::parse;
use crate::json;

/// As a batch of spans has.
pub const MOST_ITEMS: usize = 10_000;
const COLUMNS: &[&str] = &["id", "input", "expected_output", "metadata", "source"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    pub fn of(media_type: &str) -> Result<Format, Problem> {
        match media_type {
            "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => Ok(Format::Json),
            "text/csv" => Ok(Format::Csv),
            other => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("Content-Type `{other}` is neither application/x-ndjson nor text/csv"),
            )),
        }
    }
}

pub fn read(format: Format, body: &[u8], user: &str) -> Result<Vec<DatasetItemContent>, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|e| Problem::bad_request(format!("the body is not UTF-8 at byte {}", e.valid_up_to())))?;
    // As spreadsheets write it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Lines { user, items: Vec::new(), faults: Vec::new(), count: 0 };
    match format {
        Format::Json => lines.of_json(text)?,
        Format::Csv => lines.of_csv(text)?,
    }
    if !lines.faults.is_empty() {
        return Err(Problem::faults(lines.faults));
    }
    if lines.items.is_empty() {
        return Err(Problem::bad_request("the body has no items"));
    }
    Ok(lines.items)
}

struct Lines<'a> {
    user: &'a str,
    items: Vec<DatasetItemContent>,
    faults: Vec<String>,
    count: usize,
}

impl Lines<'_> {
    fn of_json(&mut self, text: &str) -> Result<(), Problem> {
        for (number, line) in (1..).zip(text.split('\n')) {
            if !line.trim().is_empty() {
                self.count()?;
                self.take(number, line.trim_end_matches('\r'));
            }
        }
        Ok(())
    }

    fn of_csv(&mut self, text: &str) -> Result<(), Problem> {
        let mut records = Records::new(text);
        let Some(header) = records.next().transpose().map_err(Problem::bad_request)? else { return Ok(()) };
        let columns = columns(&header)?;
        for record in records {
            self.count()?;
            match record.and_then(|record| Ok((record.line, object(&record, &columns)?))) {
                Ok((number, line)) => self.take(number, &line),
                Err(fault) => self.faults.push(fault),
            }
        }
        Ok(())
    }

    /// Faults are bounded by it as well.
    fn count(&mut self) -> Result<(), Problem> {
        self.count += 1;
        if self.count <= MOST_ITEMS {
            return Ok(());
        }
        Err(Problem::bad_request(format!("the body has more than {MOST_ITEMS} items")))
    }

    fn take(&mut self, number: usize, line: &str) {
        let user = self.user;
        let read = json::line(line, number, &mut self.faults, |reader| parse::imported(reader, user));
        self.items.extend(read);
    }
}

fn columns<'a>(header: &'a Record<'_>) -> Result<Vec<&'a str>, Problem> {
    let columns: Vec<&str> = header.cells.iter().map(|cell| cell.trim()).collect();
    let mut faults = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        if !COLUMNS.contains(column) {
            // A body without a header has anything here.
            let shown: String = column.chars().take(40).collect();
            faults.push(format!("line 1: the column `{shown}` is none of {}", COLUMNS.join(", ")));
        } else if columns[..at].contains(column) {
            faults.push(format!("line 1: the column `{column}` is there twice"));
        }
    }
    if faults.is_empty() { Ok(columns) } else { Err(Problem::faults(faults)) }
}

/// The record as a line of JSON.
fn object(record: &Record<'_>, columns: &[&str]) -> Result<String, String> {
    let line = record.line;
    if record.cells.len() != columns.len() {
        return Err(format!("line {line} has {} cells, not {} as line 1", record.cells.len(), columns.len()));
    }
    let mut object = String::from("{");
    for (column, cell) in columns.iter().zip(&record.cells).filter(|(column, _)| **column != "id") {
        let json = value(cell).ok_or_else(|| format!("line {line}: {column} begins like JSON, but is none"))?;
        if object.len() > 1 {
            object.push(',');
        }
        object.push_str(&format!("\"{column}\":{json}"));
    }
    object.push('}');
    Ok(object)
}

/// A cell is JSON where it can be, and else text; what only JSON begins with is not taken for text by mistake.
fn value(cell: &str) -> Option<String> {
    let trimmed = cell.trim();
    if trimmed.is_empty() {
        return Some("null".to_owned());
    }
    if serde_json::from_str::<&RawValue>(trimmed).is_ok() {
        return Some(trimmed.to_owned());
    }
    if trimmed.starts_with(['{', '[', '"']) {
        return None;
    }
    serde_json::to_string(cell).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(format: Format, body: &str) -> Result<Vec<String>, String> {
        let read = read(format, body.as_bytes(), "ann").map_err(|problem| problem.message)?;
        Ok(read.into_iter().map(|item| item.input.unwrap_or_default()).collect())
    }

    #[test]
    fn lines_of_json_are_items() {
        let body = "\u{feff}{\"input\": {\"a\":  1}}\r\n\n{\"input\":\"b\",\"id\":7}";
        assert_eq!(inputs(Format::Json, body).unwrap(), ["{\"a\":  1}", "\"b\""]);
        let faults = inputs(Format::Json, "{}\n[1]\n{\"input\":\n{\"input\":NaN}\n\n{\"input\":1,\"source\":1}");
        assert_eq!(
            faults.unwrap_err(),
            "line 1: input is missing; line 2 is not a JSON object; line 3 is not valid JSON at column 9; \
             line 4: input is not a finite number; line 4: input is missing; line 6: source is not an object with a trace_id"
        );
        assert_eq!(inputs(Format::Json, "\n").unwrap_err(), "the body has no items");
        let many = "{\"input\":1}\n".repeat(MOST_ITEMS + 1);
        assert_eq!(inputs(Format::Json, &many).unwrap_err(), "the body has more than 10000 items");
    }

    #[test]
    fn cells_of_csv_are_json_or_text() {
        let body = "id,input,metadata\n1,What is 2+2?,\n2,5,{}\n3,\"{\"\"a\"\": 1}\",\n4,\"\"\"5\"\"\",true\n5, =x ,";
        let expected = ["\"What is 2+2?\"", "5", "{\"a\": 1}", "\"5\"", "\" =x \""];
        assert_eq!(inputs(Format::Csv, body).unwrap(), expected);
        let faults = inputs(Format::Csv, "input,metadata\n1\n{a,\n,1\n\"x");
        assert_eq!(
            faults.unwrap_err(),
            "line 2 has 1 cells, not 2 as line 1; line 3: input begins like JSON, but is none; line 4: input is missing; \
             line 5 has a quote that is not closed"
        );
        assert_eq!(
            inputs(Format::Csv, "input;metadata,input,input\n").unwrap_err(),
            "line 1: the column `input;metadata` is none of id, input, expected_output, metadata, source; \
             line 1: the column `input` is there twice"
        );
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(Format::of("text/csv").unwrap(), Format::Csv);
        assert_eq!(Format::of("application/json").unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
