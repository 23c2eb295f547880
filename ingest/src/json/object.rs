//! A body, or a line of one, of which nothing need be repaired: an object, or all of its faults.

use runtime::Problem;

use super::{Fields, Reader, Repaired, scan, syntax_fault};

/// `read` reads the fields; what it faults is the answer.
pub fn object<T>(body: &[u8], read: impl FnOnce(&mut Reader<'_, '_>) -> T) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|e| Problem::bad_request(format!("the body is not UTF-8 at byte {}", e.valid_up_to())))?;
    let mut faults = Vec::new();
    let found = read_object(text, "", &mut faults, read).map_err(|fault| {
        Problem::bad_request(match fault {
            Malformed::Nested(fault) => fault,
            Malformed::Syntax(cause) => syntax_fault(&cause),
        })
    })?;
    if faults.is_empty() { Ok(found) } else { Err(Problem::faults(faults)) }
}

/// An object on a line of a body; none where it has faults, which say the line.
pub fn line<T>(
    text: &str,
    number: usize,
    faults: &mut Vec<String>,
    read: impl FnOnce(&mut Reader<'_, '_>) -> T,
) -> Option<T> {
    let before = faults.len();
    match read_object(text, &format!("line {number}: "), faults, read) {
        Ok(found) => return Some(found).filter(|_| faults.len() == before),
        Err(Malformed::Nested(fault)) => faults.push(format!("line {number}: {fault}")),
        Err(Malformed::Syntax(cause)) if cause.is_data() => faults.push(format!("line {number} is not a JSON object")),
        Err(Malformed::Syntax(cause)) => {
            faults.push(format!("line {number} is not valid JSON at column {}", cause.column()));
        }
    }
    None
}

/// Why there are no fields to read.
enum Malformed {
    Nested(String),
    Syntax(serde_json::Error),
}

fn read_object<T>(
    text: &str,
    prefix: &str,
    faults: &mut Vec<String>,
    read: impl FnOnce(&mut Reader<'_, '_>) -> T,
) -> Result<T, Malformed> {
    let scanned = scan(text).map_err(Malformed::Nested)?;
    let fields: Fields<'_> = serde_json::from_str(&scanned.text).map_err(Malformed::Syntax)?;
    for repair in &scanned.repairs {
        faults.push(match repair.what {
            Repaired::Surrogate => format!("{prefix}{} holds a lone surrogate", repair.path),
            Repaired::NonFinite => format!("{prefix}{} is not a finite number", repair.path),
        });
    }
    let mut warnings = Vec::new();
    let mut reader = Reader { fields, prefix: prefix.to_owned(), faults, warnings: &mut warnings };
    Ok(read(&mut reader))
}
