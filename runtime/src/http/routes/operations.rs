//! What is neither recorded nor read.

use super::Class::Open;
use super::Needs::Nothing;
use super::Route;
use super::Service::Ingest;

pub const ROUTES: &[Route] = &[Route {
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
}];
