//! The handlers of a service, behind the routes of the table.

use axum::Router;
use axum::routing::MethodRouter;

use super::Gate;
use super::routes::{Service, routes};

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
        let route = routes()
            .find(|route| route.method == method && route.path == path && route.service == self.service)
            .ok_or_else(|| anyhow::anyhow!("{method} {path} is not in the route table of {:?}", self.service))?;
        self.router = self.router.route(path, self.gate.before(route, handler));
        self.filled.push((method, path));
        Ok(self)
    }

    pub fn finish(self) -> anyhow::Result<Router<S>> {
        for route in routes().filter(|route| route.service == self.service) {
            if !self.filled.contains(&(route.method, route.path)) {
                anyhow::bail!("{} {} has no handler", route.method, route.path);
            }
        }
        Ok(self.router)
    }
}
