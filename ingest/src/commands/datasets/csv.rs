//! CSV as RFC 4180 has it, a record at a time, each with the line that it begins in.

use std::borrow::Cow;

pub struct Records<'a> {
    rest: &'a str,
    line: usize,
}

#[derive(Debug, PartialEq)]
pub struct Record<'a> {
    pub line: usize,
    pub cells: Vec<Cow<'a, str>>,
}

impl<'a> Records<'a> {
    pub fn new(text: &'a str) -> Records<'a> {
        Records { rest: text, line: 1 }
    }

    /// Whether a line ended here.
    fn end_of_line(&mut self) -> bool {
        let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
        let Some(rest) = rest else { return false };
        self.rest = rest;
        self.line += 1;
        true
    }

    fn cell(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let Some(mut rest) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let (cell, rest) = self.rest.split_at(end);
            // Of the line's end, or the file's.
            let bare = if rest.starts_with(',') { cell } else { cell.strip_suffix('\r').unwrap_or(cell) };
            self.rest = self.rest.split_at(bare.len()).1;
            return Ok(Cow::Borrowed(bare));
        };
        let mut cell = Cow::Borrowed("");
        loop {
            let (inside, behind) = rest.split_once('"').ok_or("has a quote that is not closed")?;
            self.line += inside.matches('\n').count();
            match behind.strip_prefix('"') {
                Some(further) => {
                    cell = Cow::Owned(format!("{cell}{inside}\""));
                    rest = further;
                }
                None => {
                    cell = if cell.is_empty() { Cow::Borrowed(inside) } else { Cow::Owned(format!("{cell}{inside}")) };
                    self.rest = behind;
                    return Ok(cell);
                }
            }
        }
    }

    fn record(&mut self) -> Result<Vec<Cow<'a, str>>, &'static str> {
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if self.end_of_line() || self.rest.trim_start_matches('\r').is_empty() {
                return Ok(cells);
            } else {
                return Err("has text behind a closing quote");
            }
        }
    }
}

impl<'a> Iterator for Records<'a> {
    /// A fault ends the file: where the next record begins is not known.
    type Item = Result<Record<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.end_of_line() {}
        if self.rest.trim_start_matches('\r').is_empty() {
            return None;
        }
        let line = self.line;
        let cells = self.record();
        if cells.is_err() {
            self.rest = "";
        }
        Some(cells.map(|cells| Record { line, cells }).map_err(|fault| format!("line {line} {fault}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<(usize, Vec<String>), String>> {
        let cells = |record: Record<'_>| (record.line, record.cells.into_iter().map(Cow::into_owned).collect());
        Records::new(text).map(|record| record.map(cells)).collect()
    }

    fn record(line: usize, cells: &[&str]) -> Result<(usize, Vec<String>), String> {
        Ok((line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn cells_are_what_was_quoted() {
        let text = "a,b\r\n\"x\"\"y\",\"two\nlines, \"\"and\"\" more\"\r\n\r\n,\n1 \"2\" 3,\"\"\n\"\"\"\",é";
        let expected = [
            record(1, &["a", "b"]),
            record(2, &["x\"y", "two\nlines, \"and\" more"]),
            record(5, &["", ""]),
            record(6, &["1 \"2\" 3", ""]),
            record(7, &["\"", "é"]),
        ];
        assert_eq!(read(text), expected);
        assert_eq!(read("a\r"), [record(1, &["a"])]);
        assert_eq!(read("a\rb,c"), [record(1, &["a\rb", "c"])]);
        assert_eq!(read("\n\r\n"), []);
    }

    #[test]
    fn a_fault_names_its_line_and_ends_the_file() {
        assert_eq!(read("a\n\"b\nc"), [record(1, &["a"]), Err("line 2 has a quote that is not closed".to_owned())]);
        assert_eq!(read("\"a\"b\nc"), [Err("line 1 has text behind a closing quote".to_owned())]);
    }
}
