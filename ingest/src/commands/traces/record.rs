//! What is said of a trace, into the log: over HTTP or the live socket.

use runtime::Problem;
use runtime::http::ClientIp;
use runtime::metrics::METRICS;
use schemas::events::Source;
use schemas::topics;

use super::events::Sealer;
use super::parse::Trace;
use crate::append::Caller;
use crate::state::AppState;

impl AppState {
    /// Appends it in order, as few records as hold it, and returns the position token.
    pub(crate) async fn record(
        &self,
        caller: &Caller<'_>,
        ip: ClientIp,
        source: Source,
        id: &str,
        said: Vec<Trace>,
    ) -> Result<String, Problem> {
        let tenant = &caller.principal.tenant;
        let partition = topics::trace_partition(tenant, id, topics::PARTITIONS);
        let key = self.sealing_keys.of(&self.publisher, tenant, id, partition).await?;
        let price_table = self.in_force.price_tables(tenant);
        let sealer = Sealer { key: &key, price_table, source, client_ip: ip.0.to_string() };
        let spans: usize = said.iter().map(|trace| trace.spans.len()).sum();
        let mut events = Vec::new();
        for trace in said {
            events.extend(sealer.events(id, trace)?);
        }
        let position = self.append(caller, partition, id, events).await?;
        METRICS.spans.with_label_values::<&str>(&[]).inc_by(spans as u64);
        Ok(position)
    }
}
