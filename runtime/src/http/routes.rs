//! The route table: which service answers what. The routers, the OpenAPI document, 404 and 405 and the gateway's
//! configuration all come from it.

use axum::Router;
use axum::routing::MethodRouter;

use super::Gate;
use super::parameters::{
    self, ANOMALIES_QUERY, BACKTEST_QUERY, COST_INTELLIGENCE_QUERY, COSTS_QUERY, DRIFT_QUERY, EXPORT_QUERY,
    FAILED_TRACES_QUERY, FAILURES_QUERY, LIST_QUERY, MODELS_QUERY, SPANS_QUERY,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Ingest,
    QueryApi,
}

/// Which rate limit a route counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Write,
    Read,
    /// What a model may answer.
    Ai,
    /// Not limited and without credentials.
    Open,
}

pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub service: Service,
    pub class: Class,
    pub tag: &'static str,
    pub summary: &'static str,
    pub query: parameters::Query,
    pub body: Option<&'static str>,
    pub answers: &'static [(u16, &'static str, Option<&'static str>)],
}

use Class::{Ai, Open, Read, Write};
use Service::{Ingest, QueryApi};

pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/v1/traces",
        service: Ingest,
        class: Write,
        tag: "Traces",
        summary: "Record a trace with its spans; an id that exists is merged",
        query: &[],
        body: Some("TraceIn"),
        answers: &[(201, "Recorded", Some("TraceAccepted"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/traces",
        service: QueryApi,
        class: Read,
        tag: "Traces",
        summary: "List traces",
        query: LIST_QUERY,
        body: None,
        answers: &[(200, "A page of traces", Some("TraceList"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/traces/export",
        service: QueryApi,
        class: Read,
        tag: "Traces",
        summary: "All traces that the filters select, as a file, in the order of their ids",
        query: EXPORT_QUERY,
        body: None,
        answers: &[(200, "The file; a body that breaks off is not whole", None)],
    },
    Route {
        method: "GET",
        path: "/api/v1/traces/{id}",
        service: QueryApi,
        class: Read,
        tag: "Traces",
        summary: "One trace with its spans in start order",
        query: &[],
        body: None,
        answers: &[(200, "The trace", Some("TraceWithSpans"))],
    },
    Route {
        method: "PATCH",
        path: "/api/v1/traces/{id}",
        service: Ingest,
        class: Write,
        tag: "Traces",
        summary: "Change fields of a trace; it may come before the trace's start",
        query: &[],
        body: Some("TraceIn"),
        answers: &[(200, "Changed", Some("TraceAccepted"))],
    },
    Route {
        method: "DELETE",
        path: "/api/v1/traces/{id}",
        service: Ingest,
        class: Write,
        tag: "Traces",
        summary: "Delete a trace with its spans and feedback, and erase its content",
        query: &[],
        body: None,
        answers: &[(204, "Deleted", None)],
    },
    Route {
        method: "GET",
        path: "/api/v1/traces/{id}/spans",
        service: QueryApi,
        class: Read,
        tag: "Traces",
        summary: "The spans of a trace by page, in start order",
        query: SPANS_QUERY,
        body: None,
        answers: &[(200, "A page of spans", Some("SpanList"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/traces/{id}/root-cause",
        service: QueryApi,
        class: Read,
        tag: "Insights",
        summary: "What is known of why a trace failed, and what a model is shown of it when it is asked",
        query: &[],
        body: None,
        answers: &[(200, "The local analysis, and a model's", Some("KnownRootCause"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/spans/export",
        service: QueryApi,
        class: Read,
        tag: "Traces",
        summary: "All spans of the traces that the filters select, as a file, in the order of their ids",
        query: EXPORT_QUERY,
        body: None,
        answers: &[(200, "The file; a body that breaks off is not whole", None)],
    },
    Route {
        method: "POST",
        path: "/api/v1/traces/{id}/golden",
        service: Ingest,
        class: Write,
        tag: "Traces",
        summary: "Mark a trace as golden, or not",
        query: &[],
        body: Some("GoldenIn"),
        answers: &[(200, "Marked", Some("GoldenOut"))],
    },
    Route {
        method: "POST",
        path: "/api/v1/traces/{id}/feedback",
        service: Ingest,
        class: Write,
        tag: "Feedback",
        summary: "Give thumbs up or down; replaces your earlier one",
        query: &[],
        body: Some("FeedbackIn"),
        answers: &[(201, "Given", Some("FeedbackOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/traces/{id}/feedback",
        service: QueryApi,
        class: Read,
        tag: "Feedback",
        summary: "Your feedback on a trace",
        query: &[],
        body: None,
        answers: &[(200, "The feedback, or null", Some("FeedbackOut"))],
    },
    Route {
        method: "POST",
        path: "/api/v1/api-keys",
        service: Ingest,
        class: Write,
        tag: "API keys",
        summary: "Create an API key; it is shown once and replaces your current one",
        query: &[],
        body: None,
        answers: &[(201, "Created", Some("ApiKeyCreatedOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/api-keys",
        service: QueryApi,
        class: Read,
        tag: "API keys",
        summary: "Whether you have an API key",
        query: &[],
        body: None,
        answers: &[(200, "The key's prefix", Some("ApiKeyOut"))],
    },
    Route {
        method: "DELETE",
        path: "/api/v1/api-keys",
        service: Ingest,
        class: Write,
        tag: "API keys",
        summary: "Revoke your API key",
        query: &[],
        body: None,
        answers: &[(204, "Revoked", None)],
    },
    Route {
        method: "GET",
        path: "/api/v1/analytics/costs",
        service: QueryApi,
        class: Read,
        tag: "Analytics",
        summary: "What was spent: in all, by model, by day, and by what you ask for",
        query: COSTS_QUERY,
        body: None,
        answers: &[(200, "The costs", Some("CostsOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/analytics/cost-intelligence",
        service: QueryApi,
        class: Read,
        tag: "Analytics",
        summary: "What features and models cost, and what could be saved: with the figures from which each saving is computed",
        query: COST_INTELLIGENCE_QUERY,
        body: None,
        answers: &[(200, "The costs and the savings", Some("CostIntelligenceOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/models",
        service: QueryApi,
        class: Read,
        tag: "Analytics",
        summary: "The models that were used, with their prices; those without one first",
        query: MODELS_QUERY,
        body: None,
        answers: &[(200, "The models", Some("ModelsOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/insights/drift",
        service: QueryApi,
        class: Read,
        tag: "Insights",
        summary: "Whether cost, tokens, duration or the error rate have drifted",
        query: DRIFT_QUERY,
        body: None,
        answers: &[(200, "What was found, metric by metric", Some("DriftOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/insights/anomalies",
        service: QueryApi,
        class: Read,
        tag: "Insights",
        summary: "Spikes of cost, latency or errors and drops of volume, beside the same hours of earlier days",
        query: ANOMALIES_QUERY,
        body: None,
        answers: &[(200, "What was found, and what could not be judged", Some("AnomaliesOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/insights/anomalies/backtest",
        service: QueryApi,
        class: Read,
        tag: "Insights",
        summary: "The anomalies that would have been found at every moment of a period",
        query: BACKTEST_QUERY,
        body: None,
        answers: &[(200, "The episodes", Some("BacktestOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/insights/failures",
        service: QueryApi,
        class: Read,
        tag: "Insights",
        summary: "Failed traces by error pattern",
        query: FAILURES_QUERY,
        body: None,
        answers: &[(200, "The clusters", Some("FailuresOut"))],
    },
    Route {
        method: "GET",
        path: "/api/v1/insights/failures/{id}/traces",
        service: QueryApi,
        class: Read,
        tag: "Insights",
        summary: "The failed traces of one error pattern",
        query: FAILED_TRACES_QUERY,
        body: None,
        answers: &[(200, "A page of them", Some("FailedTraces")), (404, "No failure has this pattern", None)],
    },
    Route {
        method: "POST",
        path: "/api/v1/insights/root-cause",
        service: Ingest,
        class: Ai,
        tag: "Insights",
        summary: "Why a trace failed, and where: by a model where one is configured, else by the local analysis",
        query: &[],
        body: Some("RootCauseIn"),
        answers: &[(200, "The analysis", Some("RootCauseOut"))],
    },
    Route {
        method: "POST",
        path: "/api/v1/internal/logs",
        service: Ingest,
        class: Open,
        tag: "Operations",
        summary: "The client SDK's own telemetry; dropped",
        query: &[],
        body: None,
        answers: &[(202, "Dropped", None)],
    },
];

/// Collects the handlers of one service and holds them against the table.
pub struct Rooms<S> {
    service: Service,
    gate: Gate,
    router: Router<S>,
    filled: Vec<(&'static str, &'static str)>,
}

impl<S: Clone + Send + Sync + 'static> Rooms<S> {
    pub fn new(service: Service, gate: Gate) -> Rooms<S> {
        Rooms { service, gate, router: Router::new(), filled: Vec::new() }
    }

    /// Puts a handler behind its route; a route that the table lacks is a mistake that stops the start.
    pub fn on(mut self, method: &'static str, path: &'static str, handler: MethodRouter<S>) -> anyhow::Result<Self> {
        let route = ROUTES
            .iter()
            .find(|route| route.method == method && route.path == path && route.service == self.service)
            .ok_or_else(|| anyhow::anyhow!("{method} {path} is not in the route table of {:?}", self.service))?;
        self.router = self.router.route(path, self.gate.before(route, handler));
        self.filled.push((method, path));
        Ok(self)
    }

    pub fn finish(self) -> anyhow::Result<Router<S>> {
        for route in ROUTES.iter().filter(|route| route.service == self.service) {
            if !self.filled.contains(&(route.method, route.path)) {
                anyhow::bail!("{} {} has no handler", route.method, route.path);
            }
        }
        Ok(self.router)
    }
}

/// The methods that the table has for a concrete path; empty where the path is unknown.
pub fn methods_of(path: &str) -> Vec<&'static str> {
    ROUTES.iter().filter(|route| matches(route.path, path)).map(|route| route.method).collect()
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || (a.starts_with('{') && !b.is_empty()) => {}
            _ => return false,
        }
    }
}
