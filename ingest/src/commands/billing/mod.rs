//! Billing: plans are bought at Dodo Payments, which tells of them by webhook.

pub mod documents;
mod event;
mod handlers;
mod parse;
mod webhook;

pub use handlers::{checkout, portal};
pub use webhook::webhook;

/// What signs the tenant that goes along with a checkout, and comes back with its webhooks.
const TENANT_PURPOSE: &str = "billing tenant";
/// Names in the metadata of a subscription: the tenant for the seller to read, and what we believe.
const TENANT_FIELD: &str = "retrace_tenant";
const TOKEN_FIELD: &str = "retrace_token";
