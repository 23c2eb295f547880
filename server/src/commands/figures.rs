//! Durations, tokens and money as a reader likes them.

/// Of milliseconds.
pub(super) fn duration(ms: f64) -> String {
    let sign = if ms < 0.0 { "-" } else { "" };
    let ms = ms.abs();
    let minutes = (ms / 60_000.0).floor();
    match ms {
        ms if ms < 10.0 => format!("{sign}{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{sign}{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{sign}{:.2} s", ms / 1_000.0),
        ms => format!("{sign}{minutes:.0} m {:02.0} s", ((ms - minutes * 60_000.0) / 1_000.0).floor()),
    }
}

/// With a comma at each thousand.
pub(super) fn tokens(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{}{} tokens", if count < 0 { "-" } else { "" }, groups.join(","))
}

/// Of US dollars as the interface writes them, exact.
pub(super) fn cost(amount: &str) -> String {
    match amount.strip_prefix('-') {
        Some(amount) => format!("-${amount}"),
        None => format!("${amount}"),
    }
}

/// With its sign also where it is positive.
pub(super) fn signed(figure: String) -> String {
    if figure.starts_with('-') { figure } else { format!("+{figure}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_exact_where_they_are_money() {
        let shown = [0.24, 812.4, 1_234.0, 125_900.0, -1_500.0].map(duration);
        assert_eq!(shown, ["0.2 ms", "812 ms", "1.23 s", "2 m 05 s", "-1.50 s"]);
        assert_eq!(
            [0, 999, 1_234, -1_234_567].map(tokens),
            ["0 tokens", "999 tokens", "1,234 tokens", "-1,234,567 tokens"]
        );
        assert_eq!((cost("0.0000125").as_str(), cost("-3").as_str()), ("$0.0000125", "-$3"));
        assert_eq!((signed("3".to_owned()).as_str(), signed("-3".to_owned()).as_str()), ("+3", "-3"));
    }
}
