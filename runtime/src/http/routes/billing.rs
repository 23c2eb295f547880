//! Plans, and what is paid for them.

use super::Class::{Read, Webhook, Write};
use super::Needs::{Administering, Nothing, Reading};
use super::Route;
use super::Service::{Ingest, QueryApi};

pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/v1/billing/checkout",
        service: Ingest,
        class: Write,
        needs: Administering,
        tag: "Billing",
        summary: "Begin to buy a plan: where to pay at Dodo Payments",
        query: &[],
        body: Some("CheckoutIn"),
        answers: &[(201, "The checkout session", Some("CheckoutOut")), (409, "There is a subscription already", None)],
    },
    Route {
        method: "POST",
        path: "/api/v1/billing/portal",
        service: Ingest,
        class: Write,
        needs: Administering,
        tag: "Billing",
        summary: "Open Dodo Payments' customer portal: subscriptions, invoices, payment methods",
        query: &[],
        body: None,
        answers: &[(200, "Where the portal is, for a day", Some("PortalOut")), (409, "Nothing was bought yet", None)],
    },
    Route {
        method: "POST",
        path: "/api/v1/billing/webhook",
        service: Ingest,
        class: Webhook,
        needs: Nothing,
        tag: "Billing",
        summary: "What Dodo Payments tells of subscriptions, signed as Standard Webhooks has it",
        query: &[],
        body: Some("DodoWebhookIn"),
        answers: &[(200, "Taken", Some("WebhookOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/billing/plan",
        service: QueryApi,
        class: Read,
        needs: Reading,
        tag: "Billing",
        summary: "Your organisation's plan, and what it allows a month",
        query: &[],
        body: None,
        answers: &[(200, "The plan", Some("BillingPlanOut"))],
    },
];
