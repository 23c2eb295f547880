//! Who opens a tape: told to ingest behind the request, once a viewer and day. Nobody can tell from it who that was: what is
//! told is a hash that takes the installation's secret, of address, user agent, tape and day.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use runtime::Problem;
use runtime::http::ClientIp;
use runtime::position::Signer;
use runtime::tapes::View;
use schemas::events::TapeViewed;
use serde_bytes::ByteArray;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::state::AppState;

/// Words in the user agents of programs that call themselves browsers.
const BOTS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "preview",
    "headless",
    "lighthouse",
    "embed",
    "facebookexternalhit",
    "monitor",
];

/// Whoever asks.
pub struct Visitor {
    ip: String,
    agent: String,
    /// A person who looks at it now, as far as that can be told.
    counts: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visitor, Problem> {
        let ClientIp(ip) =
            parts.extensions.get::<ClientIp>().copied().ok_or_else(|| Problem::internal("a route without its gate"))?;
        let agent = text(&parts.headers, header::USER_AGENT.as_str());
        let counts = parts.method == Method::GET && is_browser(&agent) && !is_prefetch(&parts.headers);
        Ok(Visitor { ip: ip.to_string(), agent, counts })
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
}

fn is_browser(agent: &str) -> bool {
    agent.starts_with("mozilla/") && !BOTS.iter().any(|word| agent.contains(word))
}

/// Browsers read ahead what may never be looked at.
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let purpose = text(headers, name);
        purpose.contains("prefetch") || purpose.contains("prerender") || purpose.contains("preview")
    })
}

/// From the answer of a tape: where the viewer is a new one of this day, ingest is told later.
pub fn told(state: &AppState, tenant: &str, tape: Uuid, visitor: &Visitor) {
    if visitor.counts {
        let day = OffsetDateTime::now_utc().unix_timestamp().div_euclid(86_400);
        let viewer = ByteArray::new(viewer(&state.signer, tape, day, visitor));
        let viewed = TapeViewed { tape_id: tape.to_string(), day, viewer };
        state.views.tell(View { tenant: tenant.to_owned(), viewed });
    }
}

fn viewer(signer: &Signer, tape: Uuid, day: i64, visitor: &Visitor) -> [u8; 16] {
    signer.derive("tape viewer", format!("{tape}\0{day}\0{}\0{}", visitor.ip, visitor.agent).as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn programs_and_what_is_read_ahead_do_not_count() {
        assert!(is_browser("mozilla/5.0 (x11; linux x86_64; rv:140.0) gecko/20100101 firefox/140.0"));
        for program in
            ["", "curl/8.5.0", "python-requests/2.32", "mozilla/5.0 (compatible; googlebot/2.1)", "slackbot 1.0"]
        {
            assert!(!is_browser(program), "{program}");
        }
        let mut headers = HeaderMap::new();
        assert!(!is_prefetch(&headers));
        headers.insert("sec-purpose", HeaderValue::from_static("Prefetch;prerender"));
        assert!(is_prefetch(&headers));
    }

    #[test]
    fn a_viewer_is_one_of_a_tape_and_a_day() {
        let signer = Signer::new("s");
        let visitor = |ip: &str| Visitor { ip: ip.to_owned(), agent: "mozilla/5.0".to_owned(), counts: true };
        let of = |tape, day, ip| viewer(&signer, Uuid::from_u128(tape), day, &visitor(ip));
        assert_eq!(of(1, 1, "1.1.1.1"), of(1, 1, "1.1.1.1"));
        for other in [of(2, 1, "1.1.1.1"), of(1, 2, "1.1.1.1"), of(1, 1, "1.1.1.2")] {
            assert_ne!(other, of(1, 1, "1.1.1.1"));
        }
        assert_ne!(viewer(&Signer::new("t"), Uuid::from_u128(1), 1, &visitor("1.1.1.1")), of(1, 1, "1.1.1.1"));
    }
}
