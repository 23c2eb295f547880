//! What was spent in a period, by time or group. [`filters`] says of which traces, [`source`] from which tables and in which
//! pieces it is answered, [`sums`] reads and adds.

mod cut_days;
mod filters;
mod source;
mod sums;

pub use filters::Filters;
pub use source::Group;
pub use sums::{Line, Order, Sums, by_group, by_time, total};
