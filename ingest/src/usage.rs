//! Holds the month's counts against the tenant's plan, by a look at query-api that is at most a second old. A tenant without
//! limits is not looked at.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use lru::LruCache;
use runtime::Problem;
use runtime::month::Month;
use runtime::plans::Plan;
use serde::Deserialize;

use crate::append::Caller;
use crate::state::AppState;

const FRESH: Duration = Duration::from_secs(1);
const MOST_TENANTS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// What a request would add to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Adds {
    TracesAndSpans,
    AiRequests,
}

#[derive(Clone, Deserialize)]
struct Counts {
    month: String,
    traces: u64,
    spans: u64,
    ai_requests: u64,
}

/// The last look at a tenant's counts; who comes meanwhile waits for it.
#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    counts: Option<Counts>,
}

type Looks = LruCache<String, Arc<tokio::sync::Mutex<Looked>>>;

pub struct Usage {
    looks: Mutex<Looks>,
}

impl Default for Usage {
    fn default() -> Usage {
        Usage { looks: Mutex::new(LruCache::new(MOST_TENANTS)) }
    }
}

impl Usage {
    fn of(&self, tenant: &str) -> Arc<tokio::sync::Mutex<Looked>> {
        // Nothing in here can stop halfway.
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(looks.get_or_insert(tenant.to_owned(), Arc::default))
    }
}

impl AppState {
    /// Refuses what the plan of the caller's tenant has no more room for. What crosses the limit is the last that is
    /// accepted; counts that cannot be had refuse nothing, since appending goes on while the stores are down.
    pub async fn within_plan(&self, caller: &Caller<'_>, headers: &HeaderMap, adds: Adds) -> Result<(), Problem> {
        let plan = self.in_force.plan_of(&caller.principal.tenant);
        if limits(&plan, adds).iter().all(|(_, limit)| limit.is_none()) {
            return Ok(());
        }
        let look = self.usage.of(&caller.principal.tenant);
        let mut looked = look.lock().await;
        let month = Month::now();
        let is_fresh = looked.at.is_some_and(|at| at.elapsed() < FRESH)
            && looked.counts.as_ref().is_none_or(|counts| counts.month == month.first_day());
        if !is_fresh {
            looked.at = Some(Instant::now());
            match self.ask.read(headers, &caller.names.id, "/api/v1/internal/usage", "Usage").await {
                Ok(counts) => looked.counts = Some(counts),
                Err(cause) => {
                    tracing::warn!(tenant = caller.principal.tenant, %cause, "usage cannot be read; its last state holds");
                }
            }
        }
        let Some(counts) = looked.counts.clone().filter(|counts| counts.month == month.first_day()) else {
            return Ok(());
        };
        drop(looked);
        over(&plan, &counts, adds, self.settings.usage_grace_percent).map_or(Ok(()), |what| {
            let message = format!(
                "Monthly {what} limit reached: the plan {} has no more for {}; it begins again at {}",
                plan.name,
                month.name(),
                month.end()
            );
            let retry_after = Some(month.seconds_left());
            Err(Problem { retry_after, ..Problem::new(StatusCode::TOO_MANY_REQUESTS, message) })
        })
    }
}

fn limits(plan: &Plan, adds: Adds) -> Vec<(&'static str, Option<u64>)> {
    match adds {
        Adds::TracesAndSpans => vec![("trace", plan.traces), ("span", plan.spans)],
        Adds::AiRequests => vec![("AI request", plan.ai_requests)],
    }
}

/// What there is no more room for.
fn over(plan: &Plan, counts: &Counts, adds: Adds, grace_percent: u32) -> Option<&'static str> {
    let used = |what| match what {
        "trace" => counts.traces,
        "span" => counts.spans,
        _ => counts.ai_requests,
    };
    let room = |limit: u64| u128::from(limit) * u128::from(100 + grace_percent) / 100;
    limits(plan, adds)
        .into_iter()
        .find(|(what, limit)| limit.is_some_and(|limit| u128::from(used(what)) >= room(limit)))
        .map(|(what, _)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_with_its_grace_is_the_last_that_is_not_over() {
        let plan = Plan { name: "free".into(), traces: Some(100), spans: Some(1_000), ai_requests: None };
        let counts = |traces, spans| Counts { month: String::new(), traces, spans, ai_requests: 9 };
        for (traces, spans, grace, expected) in [
            (99, 999, 0, None),
            (100, 0, 0, Some("trace")),
            (0, 1_000, 0, Some("span")),
            (109, 1_099, 10, None),
            (110, 0, 10, Some("trace")),
            (0, 1_100, 10, Some("span")),
        ] {
            let found = over(&plan, &counts(traces, spans), Adds::TracesAndSpans, grace);
            assert_eq!(found, expected, "{traces} {spans} {grace}");
        }
        assert_eq!(over(&plan, &counts(1_000, 0), Adds::AiRequests, 0), None);
    }
}
