//! The text of a version in lines, and which of them differ.

use std::time::{Duration, Instant};

use insights::diff::json::compact;
use insights::diff::text::edits;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::documents::PromptLines;
use super::super::versions::VersionRow;

/// After that the rest is compared coarsely.
const LONGEST: Duration = Duration::from_millis(500);

pub fn between(from: &str, to: &str) -> Vec<PromptLines> {
    let (before, after): (Vec<&str>, Vec<&str>) = (from.split('\n').collect(), to.split('\n').collect());
    let rows = edits(&before, &after, Instant::now() + LONGEST).into_iter();
    rows.map(|(op, lines)| PromptLines { op: op.name(), lines: lines.into_iter().map(str::to_owned).collect() })
        .collect()
}

/// A text prompt as it is; a chat's messages one below the other.
pub fn text(version: &VersionRow) -> String {
    if let Some(content) = &version.content {
        return content.clone();
    }
    let messages: Option<Vec<&RawValue>> = version.messages.as_deref().and_then(|text| serde_json::from_str(text).ok());
    messages.unwrap_or_default().into_iter().map(said).collect::<Vec<_>>().join("\n")
}

fn said(message: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Message<'a> {
        role: String,
        #[serde(borrow)]
        content: &'a RawValue,
    }
    let Ok(Message { role, content }) = serde_json::from_str(message.get()) else { return compact(message.get()) };
    if let Ok(text) = serde_json::from_str::<String>(content.get()) {
        return format!("{role}: {text}");
    }
    let parts: Vec<&RawValue> = serde_json::from_str(content.get()).unwrap_or_default();
    format!("{role}: {}", parts.into_iter().map(part).collect::<Vec<_>>().join("\n"))
}

fn part(part: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Part {
        r#type: String,
        text: String,
    }
    match serde_json::from_str(part.get()) {
        Ok(Part { r#type, text }) if r#type == "text" => text,
        _ => compact(part.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::version;
    use super::*;

    fn shown(from: &str, to: &str) -> Vec<String> {
        let line = |part: PromptLines| format!("{} {}", part.op, part.lines.join("|"));
        between(from, to).into_iter().map(line).collect()
    }

    #[test]
    fn lines_that_stay_go_and_come() {
        assert_eq!(shown("a\nb\nc", "a\nx\ny\nc\nd"), ["equal a", "delete b", "insert x|y", "equal c", "insert d"]);
        assert_eq!(shown("a\nb", "a\nb"), ["equal a|b"]);
        // A line break at the end is a line more.
        assert_eq!(shown("a", "a\n"), ["equal a", "insert "]);
    }

    #[test]
    fn a_chat_is_a_line_a_message() {
        let chat = version(
            None,
            Some(
                r#"[{"role":"system","content":"Be brief.\nBe kind."},{"role":"user","content":
                    [{"type":"text","text":"look:"},{"type":"image_url","image_url": {"url": "u"}}]}]"#,
            ),
        );
        let image = r#"{"type":"image_url","image_url":{"url":"u"}}"#;
        assert_eq!(text(&chat), format!("system: Be brief.\nBe kind.\nuser: look:\n{image}"));
    }

    #[test]
    fn texts_without_a_common_line_end_within_a_bound() {
        let (one, other): (Vec<String>, Vec<String>) = (0..60_000).map(|n| (format!("{n}"), format!("x{n}"))).unzip();
        let started = Instant::now();
        assert_eq!(between(&one.join("\n"), &other.join("\n")).len(), 2);
        assert!(started.elapsed() < 10 * LONGEST);
    }
}
