//! Reading what clients send: lenient where a run would be lost for a payload value, strict and exact elsewhere.

mod fields;
mod scan;

pub use fields::{CLOCK_STEP_US, Fields, Reader};
pub use scan::{Repaired, scan};
