//! That somebody has opened a tape: query-api tells it, since it appends nothing.

use axum::extract::State;
use axum::http::StatusCode;
use runtime::Problem;
use runtime::http::RequestBody;
use runtime::tapes::View;
use schemas::events::TapeViewed;
use schemas::events::tapes::owner;
use schemas::{Envelope, Event, ids, sealing, topics};
use uuid::Uuid;

use crate::append::now;
use crate::publish::Outgoing;
use crate::state::AppState;

pub async fn viewed(State(state): State<AppState>, body: RequestBody) -> Result<StatusCode, Problem> {
    let view: View = serde_json::from_slice(&body.bytes).map_err(|_| Problem::bad_request("the body is no view"))?;
    state.publisher.append(vec![outgoing(view)]).await?;
    Ok(StatusCode::ACCEPTED)
}

fn outgoing(View { tenant, viewed }: View) -> Outgoing {
    let partition = topics::tenant_partition(&tenant, topics::PARTITIONS);
    let (id, subject) = (id(&viewed), owner(&viewed.tape_id));
    let event = Event::TapeViewed(viewed);
    Outgoing {
        envelope: Envelope {
            id,
            kind: event.kind().to_owned(),
            source: "/retrace/ingest".to_owned(),
            time: now(),
            subject,
            tenant,
            // Anybody.
            actor: String::new(),
            request_id: String::new(),
            traceparent: None,
            client: None,
        },
        event,
        partition,
    }
}

/// The same from every node.
fn id(viewed: &TapeViewed) -> Uuid {
    let tape = Uuid::try_parse(&viewed.tape_id).unwrap_or_default();
    ids::derived(tape, &format!("viewed {} {}", viewed.day, sealing::hex(viewed.viewer.as_slice())))
}
