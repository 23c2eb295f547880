//! Standard Webhooks 1.0: `webhook-signature` holds HMAC-SHA256 over `id.timestamp.body`.

use std::time::Duration;

use anyhow::{Context, ensure};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use runtime::Settings;

const LONGEST_ID: usize = 256;
/// While a secret is rotated there are two.
const MOST_SIGNATURES: usize = 16;

/// Those in use: more than one while they are rotated.
pub(super) struct Secrets(Vec<hmac::Key>);

/// What came, and what it says of itself.
pub struct Signed<'a> {
    pub id: &'a str,
    timestamp: i64,
    /// Base64, of version 1.
    signatures: Vec<&'a str>,
    content: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("The header {0} is missing or is not as Standard Webhooks has it")]
    Header(&'static str),
    #[error("The webhook's signature is not valid")]
    Signature,
    #[error("The webhook's timestamp is too far from now")]
    Timestamp,
}

impl Secrets {
    pub fn read(setting: &str) -> anyhow::Result<Secrets> {
        let secret = |text: &str| {
            let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
            let bytes =
                bytes.context("the setting `dodo_webhook_secret` holds something other than whsec_ and base64")?;
            ensure!(!bytes.is_empty(), "the setting `dodo_webhook_secret` holds an empty secret");
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        Ok(Secrets(Settings::list(setting).map(secret).collect::<anyhow::Result<_>>()?))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the signatures is of one of the secrets; `now` is in seconds since 1970.
    pub fn verify(&self, signed: &Signed<'_>, now: i64, tolerance: Duration) -> Result<(), Refused> {
        let tags: Vec<Vec<u8>> =
            signed.signatures.iter().map(|text| STANDARD.decode(text).unwrap_or_default()).collect();
        let is_ours = |key: &hmac::Key| {
            let right = hmac::sign(key, &signed.content);
            tags.iter().any(|tag| are_equal(tag, right.as_ref()))
        };
        if !self.0.iter().any(is_ours) {
            return Err(Refused::Signature);
        }
        if now.abs_diff(signed.timestamp) > tolerance.as_secs() {
            return Err(Refused::Timestamp);
        }
        Ok(())
    }
}

/// It takes the same time wherever they differ.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0u8, |acc, (a, b)| acc | (a ^ b)) == 0
}

impl<'a> Signed<'a> {
    pub fn read(headers: &'a HeaderMap, body: &[u8]) -> Result<Signed<'a>, Refused> {
        let header = |name: &'static str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or(Refused::Header(name))
        };
        let id = header("webhook-id")?;
        // What is signed is joined by points.
        if id.is_empty() || id.len() > LONGEST_ID || id.contains('.') {
            return Err(Refused::Header("webhook-id"));
        }
        let text = header("webhook-timestamp")?;
        let timestamp = text.parse().map_err(|_| Refused::Header("webhook-timestamp"))?;
        let signatures = header("webhook-signature")?.split(' ').filter_map(|part| part.strip_prefix("v1,"));
        let signatures: Vec<&str> = signatures.take(MOST_SIGNATURES).collect();
        if signatures.is_empty() {
            return Err(Refused::Header("webhook-signature"));
        }
        let content = [id.as_bytes(), b".", text.as_bytes(), b".", body].concat();
        Ok(Signed { id, timestamp, signatures, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification's libraries.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const AT: i64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    const OTHER: &str = "v1,tFtCZ5RDCPxzWQRWXWPgrCgE2frDBe9gjpbWQxnVfsQ=";

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn verify(secrets: &str, headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), Refused> {
        let secrets = Secrets::read(secrets).unwrap();
        secrets.verify(&Signed::read(headers, body)?, now, Duration::from_secs(300))
    }

    #[test]
    fn the_specifications_example_holds() {
        let at = AT.to_string();
        let good = headers(ID, &at, SIGNATURE);
        assert_eq!(verify(SECRET, &good, BODY, AT), Ok(()));
        // While secrets are rotated there are two of them, or two signatures.
        let both = format!("{SECRET},whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(verify(&both, &good, BODY, AT), Ok(()));
        let several = headers(ID, &at, &format!("{OTHER} v1a,abc {SIGNATURE}"));
        assert_eq!(verify(SECRET, &several, BODY, AT), Ok(()));
    }

    #[test]
    fn nothing_else_does() {
        let at = AT.to_string();
        for (id, timestamp, signature, body) in [
            (ID, at.as_str(), OTHER, BODY),
            ("msg_2", &at, SIGNATURE, BODY),
            (ID, "1649367554", SIGNATURE, BODY),
            (ID, &at, SIGNATURE, b"{}".as_slice()),
            // An empty one, the beginning of a right one, one with more behind it, one that is no base64.
            (ID, &at, "v1,", BODY),
            (ID, &at, "v1,tZ1I", BODY),
            (ID, &at, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3KkwAAAA=", BODY),
            (ID, &at, "v1,?", BODY),
        ] {
            let refused = verify(SECRET, &headers(id, timestamp, signature), body, AT);
            assert_eq!(refused, Err(Refused::Signature), "{id} {timestamp} {signature}");
        }
        let foreign = verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &headers(ID, &at, SIGNATURE), BODY, AT);
        assert_eq!(foreign, Err(Refused::Signature));
        for (id, timestamp, signature, header) in [
            ("", at.as_str(), SIGNATURE, "webhook-id"),
            ("a.b", &at, SIGNATURE, "webhook-id"),
            (ID, "now", SIGNATURE, "webhook-timestamp"),
            (ID, &at, "v2,abc", "webhook-signature"),
        ] {
            assert_eq!(verify(SECRET, &headers(id, timestamp, signature), BODY, AT), Err(Refused::Header(header)));
        }
        assert_eq!(verify(SECRET, &HeaderMap::new(), BODY, AT), Err(Refused::Header("webhook-id")));
    }

    #[test]
    fn a_timestamp_is_of_these_minutes() {
        let good = headers(ID, &AT.to_string(), SIGNATURE);
        for now in [AT - 300, AT + 300] {
            assert_eq!(verify(SECRET, &good, BODY, now), Ok(()));
        }
        for now in [AT - 301, AT + 301, i64::MAX, i64::MIN] {
            assert_eq!(verify(SECRET, &good, BODY, now), Err(Refused::Timestamp));
        }
    }

    #[test]
    fn a_secret_is_base64() {
        assert!(Secrets::read("").unwrap().is_empty());
        for setting in ["whsec_", "whsec_?", "whsec_abc"] {
            assert!(Secrets::read(setting).is_err(), "{setting}");
        }
    }
}
