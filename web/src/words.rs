//! Figures in words: the twin of `assets/player/text.js`.

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 step`, `2 steps`.
pub(crate) fn number_of(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

pub(crate) fn duration(micros: u64) -> String {
    let milliseconds = micros as f64 / 1000.0;
    let seconds = micros / 1_000_000;
    match micros {
        0..1_000 => format!("{} ms", rounded(milliseconds, 2)),
        1_000..1_000_000 => format!("{} ms", rounded(milliseconds, 0)),
        1_000_000..10_000_000 => format!("{} s", rounded(milliseconds / 1000.0, 2)),
        10_000_000..60_000_000 => format!("{} s", rounded(milliseconds / 1000.0, 1)),
        60_000_000..3_600_000_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn rounded(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Millionths of a dollar: two digits that count below a dollar, cents above.
pub(crate) fn money(micros: u64) -> String {
    if micros >= 1_000_000 {
        let cents = (micros + 5_000) / 10_000;
        return format!("${}.{:02}", count(cents / 100), cents % 100);
    }
    let magnitude = 10_u64.pow(micros.checked_ilog10().unwrap_or(0).saturating_sub(1));
    let rounded = (micros + magnitude / 2) / magnitude * magnitude;
    let text = format!("{}.{:06}", rounded / 1_000_000, rounded % 1_000_000);
    let kept = text.trim_end_matches('0').len().max("0.00".len());
    format!("${}", &text[..kept])
}

/// The day of an RFC 3339 time, as it is read; the text itself if it is none.
pub(crate) fn day(time: &str) -> String {
    let named = || {
        let month = MONTHS.get(time.get(5..7)?.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(format!("{} {month} {}", time.get(8..10)?.parse::<u8>().ok()?, time.get(..4)?))
    };
    named().unwrap_or_else(|| time.to_owned())
}

pub(crate) fn type_label(span_type: &str) -> String {
    if span_type == "llm_call" {
        return "LLM call".to_owned();
    }
    let words = span_type.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_in_the_player() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 420, 320_000, 1_840_000, 21_400_000, 192_000_000, 7_500_000_000].map(duration),
            ["0 ms", "0.42 ms", "320 ms", "1.84 s", "21.4 s", "3 min 12 s", "2 h 5 min"]
        );
        assert_eq!(
            [0, 7, 3_670, 37_125, 500_000, 999_999, 12_345_678].map(money),
            ["$0.00", "$0.000007", "$0.0037", "$0.037", "$0.50", "$1.00", "$12.35"]
        );
        assert_eq!(["llm_call", "fork_point"].map(type_label), ["LLM call", "Fork point"]);
    }

    #[test]
    fn days_are_named() {
        assert_eq!(day("2026-11-04T20:04:50.123Z"), "4 November 2026");
        assert_eq!(day("soon"), "soon");
    }
}
