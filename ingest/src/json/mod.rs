//! Reading what clients send: lenient where a run would be lost for a payload value, strict and exact elsewhere.

mod fields;
mod object;
mod scan;

pub use fields::{CLOCK_STEP_US, Fields, Reader};
pub use object::{line, object};
pub use scan::{Repair, Repaired, scan, scan_frame};

/// What is wrong with a body that is no object.
pub fn syntax_fault(cause: &serde_json::Error) -> String {
    if cause.is_data() {
        return "the body is not a JSON object".to_owned();
    }
    format!("the body is not valid JSON at line {} column {}", cause.line(), cause.column())
}
