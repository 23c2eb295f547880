//! The clients that hang on this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::metrics::METRICS;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Client;

#[derive(Default)]
pub struct Hub {
    /// Tenant → its clients, the newest last.
    clients: Mutex<HashMap<String, Vec<Arc<Client>>>>,
}

/// Which clients a command is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Those that record this trace now.
    Recording(String),
    /// Resumable ones; those that have recorded this name fit best.
    Resumable(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub id: Uuid,
    pub fits_best: bool,
}

/// Its client is connected for as long as this lives.
pub struct Connected {
    hub: Arc<Hub>,
    client: Arc<Client>,
}

impl Hub {
    /// None: those that count together with it are as many as may be.
    pub fn connect(self: &Arc<Hub>, client: &Arc<Client>, most: usize) -> Option<Connected> {
        let mut clients = self.clients();
        let of_tenant = clients.entry(client.tenant.clone()).or_default();
        let together = of_tenant.iter().filter(|other| other.counted_as == client.counted_as).count();
        if together >= most {
            if of_tenant.is_empty() {
                clients.remove(&client.tenant);
            }
            return None;
        }
        of_tenant.push(Arc::clone(client));
        METRICS.live_connections.with_label_values::<&str>(&[]).inc();
        Some(Connected { hub: Arc::clone(self), client: Arc::clone(client) })
    }

    pub fn find(&self, tenant: &str, wanted: &Wanted) -> Vec<Found> {
        let clients = self.clients();
        let of_tenant = clients.get(tenant).into_iter().flatten();
        of_tenant
            .filter_map(|client| match wanted {
                Wanted::Recording(trace) => client.records(trace).then_some(Found { id: client.id, fits_best: true }),
                Wanted::Resumable(name) => {
                    client.resumable.then(|| Found { id: client.id, fits_best: client.has_recorded(name) })
                }
            })
            .collect()
    }

    pub fn get(&self, tenant: &str, id: Uuid) -> Option<Arc<Client>> {
        self.clients().get(tenant)?.iter().find(|client| client.id == id).cloned()
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Client>>>> {
        // Nothing in here can stop halfway.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut clients = self.hub.clients();
        if let Some(of_tenant) = clients.get_mut(&self.client.tenant) {
            of_tenant.retain(|client| client.id != self.client.id);
            if of_tenant.is_empty() {
                clients.remove(&self.client.tenant);
            }
        }
        METRICS.live_connections.with_label_values::<&str>(&[]).dec();
    }
}

#[cfg(test)]
mod tests {
    use runtime::auth::Principal;
    use tokio::sync::mpsc;

    use super::*;

    fn client(tenant: &str, user: &str, resumable: bool) -> Arc<Client> {
        let principal =
            Principal { tenant: tenant.into(), user: user.into(), org: None, role: "member".into(), key: None };
        Arc::new(Client::new(&principal, true, resumable, mpsc::channel(1).0))
    }

    #[test]
    fn clients_are_found_within_their_tenant_while_they_are_connected() {
        let hub = Arc::new(Hub::default());
        let (ann, bob) = (client("acme", "ann", true), client("acme", "bob", false));
        let connected = hub.connect(&ann, 1).unwrap();
        let _bob = hub.connect(&bob, 1).unwrap();
        assert!(hub.connect(&client("acme", "ann", true), 1).is_none());
        let wanted = Wanted::Resumable("agent".to_owned());
        assert_eq!(hub.find("acme", &wanted), [Found { id: ann.id, fits_best: false }]);
        assert_eq!(hub.find("other", &wanted), []);
        assert!(hub.get("acme", ann.id).is_some() && hub.get("other", ann.id).is_none());
        drop(connected);
        assert_eq!(hub.find("acme", &wanted), []);
        assert!(hub.connect(&client("acme", "ann", true), 1).is_some());
    }
}
