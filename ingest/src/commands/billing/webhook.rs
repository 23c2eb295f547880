//! What Dodo Payments tells: verified, read, appended; answered once it is durable, so that it comes again where it is not.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{ClientIp, RequestNames};
use runtime::plans::Standing;
use schemas::audit::client::Client;
use schemas::events::PlanChanged;
use schemas::{Event, topics};
use uuid::Uuid;

use super::documents::WebhookOut;
use super::event::{self, Known, Said};
use super::{TENANT_PURPOSE, TOKEN_FIELD};
use crate::append::Caller;
use crate::state::AppState;

/// Who has written what a webhook tells.
const DODO: &str = "dodo";
/// The specification asks for less than 20 KB.
const LONGEST_BODY: usize = 256 << 10;
/// Dodo itself gives up after 15 s.
const SLOWEST_BODY: Duration = Duration::from_secs(10);

pub async fn webhook(
    State(state): State<AppState>,
    mut names: RequestNames,
    Extension(ip): Extension<ClientIp>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let id = state.billing.verify(&parts.headers, &body)?;
    let (tenant, change) = match said(&state, &body)? {
        Said::Plan { tenant, change } => (tenant, change),
        Said::Nothing { kind, why } => {
            tracing::info!(webhook = id, kind, why, "a webhook changes no plan");
            return Ok(Json(WebhookOut { received: true, ignored: Some(why) }).into_response());
        }
    };
    tracing::info!(webhook = id, tenant, plan = change.plan, cause = change.cause, "a webhook of a plan");
    let partition = topics::tenant_partition(&tenant, topics::PARTITIONS);
    names.client = Some(Client { ip: ip.0.to_string(), user: DODO.to_owned(), auth: "webhook".to_owned() });
    let principal = Principal { tenant, user: DODO.to_owned(), org: None, role: String::new(), key: None };
    let caller = Caller { principal: &principal, names: &names };
    let events = vec![(event_id(id), Event::PlanChanged(change))];
    let position = state.append(&caller, partition, PlanChanged::SUBJECT, events).await?;
    let taken = Json(WebhookOut { received: true, ignored: None });
    Ok(([("x-retrace-position", position)], taken).into_response())
}

fn said(state: &AppState, body: &[u8]) -> Result<Said, Problem> {
    let known = Known {
        plans: state.in_force.plans(),
        grace: state.billing.grace,
        // Only a checkout of ours has made it: metadata can come from whoever writes a payment link.
        tenant: &|metadata| {
            let tenant = state.signer.verify(TENANT_PURPOSE, metadata.get(TOKEN_FIELD)?.as_str()?)?;
            String::from_utf8(tenant).ok()
        },
        subscription: &|id| state.in_force.subscriptions(|subscriptions| subscriptions.find(id).map(owned)),
        customer: &|id| state.in_force.subscriptions(|subscriptions| subscriptions.last_of(id).map(owned)),
    };
    event::read(body, &known)
}

fn owned((tenant, standing): (&str, &Standing)) -> (String, Standing) {
    (tenant.to_owned(), standing.clone())
}

/// What was sent, as it was sent: the signature is of that.
async fn read(body: Body) -> Result<Bytes, Problem> {
    let slow = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The request body took too long");
    let read = tokio::time::timeout(SLOWEST_BODY, to_bytes(body, LONGEST_BODY)).await.map_err(slow)?;
    read.map_err(|_| {
        let message = format!("The body cannot be read, or is longer than {LONGEST_BODY} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    })
}

/// A webhook that comes again is the same event.
fn event_id(webhook_id: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("dodo webhook\0{webhook_id}").as_bytes())
}
