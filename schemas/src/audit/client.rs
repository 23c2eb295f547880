//! From where and as whom a write came: sealed in the record's header `ce_client`, under a key that a tenant has for each
//! month. When the month is old enough its key is dropped, and the chain stands without it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, OffsetDateTime};
use uuid::Uuid;

use crate::sealing::{self, SealError, SealingKey};

const OWNER: &str = "audit/";
const KEY_ID: usize = 16;
const OFFSET: usize = 8;
const NONCE: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub ip: String,
    pub user: String,
    /// `api_key rt_abcdefgh`, with the shown part of the key, `bearer`, or `webhook`.
    pub auth: String,
}

/// As the header has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedClient {
    pub key_id: [u8; KEY_ID],
    pub key_offset: i64,
    nonce: [u8; NONCE],
    bytes: Vec<u8>,
}

/// Who owns the keys of a month: `audit/2026-11`.
pub fn owner(time: OffsetDateTime) -> String {
    format!("{OWNER}{:04}-{:02}", time.year(), u8::from(time.month()))
}

/// Whether an owner of keys is a month that ended at least so many days ago.
pub fn is_expired(owner: &str, now: OffsetDateTime, days: u64) -> bool {
    let Some(end) = owner.strip_prefix(OWNER).and_then(end_of) else { return false };
    end <= now - Duration::days(days.min(1_000_000) as i64)
}

fn end_of(month: &str) -> Option<OffsetDateTime> {
    let (year, month) = month.split_once('-')?;
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let year: i32 = year.parse().ok()?;
    let year = if month == Month::December { year.checked_add(1)? } else { year };
    Some(Date::from_calendar_date(year, month.next(), 1).ok()?.midnight().assume_utc())
}

/// The header of an event.
pub fn seal(key: &SealingKey, event: Uuid, client: &Client) -> Result<String, SealError> {
    let mut sealed = serde_json::to_vec(client).map_err(|_| SealError::Seal)?;
    let nonce = sealing::encrypt(key, &about(event), &mut sealed)?;
    let mut bytes = Vec::with_capacity(KEY_ID + OFFSET + NONCE + sealed.len());
    bytes.extend_from_slice(&key.id);
    bytes.extend_from_slice(&key.offset.to_be_bytes());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl SealedClient {
    /// None for a header that is not one of ours.
    pub fn parse(header: &str) -> Option<SealedClient> {
        let bytes = URL_SAFE_NO_PAD.decode(header).ok()?;
        let (key_id, rest) = bytes.split_first_chunk::<KEY_ID>()?;
        let (offset, rest) = rest.split_first_chunk::<OFFSET>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        Some(SealedClient {
            key_id: *key_id,
            key_offset: i64::from_be_bytes(*offset),
            nonce: *nonce,
            bytes: sealed.to_vec(),
        })
    }

    pub fn open(&self, secret: &[u8; 32], event: Uuid) -> Option<Client> {
        let mut bytes = self.bytes.clone();
        serde_json::from_slice(sealing::decrypt(secret, self.nonce, &about(event), &mut bytes).ok()?).ok()
    }
}

/// It does not fit another event, nor is it an event's content.
fn about(event: Uuid) -> Vec<u8> {
    [b"client\0", event.as_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_client_opens_under_its_key_for_its_event_only() {
        let key = SealingKey { offset: 7, ..SealingKey::generate().unwrap() };
        let client = Client { ip: "192.0.2.1".to_owned(), user: "ann".to_owned(), auth: "bearer".to_owned() };
        let (event, other) = (Uuid::now_v7(), Uuid::now_v7());
        let header = seal(&key, event, &client).unwrap();
        assert!(!header.contains("192") && header.is_ascii());
        let sealed = SealedClient::parse(&header).unwrap();
        assert_eq!((sealed.key_id, sealed.key_offset), (key.id, 7));
        assert_eq!(sealed.open(&key.secret, event), Some(client));
        assert_eq!(sealed.open(&key.secret, other), None);
        assert_eq!(sealed.open(&[0; 32], event), None);
        for header in ["", "x", "AAAA", "ä"] {
            assert_eq!(SealedClient::parse(header), None);
        }
    }

    #[test]
    fn a_month_expires_so_many_days_after_its_end() {
        let now = datetime!(2026-11-26 12:00 UTC);
        assert_eq!(owner(now), "audit/2026-11");
        for (owner, days, expired) in [
            ("audit/2026-11", 0, false),
            ("audit/2026-10", 0, true),
            ("audit/2026-10", 25, true),
            ("audit/2026-10", 26, false),
            ("audit/2025-12", 329, true),
            ("audit/2025-12", 330, false),
            ("audit/2026-10", u64::MAX, false),
            ("audit/2026-13", 0, false),
            ("audit/x", 0, false),
            ("skills/2020-01", 0, false),
            ("2020-01", 0, false),
        ] {
            assert_eq!(is_expired(owner, now, days), expired, "{owner} {days}");
        }
    }
}
