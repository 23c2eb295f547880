//! Moments in statements and in answers.

use jiff::Timestamp;
use runtime::http::micros_rfc3339;

/// A time in whole seconds as answers have it.
pub fn time_of(seconds: i64) -> String {
    micros_rfc3339(seconds.saturating_mul(1_000_000))
}

/// How far back the newest rows are looked for, further each time; nothing: as far as there are any. A scan in the order of
/// time cannot stop early, as rows may be replaced by later ones.
pub const LOOKS_BACK: [Option<i64>; 3] = [Some(DAY_US), Some(30 * DAY_US), None];
const DAY_US: i64 = 86_400_000_000;

pub fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// A time in microseconds as a value of `started_at`.
pub fn moment(micros: i64) -> String {
    format!("fromUnixTimestamp64Micro({micros}, 'UTC')")
}
