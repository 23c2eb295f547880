//! Times in answers: RFC 3339, UTC, `Z`, microseconds.

use time::OffsetDateTime;
use time::macros::format_description;

pub fn rfc3339(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

/// From microseconds since 1970.
pub fn micros_rfc3339(micros: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map(rfc3339).unwrap_or_default()
}
