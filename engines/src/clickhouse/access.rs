//! The front's password: any user of the machine, and any web page in a browser on it, can reach the loopback port.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

/// Checks credentials as ClickHouse takes them: `X-ClickHouse-Key` or basic authentication.
pub(super) fn is_allowed(headers: &HeaderMap, password: Option<&str>) -> bool {
    let Some(password) = password else {
        return true;
    };
    let given = headers
        .get("x-clickhouse-key")
        .map(|key| key.as_bytes().to_vec())
        .or_else(|| headers.get(header::AUTHORIZATION).and_then(|value| basic_password(value.as_bytes())));
    // Comparing digests takes the same time however much of the password is right.
    given.is_some_and(|given| digest(&SHA256, &given).as_ref() == digest(&SHA256, password.as_bytes()).as_ref())
}

fn basic_password(value: &[u8]) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(value.strip_prefix(b"Basic ")?).ok()?;
    let colon = decoded.iter().position(|&b| b == b':')?;
    decoded.get(colon + 1..).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_giving_the_password_work() {
        let headers = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers
        };
        assert!(is_allowed(&HeaderMap::new(), None));
        assert!(!is_allowed(&HeaderMap::new(), Some("p")));
        assert!(is_allowed(&headers("x-clickhouse-key", "p"), Some("p")));
        assert!(!is_allowed(&headers("x-clickhouse-key", "q"), Some("p")));
        assert!(is_allowed(&headers("authorization", "Basic dTpw"), Some("p")));
        assert!(!is_allowed(&headers("authorization", "Basic !"), Some("p")));
    }
}
