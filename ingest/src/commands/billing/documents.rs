//! The bodies as the OpenAPI document shows them.

use serde::Serialize;
use utoipa::ToSchema;

/// What to buy. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct CheckoutIn {
    /// One of the plans that are for sale
    #[schema(max_length = 64, pattern = r"^[^\u0000]*$")]
    pub plan: String,
    /// Where to come back to: a path of this server, or a URL of a host that it is set up for
    #[schema(max_length = 2048, pattern = r"^[^\u0000]*$")]
    pub return_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct CheckoutOut {
    /// Where to pay, within a day
    pub checkout_url: String,
    pub session_id: String,
}

#[derive(Serialize, ToSchema)]
pub struct PortalOut {
    pub portal_url: String,
}

/// As Dodo Payments sends it, with the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct DodoWebhookIn {
    /// What happened, such as `subscription.active`
    #[schema(max_length = 256, pattern = "^[!-~]+$")]
    pub r#type: String,
    /// When
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// What it happened to, as it is when this is sent
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

#[derive(Serialize, ToSchema)]
pub struct WebhookOut {
    pub received: bool,
    /// Why it changes no plan, if so
    pub ignored: Option<String>,
}
