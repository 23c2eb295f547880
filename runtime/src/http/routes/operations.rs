//! What is neither recorded nor read.

use super::Class::{Open, Read, Write};
use super::Needs::{Credentials, Nothing};
use super::Route;
use super::Service::{Ingest, QueryApi};

pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/v1/internal/logs",
        service: Ingest,
        class: Open,
        needs: Nothing,
        tag: "Operations",
        summary: "The client SDK's own telemetry; dropped",
        query: &[],
        body: None,
        answers: &[(202, "Dropped", None)],
    },
    Route {
        method: "POST",
        path: "/api/v1/internal/seen",
        service: Ingest,
        class: Write,
        needs: Credentials,
        tag: "Operations",
        summary: "From query-api: that the caller was seen",
        query: &[],
        body: None,
        answers: &[(202, "Kept, if it is news", None)],
    },
    Route {
        method: "GET",
        path: "/api/v1/internal/usage",
        service: QueryApi,
        class: Read,
        needs: Credentials,
        tag: "Operations",
        summary: "The month's counts, as ingest holds them against the plan",
        query: &[],
        body: None,
        answers: &[(200, "Since the month's first day", Some("MonthCounts"))],
    },
];
