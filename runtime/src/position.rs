//! Positions: opaque, authenticated tokens for the log records that a request wrote.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::Problem;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub topic: Topic,
    pub partition: i32,
    pub offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Telemetry,
    Workspace,
}

/// Signs positions and cursors with the installation's secret.
#[derive(Clone)]
pub struct Signer(hmac::Key);

const TAG_BYTES: usize = 16;

impl Signer {
    pub fn new(secret: &str) -> Signer {
        Signer(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// `purpose` keeps a token of one kind from being taken for another.
    pub fn sign(&self, purpose: &str, payload: &[u8]) -> String {
        let mut bytes = self.tag(purpose, payload);
        bytes.extend_from_slice(payload);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn verify(&self, purpose: &str, token: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG_BYTES)?;
        let same = self.tag(purpose, payload).iter().zip(tag).fold(0u8, |acc, (a, b)| acc | (a ^ b)) == 0;
        same.then(|| payload.to_vec())
    }

    /// What nobody without the secret can tell, the same for the same.
    pub fn derive(&self, purpose: &str, payload: &[u8]) -> [u8; TAG_BYTES] {
        let mut derived = [0; TAG_BYTES];
        derived.copy_from_slice(&self.tag(purpose, payload));
        derived
    }

    fn tag(&self, purpose: &str, payload: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(payload);
        context.sign().as_ref()[..TAG_BYTES].to_vec()
    }

    pub fn position(&self, position: &Position) -> String {
        let mut payload = Vec::with_capacity(position.records.len() * 13);
        for record in &position.records {
            payload.push(match record.topic {
                Topic::Telemetry => 0,
                Topic::Workspace => 1,
            });
            payload.extend_from_slice(&record.partition.to_be_bytes());
            payload.extend_from_slice(&record.offset.to_be_bytes());
        }
        self.sign("position", &payload)
    }

    /// Reads one `x-retrace-after` header: one or several tokens separated by commas.
    pub fn read_positions(&self, header: &str) -> Result<Position, Problem> {
        let fault = || Problem::bad_request("x-retrace-after is not a position of this server");
        let mut records = Vec::new();
        for token in header.split(',').map(str::trim) {
            let payload = self.verify("position", token).ok_or_else(fault)?;
            for chunk in payload.chunks(13) {
                let (topic, rest) = chunk.split_first().ok_or_else(fault)?;
                let (partition, offset) = rest.split_first_chunk::<4>().ok_or_else(fault)?;
                let offset: [u8; 8] = offset.try_into().map_err(|_| fault())?;
                records.push(Record {
                    topic: if *topic == 0 { Topic::Telemetry } else { Topic::Workspace },
                    partition: i32::from_be_bytes(*partition),
                    offset: i64::from_be_bytes(offset),
                });
            }
        }
        Ok(Position { records })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_round_trip_and_cannot_be_forged() {
        let signer = Signer::new("s");
        let position = Position { records: vec![Record { topic: Topic::Workspace, partition: 3, offset: 1 << 40 }] };
        let token = signer.position(&position);
        assert_eq!(signer.read_positions(&token).unwrap(), position);
        assert_eq!(signer.read_positions(&format!("{token}, {token}")).unwrap().records.len(), 2);
        assert!(Signer::new("other").read_positions(&token).is_err());
        assert!(signer.verify("cursor", &token).is_none());
        assert!(signer.read_positions("AAAA").is_err());
    }
}
