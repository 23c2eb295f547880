//! An accepted write: its envelope, its place in the log, its answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::RequestNames;
use runtime::position::Record;
use schemas::audit::{self, client};
use schemas::sealing::{self, Sealed, SealingKey};
use schemas::{Envelope, Event, codec, topics};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::publish::Outgoing;
use crate::state::AppState;

pub struct Caller<'a> {
    pub principal: &'a Principal,
    pub names: &'a RequestNames,
}

pub struct Appended<T> {
    pub status: StatusCode,
    pub body: T,
    pub position: String,
}

impl<T: Serialize> IntoResponse for Appended<T> {
    fn into_response(self) -> Response {
        (self.status, [("x-retrace-position", self.position)], Json(self.body)).into_response()
    }
}

/// Millisecond precision: CloudEvents times of one request are equal, and the fold shows them.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond()).unwrap_or(now)
}

impl AppState {
    /// Appends the events of one aggregate and returns the position token.
    pub async fn append(
        &self,
        caller: &Caller<'_>,
        partition: i32,
        subject: &str,
        events: Vec<(Uuid, Event)>,
    ) -> Result<String, Problem> {
        Ok(self.append_at(caller, partition, subject, events).await?.0)
    }

    /// As [`Self::append`], with the last record's place.
    pub async fn append_at(
        &self,
        caller: &Caller<'_>,
        partition: i32,
        subject: &str,
        events: Vec<(Uuid, Event)>,
    ) -> Result<(String, Record), Problem> {
        self.append_when(now(), caller, partition, subject, events).await
    }

    /// As [`Self::append_at`], for an answer that says when it was.
    pub async fn append_when(
        &self,
        time: OffsetDateTime,
        caller: &Caller<'_>,
        partition: i32,
        subject: &str,
        events: Vec<(Uuid, Event)>,
    ) -> Result<(String, Record), Problem> {
        let actor = caller.principal.actor();
        let client_key = self.client_key(caller, time).await?;
        let mut outgoing = Vec::with_capacity(events.len());
        for (id, event) in events {
            let envelope = Envelope {
                id,
                kind: event.kind().to_owned(),
                source: "/retrace/ingest".to_owned(),
                time,
                subject: subject.to_owned(),
                tenant: caller.principal.tenant.clone(),
                actor: actor.clone(),
                request_id: caller.names.id.clone(),
                traceparent: caller.names.traceparent.clone(),
                client: sealed_client(caller, &client_key, id, &event)?,
            };
            outgoing.push(Outgoing { envelope, event, partition });
        }
        let position = self.publisher.append(outgoing).await?;
        let last = position.records.last().copied().ok_or_else(|| Problem::internal("an append of nothing"))?;
        Ok((self.signer.position(&position), last))
    }

    /// The tenant's key of the month; acknowledged once a month, and in memory from then on.
    async fn client_key(&self, caller: &Caller<'_>, time: OffsetDateTime) -> Result<SealingKey, Problem> {
        let tenant = &caller.principal.tenant;
        let partition = topics::tenant_partition(tenant, topics::PARTITIONS);
        self.sealing_keys.of(&self.publisher, tenant, &client::owner(time), partition).await
    }

    /// Content of a workspace resource, sealed under a key of its own.
    pub async fn seal_resource<T: Serialize>(
        &self,
        caller: &Caller<'_>,
        resource: &str,
        event: Uuid,
        schema: &'static str,
        content: &T,
    ) -> Result<Sealed, Problem> {
        let tenant = &caller.principal.tenant;
        let partition = topics::tenant_partition(tenant, topics::PARTITIONS);
        let key = self.sealing_keys.of(&self.publisher, tenant, resource, partition).await?;
        let plain = codec::encode(schema, content).map_err(Problem::internal)?;
        sealing::seal(&key, event, &plain).map_err(Problem::internal)
    }
}

/// From where and as whom the caller writes, for the audit.
fn sealed_client(caller: &Caller<'_>, key: &SealingKey, id: Uuid, event: &Event) -> Result<Option<String>, Problem> {
    match &caller.names.client {
        Some(known) if audit::is_write(event.kind()) => {
            client::seal(key, id, known).map(Some).map_err(Problem::internal)
        }
        _ => Ok(None),
    }
}
