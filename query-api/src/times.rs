//! Moments in statements and in answers.

use runtime::http::micros_rfc3339;

/// A time in whole seconds as answers have it.
pub fn time_of(seconds: i64) -> String {
    micros_rfc3339(seconds.saturating_mul(1_000_000))
}

/// A time in microseconds as a value of `started_at`.
pub fn moment(micros: i64) -> String {
    format!("fromUnixTimestamp64Micro({micros}, 'UTC')")
}
