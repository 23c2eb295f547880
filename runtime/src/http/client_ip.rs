//! The real client's address: X-Forwarded-For counts only as far as trusted proxies wrote it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;

use crate::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

pub fn trusted(settings: &Settings) -> anyhow::Result<Vec<IpAddr>> {
    Settings::list(&settings.trusted_proxies)
        .map(|text| {
            text.parse().map_err(|_| anyhow::anyhow!("the setting `trusted_proxies`: `{text}` is not an address"))
        })
        .collect()
}

impl ClientIp {
    pub fn of(parts: &Parts, trusted: &[IpAddr]) -> ClientIp {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
        let mut client = peer;
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        for hop in hops.iter().rev() {
            if !trusted.contains(&client) {
                break;
            }
            match hop.parse() {
                Ok(address) => client = address,
                Err(_) => break,
            }
        }
        ClientIp(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip_of(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let request = axum::http::Request::builder().header("x-forwarded-for", forwarded).body(()).unwrap();
        let mut parts = request.into_parts().0;
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        ClientIp::of(&parts, &trusted).0.to_string()
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        assert_eq!(ip_of("9.9.9.9", "1.1.1.1", &[]), "9.9.9.9");
        assert_eq!(ip_of("10.0.0.1", "6.6.6.6, 1.1.1.1", &["10.0.0.1"]), "1.1.1.1");
        assert_eq!(ip_of("10.0.0.1", "1.1.1.1, 10.0.0.2", &["10.0.0.1", "10.0.0.2"]), "1.1.1.1");
        assert_eq!(ip_of("10.0.0.1", "garbage", &["10.0.0.1"]), "10.0.0.1");
    }
}
