//! Billing at Dodo Payments: its API ([`dodo`]), and the signatures of what it sends ([`signature`]).

mod dodo;
mod signature;

use std::time::Duration;

use axum::http::HeaderMap;
use runtime::{Problem, Settings};
use time::OffsetDateTime;

pub use dodo::{Dodo, Fault, Purchase};

use signature::{Secrets, Signed};

pub struct Billing {
    /// Where a key is set.
    dodo: Option<Dodo>,
    secrets: Secrets,
    tolerance: Duration,
    /// How long a plan goes on after a payment failed.
    pub grace: Duration,
    /// Hosts, with their port where it is not the usual one.
    return_hosts: Vec<String>,
    base_url: String,
}

impl Billing {
    pub fn new(settings: &Settings) -> anyhow::Result<Billing> {
        Ok(Billing {
            dodo: Dodo::new(settings)?,
            secrets: Secrets::read(&settings.dodo_webhook_secret)?,
            tolerance: Duration::from_secs(settings.billing_webhook_tolerance_seconds),
            grace: Duration::from_secs(u64::from(settings.billing_grace_days) * 86_400),
            return_hosts: Settings::list(&settings.billing_return_hosts).map(str::to_ascii_lowercase).collect(),
            base_url: settings.base_url(),
        })
    }

    pub fn dodo(&self) -> Result<&Dodo, Problem> {
        self.dodo.as_ref().ok_or_else(|| not_set_up("dodo_api_key"))
    }

    /// The id of a webhook that one of the secrets has signed, not long ago.
    pub fn verify<'a>(&self, headers: &'a HeaderMap, body: &[u8]) -> Result<&'a str, Problem> {
        if self.secrets.is_empty() {
            return Err(not_set_up("dodo_webhook_secret"));
        }
        let signed = Signed::read(headers, body).map_err(|fault| Problem::bad_request(fault.to_string()))?;
        let verified = self.secrets.verify(&signed, OffsetDateTime::now_utc().unix_timestamp(), self.tolerance);
        verified.map_err(|refused| Problem::unauthorized(refused.to_string()))?;
        Ok(signed.id)
    }

    /// Where a buyer may be sent back to: a path of this server, or a host that the settings name.
    pub fn return_url(&self, text: &str) -> Result<String, &'static str> {
        const FAULT: &str = "is neither a path nor a URL of a host in the setting billing_return_hosts";
        // Browsers read a backslash as a slash, and leave out what controls.
        if text.contains('\\') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(FAULT);
        }
        if text.starts_with('/') {
            return if text.starts_with("//") { Err(FAULT) } else { Ok(format!("{}{text}", self.base_url)) };
        }
        let url = reqwest::Url::parse(text).map_err(|_| FAULT)?;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(FAULT),
        };
        let is_plain =
            matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
        if is_plain && self.return_hosts.contains(&host) { Ok(url.into()) } else { Err(FAULT) }
    }
}

fn not_set_up(setting: &str) -> Problem {
    let message = format!("Billing is not set up on this server: the setting {setting} is empty");
    Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_is_sent_back_to_known_hosts_only() {
        let settings = Settings {
            public_url: "https://retrace.example.com/".to_owned(),
            billing_return_hosts: "app.example.com, localhost:3000".to_owned(),
            ..Settings::default()
        };
        let billing = Billing::new(&settings).unwrap();
        for (text, url) in [
            ("/settings?paid=1", "https://retrace.example.com/settings?paid=1"),
            ("https://app.example.com/done", "https://app.example.com/done"),
            ("HTTPS://APP.example.com:443/done", "https://app.example.com/done"),
            ("http://localhost:3000", "http://localhost:3000/"),
        ] {
            assert_eq!(billing.return_url(text).as_deref(), Ok(url), "{text}");
        }
        for text in [
            "",
            "settings",
            "//evil.example.com",
            "/\\evil.example.com",
            "/a\n",
            "https://evil.example.com/app.example.com",
            "https://app.example.com.evil.com/",
            "https://app.example.com@evil.com/",
            "https://ann:secret@app.example.com/",
            "https://app.example.com:8443/",
            "http://localhost/",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(billing.return_url(text).is_err(), "{text}");
        }
    }
}
