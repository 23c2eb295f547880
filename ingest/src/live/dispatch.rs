//! A command to a client, wherever it hangs: candidates are asked of every node, the best is told first, and one that does
//! not answer a ping is passed over.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use futures::future::join_all;
use runtime::Problem;
use runtime::http::{Internal, RequestBody};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::hub::{Found, Wanted};
use super::{Live, replies};
use crate::state::AppState;

/// Clients that are tried for one command.
const MOST_TRIED: usize = 5;
const FIND: &str = "/api/v1/internal/live/find";
const DELIVER: &str = "/api/v1/internal/live/deliver";

/// What resumable clients are told to run.
pub struct Command {
    /// `resume` or `replay`.
    pub kind: &'static str,
    /// As the client registered the function.
    pub trace_name: String,
    pub data: Box<RawValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatched {
    Delivered {
        connection: Uuid,
    },
    /// No resumable client of the tenant is connected and answers.
    Nobody,
}

#[derive(Serialize, Deserialize)]
struct Find {
    tenant: String,
    wanted: Wanted,
}

#[derive(Serialize, Deserialize)]
struct Candidates {
    clients: Vec<Found>,
}

#[derive(Serialize, Deserialize)]
struct Delivery {
    tenant: String,
    client: Uuid,
    /// The frame, whole.
    frame: String,
    /// Only where it answers a ping first.
    if_there: bool,
}

#[derive(Serialize, Deserialize)]
struct Delivered {
    delivered: bool,
}

/// A client, and the node that it hangs on; none is this one.
pub struct Candidate {
    node: Option<String>,
    found: Found,
}

impl Live {
    /// To the one resumable client that fits best: those that recorded the name, then the newest.
    pub async fn dispatch(&self, tenant: &str, command: &Command) -> Result<Dispatched, Problem> {
        let mut candidates = self.candidates(tenant, Wanted::Resumable(command.trace_name.clone())).await?;
        candidates.sort_by_key(|candidate| Reverse((candidate.found.fits_best, candidate.found.id)));
        let frame = replies::command(command.kind, &command.data);
        for candidate in candidates.into_iter().take(MOST_TRIED) {
            let connection = candidate.found.id;
            if self.told(tenant, candidate, frame.clone(), true).await {
                return Ok(Dispatched::Delivered { connection });
            }
        }
        Ok(Dispatched::Nobody)
    }

    /// The clients that record a trace.
    pub async fn recording(&self, tenant: &str, trace_id: &str) -> Result<Vec<Candidate>, Problem> {
        self.candidates(tenant, Wanted::Recording(trace_id.to_owned())).await
    }

    /// To each of them; how many were told.
    pub async fn halt(&self, tenant: &str, clients: Vec<Candidate>, data: &RawValue) -> usize {
        let frame = replies::command("halt", data);
        let telling = clients.into_iter().map(|client| self.told(tenant, client, frame.clone(), false));
        join_all(telling).await.into_iter().filter(|told| *told).count()
    }

    async fn candidates(&self, tenant: &str, wanted: Wanted) -> Result<Vec<Candidate>, Problem> {
        let mut candidates: Vec<Candidate> = Vec::new();
        let question = Find { tenant: tenant.to_owned(), wanted };
        let others = self.nodes.others().await?;
        let asked = others.iter().map(|node| self.nodes.ask::<Candidates>(node, FIND, &question));
        for (node, answer) in others.iter().zip(join_all(asked).await) {
            let clients = answer.map(|answer| answer.clients).unwrap_or_default();
            candidates.extend(clients.into_iter().map(|found| Candidate { node: Some(node.clone()), found }));
        }
        let own = self.hub.find(tenant, &question.wanted);
        candidates.extend(own.into_iter().map(|found| Candidate { node: None, found }));
        Ok(candidates)
    }

    async fn told(&self, tenant: &str, candidate: Candidate, frame: String, if_there: bool) -> bool {
        let delivery = Delivery { tenant: tenant.to_owned(), client: candidate.found.id, frame, if_there };
        match candidate.node {
            Some(node) => {
                let answer = self.nodes.ask::<Delivered>(&node, DELIVER, &delivery).await;
                answer.is_some_and(|answer| answer.delivered)
            }
            None => self.told_here(delivery).await,
        }
    }

    async fn told_here(&self, Delivery { tenant, client, frame, if_there }: Delivery) -> bool {
        let Some(client) = self.hub.get(&tenant, client) else { return false };
        (!if_there || client.is_there().await) && client.command(frame).await
    }
}

/// Which clients of this node a command of another one is for.
pub async fn find(
    _internal: Internal,
    State(state): State<AppState>,
    body: RequestBody,
) -> Result<Json<impl Serialize>, Problem> {
    let Find { tenant, wanted } = question(&body)?;
    Ok(Json(Candidates { clients: state.live.hub.find(&tenant, &wanted) }))
}

/// Tells a client of this node what another one has for it.
pub async fn deliver(
    _internal: Internal,
    State(state): State<AppState>,
    body: RequestBody,
) -> Result<Json<impl Serialize>, Problem> {
    let delivery = question(&body)?;
    drop(body);
    Ok(Json(Delivered { delivered: state.live.told_here(delivery).await }))
}

fn question<T: serde::de::DeserializeOwned>(body: &RequestBody) -> Result<T, Problem> {
    serde_json::from_slice(&body.bytes)
        .map_err(|cause| Problem::bad_request(format!("not a question of a node: {cause}")))
}
