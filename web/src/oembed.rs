//! oEmbed 1.0 (oembed.com): what a site asks to unfold a link to a tape.

use serde::Serialize;

use crate::{Error, Tape, pages::heading};

const WIDTH: u32 = 960;
pub(crate) const HEIGHT: u32 = 620;
/// How long a consumer may keep the answer, in seconds.
const CACHE_AGE: u32 = 3600;

/// The answer for one link, as JSON.
#[derive(Serialize)]
pub struct Answer {
    version: &'static str,
    r#type: &'static str,
    provider_name: &'static str,
    provider_url: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<String>,
    cache_age: u32,
    thumbnail_url: String,
    thumbnail_width: usize,
    thumbnail_height: usize,
    html: String,
    width: u32,
    height: u32,
}

impl Answer {
    /// `most_width` and `most_height` are the `maxwidth` and `maxheight` of the request.
    pub fn new(tape: &Tape<'_>, most_width: Option<u32>, most_height: Option<u32>) -> Self {
        let Tape { base_url, slug, author, .. } = *tape;
        let title = heading(tape);
        let width = most_width.map_or(WIDTH, |most| most.min(WIDTH));
        let height = most_height.map_or(HEIGHT, |most| most.min(HEIGHT));
        Self {
            version: "1.0",
            r#type: "rich",
            provider_name: "Retrace",
            provider_url: format!("{base_url}/"),
            author_name: author.map(crate::text::visible),
            cache_age: CACHE_AGE,
            thumbnail_url: format!("{base_url}/t/{slug}/card.png"),
            thumbnail_width: crate::card::WIDTH,
            thumbnail_height: crate::card::HEIGHT,
            html: embed_code(base_url, slug, &title, &width.to_string(), height),
            width,
            height,
            title,
        }
    }

    pub fn json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string(self)?)
    }
}

/// The slug of the tape that `url`, a page or an embed of this server, shows. None for any other address.
pub fn slug_of<'a>(url: &'a str, base_url: &str) -> Option<&'a str> {
    let path = url.strip_prefix(base_url)?;
    let rest = path.strip_prefix("/t/").or_else(|| path.strip_prefix("/embed/"))?;
    let slug = rest.split(['?', '#']).next()?.trim_end_matches('/');
    let is_plain = !slug.is_empty() && slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_plain.then_some(slug)
}

/// Where a page says that its oEmbed answer is.
pub(crate) fn address(base_url: &str, slug: &str) -> String {
    format!("{base_url}/oembed?url={}", escaped_url(&format!("{base_url}/t/{slug}")))
}

/// The iframe to paste.
pub(crate) fn embed_code(base_url: &str, slug: &str, title: &str, width: &str, height: u32) -> String {
    let title = escaped(title);
    let source = escaped(&format!("{base_url}/embed/{slug}"));
    format!(
        "<iframe src=\"{source}\" title=\"{title}\" width=\"{width}\" height=\"{height}\" frameborder=\"0\" \
         loading=\"lazy\" allow=\"clipboard-write\" allowfullscreen></iframe>"
    )
}

/// For use within an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// For use as a value in a query.
fn escaped_url(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_tapes_of_this_server_have_a_slug() {
        let base = "https://tapes.example";
        let slug = |url| slug_of(url, base);
        assert_eq!(slug("https://tapes.example/t/a-tape_1"), Some("a-tape_1"));
        assert_eq!(slug("https://tapes.example/embed/a-tape_1/?step=3#list"), Some("a-tape_1"));
        for other in [
            "https://tapes.example/t/",
            "https://tapes.example/x/a-tape",
            "https://tapes.example.evil/t/a-tape",
            "https://elsewhere.example/t/a-tape",
            "https://tapes.example/t/a/b",
            "https://tapes.example/t/%2e%2e",
        ] {
            assert_eq!(slug(other), None, "{other}");
        }
    }

    #[test]
    fn a_title_does_not_leave_its_attribute() {
        let code = embed_code("https://a.example", "s", "\"><script>&", "100%", 620);
        assert!(code.contains("title=\"&quot;&gt;&lt;script&gt;&amp;\""), "{code}");
        assert_eq!(address("https://a.example", "s"), "https://a.example/oembed?url=https%3A%2F%2Fa.example%2Ft%2Fs");
    }
}
