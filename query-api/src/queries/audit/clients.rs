//! From where and as whom writes came: opened with the tenant's keys of the month, as long as there are such.

use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use runtime::kafka::keys::KeyReader;
use runtime::{Problem, Settings};
use schemas::audit::client::{self, Client, SealedClient};
use schemas::topics;
use time::OffsetDateTime;
use uuid::Uuid;

pub struct Clients {
    settings: Arc<Settings>,
    /// Made when the first export asks.
    keys: Mutex<Option<KeyReader>>,
}

/// Of one write: its event, when it was, and the header.
pub type Sealed = (Uuid, OffsetDateTime, String);

impl Clients {
    pub fn new(settings: &Arc<Settings>) -> Clients {
        Clients { settings: Arc::clone(settings), keys: Mutex::new(None) }
    }

    /// One for each; none where there is no such header or its key is erased.
    pub async fn open(self: &Arc<Self>, tenant: &str, sealed: Vec<Sealed>) -> Result<Vec<Option<Client>>, Problem> {
        let (this, tenant) = (Arc::clone(self), tenant.to_owned());
        let opening = tokio::task::spawn_blocking(move || this.open_all(&tenant, &sealed));
        opening.await.map_err(Problem::internal)?.map_err(|cause| Problem::store_down("Kafka", format!("{cause:#}")))
    }

    fn open_all(&self, tenant: &str, all: &[Sealed]) -> anyhow::Result<Vec<Option<Client>>> {
        let partition = topics::tenant_partition(tenant, topics::PARTITIONS);
        let (now, days) = (OffsetDateTime::now_utc(), self.settings.audit_client_days);
        let mut keys = self.keys.lock().map_err(|_| anyhow!("the reader of keys is poisoned"))?;
        let mut opened = Vec::with_capacity(all.len());
        for (event, time, header) in all {
            // What is to be erased is not shown until it is.
            let is_expired = client::is_expired(&client::owner(*time), now, days);
            let client = match SealedClient::parse(header).filter(|_| !is_expired) {
                None => None,
                Some(sealed) => {
                    let reader = match &mut *keys {
                        Some(reader) => reader,
                        none => none.insert(KeyReader::new(&self.settings)?),
                    };
                    let secret = reader.secret_of(partition, sealed.key_id, sealed.key_offset)?;
                    secret.and_then(|secret| sealed.open(&secret, *event))
                }
            };
            opened.push(client);
        }
        Ok(opened)
    }
}
