//! What a user asks for: somewhere to pay, somewhere to manage what is paid.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::RequestBody;
use serde_json::json;

use super::documents::{CheckoutOut, PortalOut};
use super::parse;
use super::{TENANT_FIELD, TENANT_PURPOSE, TOKEN_FIELD};
use crate::billing::{Fault, Purchase};
use crate::idempotency::Claimed;
use crate::plans::Subscriptions;
use crate::state::AppState;

pub async fn checkout(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    state.billing.dodo()?;
    let asked = parse::checkout(&body.bytes, state.in_force.plans(), &state.billing)?;
    let claim = match Claimed::of(&state, &principal, "POST /billing/checkout", &headers, &body.bytes).await? {
        Claimed::Answered(answer) => return Ok(answer.into_response()),
        Claimed::Fresh(claim) => Some(claim),
        Claimed::Unasked => None,
    };
    let begun = begin(&state, &principal.tenant, &asked).await;
    if let Some(claim) = claim {
        match &begun {
            Ok(session) => claim.keep(StatusCode::CREATED, session, "").await,
            Err(_) => claim.release().await,
        }
    }
    Ok((StatusCode::CREATED, Json(begun?)).into_response())
}

async fn begin(state: &AppState, tenant: &str, asked: &parse::Checkout) -> Result<CheckoutOut, Problem> {
    let (is_subscribed, customer) = state.in_force.subscriptions(|subscriptions| {
        (subscriptions.is_subscribed(tenant), subscriptions.customer_of(tenant).map(str::to_owned))
    });
    if is_subscribed {
        // Both would be paid for.
        let message = "There is a subscription already: change it in the portal (POST /api/v1/billing/portal)";
        return Err(Problem::new(StatusCode::CONFLICT, message));
    }
    let purchase = Purchase {
        product: &asked.product,
        customer: customer.as_deref(),
        return_url: asked.return_url.as_deref(),
        metadata: json!({
            TENANT_FIELD: tenant,
            TOKEN_FIELD: state.signer.sign(TENANT_PURPOSE, tenant.as_bytes()),
        }),
    };
    let session = state.billing.dodo()?.checkout(&purchase).await.map_err(unanswered)?;
    Ok(CheckoutOut { checkout_url: session.url, session_id: session.id })
}

pub async fn portal(State(state): State<AppState>, principal: Principal) -> Result<Json<PortalOut>, Problem> {
    let dodo = state.billing.dodo()?;
    let customer = |known: &Subscriptions| known.customer_of(&principal.tenant).map(str::to_owned);
    let conflict = |message: &str| Problem::new(StatusCode::CONFLICT, message);
    let customer = state
        .in_force
        .subscriptions(customer)
        .ok_or_else(|| conflict("Nothing was bought yet: begin with POST /api/v1/billing/checkout"))?;
    let portal_url = dodo.portal(&customer).await.map_err(|fault| match fault {
        Fault::Refused(404) => conflict("Dodo Payments does not know the customer any more"),
        fault => unanswered(fault),
    })?;
    Ok(Json(PortalOut { portal_url }))
}

/// A fault on the way is logged where it happened.
fn unanswered(fault: Fault) -> Problem {
    match fault {
        Fault::Refused(401 | 403) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Dodo Payments refuses this server's key")
        }
        fault => Problem::unavailable(format!("Dodo Payments gave no answer: {fault}"), 5),
    }
}
