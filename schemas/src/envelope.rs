//! What surrounds an event: the CloudEvents Kafka binary binding, as record headers.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

pub const CONTENT_TYPE: &str = "application/vnd.apache.avro+single-object";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub id: Uuid,
    /// `dev.retrace.trace.recorded.v1`
    pub kind: String,
    /// Which service wrote it, e.g. `/retrace/ingest`.
    pub source: String,
    pub time: OffsetDateTime,
    /// The aggregate: a trace id, a user, …
    pub subject: String,
    pub tenant: String,
    /// A pseudonym of who did it; never a name or an address.
    pub actor: String,
    pub request_id: String,
    pub traceparent: Option<String>,
    /// From where and as whom it was done, sealed ([`crate::audit::client`]).
    pub client: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the record has no `{0}` header")]
    Missing(&'static str),
    #[error("the record's `{0}` header cannot be read")]
    Malformed(&'static str),
}

impl Envelope {
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("ce_specversion", "1.0".to_owned()),
            ("content-type", CONTENT_TYPE.to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_type", self.kind.clone()),
            ("ce_source", self.source.clone()),
            ("ce_time", self.time.format(&Rfc3339).unwrap_or_default()),
            ("ce_subject", self.subject.clone()),
            ("ce_tenant", self.tenant.clone()),
            ("ce_actor", self.actor.clone()),
            ("ce_requestid", self.request_id.clone()),
        ];
        if let Some(parent) = &self.traceparent {
            headers.push(("ce_traceparent", parent.clone()));
        }
        if let Some(client) = &self.client {
            headers.push(("ce_client", client.clone()));
        }
        headers
    }

    pub fn from_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Envelope, EnvelopeError> {
        let mut found: [Option<&'a str>; 10] = [None; 10];
        const NAMES: [&str; 10] = [
            "ce_id",
            "ce_type",
            "ce_source",
            "ce_time",
            "ce_subject",
            "ce_tenant",
            "ce_actor",
            "ce_requestid",
            "ce_traceparent",
            "ce_client",
        ];
        for (name, value) in headers {
            if let Some(at) = NAMES.iter().position(|known| *known == name) {
                found[at] = Some(std::str::from_utf8(value).map_err(|_| EnvelopeError::Malformed(NAMES[at]))?);
            }
        }
        let text = |at: usize| found[at].map(str::to_owned).ok_or(EnvelopeError::Missing(NAMES[at]));
        Ok(Envelope {
            id: Uuid::parse_str(&text(0)?).map_err(|_| EnvelopeError::Malformed("ce_id"))?,
            kind: text(1)?,
            source: text(2)?,
            time: OffsetDateTime::parse(&text(3)?, &Rfc3339).map_err(|_| EnvelopeError::Malformed("ce_time"))?,
            subject: text(4)?,
            tenant: text(5)?,
            actor: text(6)?,
            request_id: text(7)?,
            traceparent: found[8].map(str::to_owned),
            client: found[9].map(str::to_owned),
        })
    }
}
