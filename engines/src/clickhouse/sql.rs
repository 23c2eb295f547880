//! The little that must be understood of a statement to route it.

/// How a statement is run.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Kind {
    /// May be answered block by block.
    Read,
    Insert,
    Other,
}

pub(super) fn kind(sql: &str) -> Kind {
    let word: String = skip_blank(sql).chars().take_while(char::is_ascii_alphabetic).collect();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" => Kind::Read,
        "INSERT" => Kind::Insert,
        _ => Kind::Other,
    }
}

/// Skips white space, comments and opening brackets.
fn skip_blank(mut sql: &str) -> &str {
    loop {
        let trimmed = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let rest = if let Some(comment) = trimmed.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, rest)| rest)
        } else {
            return trimmed;
        };
        sql = rest;
    }
}

/// Whether the statement may name a format or file of its own; a word in a string counts too, to be on the safe side.
pub(super) fn may_name_format(sql: &str) -> bool {
    sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| word.eq_ignore_ascii_case("format") || word.eq_ignore_ascii_case("outfile"))
}

/// Splits `INSERT … FORMAT X` into the part before and `X`.
pub(super) fn split_format(sql: &str) -> Option<(&str, &str)> {
    let sql = sql.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let format_start = sql.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')? + 1;
    let (before, format) = sql.split_at(format_start);
    let before = before.trim_end();
    let keyword_start = before.len().checked_sub("FORMAT".len())?;
    let keyword = before.get(keyword_start..)?;
    let statement = before.get(..keyword_start)?;
    (keyword.eq_ignore_ascii_case("format")
        && statement.ends_with(|c: char| c.is_whitespace() || c == ')')
        && !format.is_empty())
    .then(|| (statement.trim_end(), format))
}

pub(super) fn string_literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub(super) fn quoted_identifier(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

pub(super) fn is_setting_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_by_its_first_word() {
        assert_eq!(kind("-- note\n /* x */ (select 1)"), Kind::Read);
        assert_eq!(kind("WITH 1 AS x SELECT x"), Kind::Read);
        assert_eq!(kind(" insert into t values (1)"), Kind::Insert);
        assert_eq!(kind("SHOW TABLES"), Kind::Other);
        assert_eq!(kind("/* never closed"), Kind::Other);
    }

    #[test]
    fn an_insert_is_split_from_its_format() {
        assert_eq!(split_format("INSERT INTO t(a) FORMAT RowBinary"), Some(("INSERT INTO t(a)", "RowBinary")));
        assert_eq!(
            split_format("insert into t settings a=1\nformat\n JSONEachRow ;\n"),
            Some(("insert into t settings a=1", "JSONEachRow"))
        );
        assert_eq!(split_format("INSERT INTO t VALUES (1)"), None);
        assert_eq!(split_format("INSERT INTO myformat x"), None);
    }

    #[test]
    fn quoting_leaves_no_way_out() {
        assert_eq!(string_literal(r"a'\b"), r"'a\'\\b'");
        assert_eq!(quoted_identifier("a`b"), r"`a\`b`");
        assert!(!is_setting_name("a=1,b") && !is_setting_name("") && is_setting_name("max_threads"));
    }
}
