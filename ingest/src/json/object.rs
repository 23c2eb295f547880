//! A body of which nothing need be repaired: an object, or all of its faults.

use runtime::Problem;

use super::{Fields, Reader, Repaired, scan, syntax_fault};

/// `read` reads the fields; what it faults is the answer.
pub fn object<T>(body: &[u8], read: impl FnOnce(&mut Reader<'_, '_>) -> T) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|e| Problem::bad_request(format!("the body is not UTF-8 at byte {}", e.valid_up_to())))?;
    let scanned = scan(text).map_err(Problem::bad_request)?;
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    for repair in &scanned.repairs {
        faults.push(match repair.what {
            Repaired::Surrogate => format!("{} holds a lone surrogate", repair.path),
            Repaired::NonFinite => format!("{} is not a finite number", repair.path),
        });
    }
    let fields: Fields<'_> = serde_json::from_str(&scanned.text).map_err(|e| Problem::bad_request(syntax_fault(&e)))?;
    let mut reader = Reader { fields, prefix: String::new(), faults: &mut faults, warnings: &mut warnings };
    let found = read(&mut reader);
    if faults.is_empty() { Ok(found) } else { Err(Problem::faults(faults)) }
}
