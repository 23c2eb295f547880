//! Whole numbers in bodies: JSON does not tell `12` from `12.0`, and clients in JavaScript or Python write either.

/// The number of a JSON text, if it is whole and not negative.
pub fn whole(raw: &str) -> Option<u64> {
    let (digits, zeros) = raw.split_once('.').unwrap_or((raw, "0"));
    if zeros.is_empty() || !zeros.bytes().all(|b| b == b'0') {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn whole_is_whole_however_it_is_written() {
        for (raw, expected) in
            [("12", Some(12)), ("12.0", Some(12)), ("12.00", Some(12)), ("0", Some(0)), ("-0.5", None), ("12.5", None)]
        {
            assert_eq!(whole(raw), expected, "{raw}");
        }
        assert_eq!(["-1", "12.", ".0", "\"12\"", "true", "1e3"].map(whole), [None; 6]);
    }
}
