//! The route table: which service answers what. The routers, the OpenAPI document, 404 and 405 and the gateway's
//! configuration all come from it.

mod billing;
mod collaboration;
mod datasets;
mod insights;
mod operations;
mod organisation;
mod tapes;
mod traces;
mod workspace;

use super::parameters;

pub use datasets::FILES;
pub use tapes::PAGES;

/// Bodies that need not be sent.
pub const OPTIONAL: &[&str] = &["NotificationsReadIn", "ReplayIn"];

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
    /// Signed by the service that calls, limited by its address.
    Webhook,
    /// Read by anybody, limited by address as reads are by user.
    Public,
    /// From this installation's own services.
    Internal,
    /// Not limited and without credentials.
    Open,
}

impl Class {
    /// Whether it is answered without credentials of a user.
    pub fn is_open(self) -> bool {
        matches!(self, Class::Webhook | Class::Public | Class::Internal | Class::Open)
    }
}

/// What a caller's role and the scopes of its key must allow (docs/PERMISSIONS.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    Nothing,
    /// Any that hold.
    Credentials,
    /// What a user does with keys of its own: any role may, but of keys only those that may do all that it may.
    OwnKeys,
    Reading,
    /// Traces and spans, as SDKs do.
    Recording,
    Writing,
    /// What binds the organisation: its owners and admins.
    Administering,
}

pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub service: Service,
    pub class: Class,
    pub needs: Needs,
    pub tag: &'static str,
    pub summary: &'static str,
    pub query: parameters::Query,
    pub body: Option<&'static str>,
    pub answers: &'static [(u16, &'static str, Option<&'static str>)],
}

const TABLES: [&[Route]; 9] = [
    traces::ROUTES,
    insights::ROUTES,
    workspace::ROUTES,
    datasets::ROUTES,
    collaboration::ROUTES,
    organisation::ROUTES,
    billing::ROUTES,
    tapes::ROUTES,
    operations::ROUTES,
];

pub fn routes() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}

/// The route that answers a concrete path.
pub fn matching(method: &str, path: &str) -> Option<&'static Route> {
    let of = |route: &&Route| route.method == method;
    let itself = routes().filter(of).find(|route| route.path == path);
    itself.or_else(|| routes().filter(of).find(|route| matches(route.path, path)))
}

/// The methods that the table has for a concrete path; empty where the path is unknown.
pub fn methods_of(path: &str) -> Vec<&'static str> {
    // As routers match: where the path itself is in the table, it is no other's parameter.
    let is_itself = routes().any(|route| route.path == path);
    let is_of = |route: &&Route| if is_itself { route.path == path } else { matches(route.path, path) };
    routes().filter(is_of).map(|route| route.method).collect()
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
