//! That a member was seen or a key used, into the log: behind the requests that say so.

use runtime::auth::seen::{Keep, Sighting};
use runtime::auth::{Principal, Role};
use schemas::events::{ApiKeyUsed, MemberSeen};
use schemas::{Envelope, Event, ids, topics};

use crate::append::now;
use crate::publish::{Outgoing, Publisher};

pub struct Appending(pub Publisher);

impl Keep for Appending {
    async fn keep(&self, sighting: &Sighting) -> Result<(), String> {
        let appended = self.0.append(vec![outgoing(sighting)]).await;
        appended.map(drop).map_err(|problem| problem.to_string())
    }
}

fn outgoing(Sighting { principal, interval, .. }: &Sighting) -> Outgoing {
    let (tenant, role) = (&principal.tenant, Role::of(&principal.role).as_str());
    let event = event(principal, role);
    let who = principal.key.map_or_else(|| principal.user.clone(), |key| key.id.to_string());
    Outgoing {
        envelope: Envelope {
            id: ids::sighting(tenant, event.kind(), &who, role, *interval),
            kind: event.kind().to_owned(),
            source: "/retrace/ingest".to_owned(),
            time: now(),
            subject: principal.user.clone(),
            tenant: tenant.clone(),
            actor: principal.actor(),
            request_id: String::new(),
            traceparent: None,
            // No write: the audit does not ask from where.
            client: None,
        },
        event,
        partition: topics::tenant_partition(tenant, topics::PARTITIONS),
    }
}

fn event(principal: &Principal, role: &str) -> Event {
    let (user, role) = (principal.user.clone(), role.to_owned());
    match principal.key {
        Some(key) => Event::ApiKeyUsed(ApiKeyUsed { key_id: key.id.to_string(), user, role }),
        None => Event::MemberSeen(MemberSeen { user, role }),
    }
}
