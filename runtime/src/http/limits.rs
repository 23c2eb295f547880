//! Rate limits per user, or per address where there is none; per node.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::routes::Class;
use crate::{Problem, Settings};

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>;

struct Limit {
    limiter: Limiter,
    per_minute: u32,
    burst: u32,
}

pub struct Limits {
    write: Limit,
    read: Limit,
    ai: Limit,
    webhook: Limit,
}

/// What the `RateLimit` headers say.
pub struct Standing {
    limit: u32,
    remaining: u32,
    reset: u64,
}

impl Limit {
    fn new(per_minute: u32, burst: u32) -> Limit {
        let rate = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let burst_size = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(rate).allow_burst(burst_size);
        Limit { limiter: RateLimiter::keyed(quota).with_middleware(), per_minute, burst }
    }

    fn check(&self, key: &str) -> Result<Standing, Problem> {
        match self.limiter.check_key(&key.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let reset = u64::from(self.burst.saturating_sub(remaining)) * 60 / u64::from(self.per_minute);
                Ok(Standing { limit: self.burst, remaining, reset })
            }
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let mut problem = Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    format!("Rate limit of {} requests a minute reached", self.per_minute),
                );
                problem.retry_after = Some(seconds.max(1));
                Err(problem)
            }
        }
    }
}

impl Limits {
    pub fn new(settings: &Settings) -> Arc<Limits> {
        Arc::new(Limits {
            write: Limit::new(settings.rate_write_per_minute, settings.rate_write_burst),
            read: Limit::new(settings.rate_read_per_minute, settings.rate_read_burst),
            ai: Limit::new(settings.rate_ai_per_minute, settings.rate_ai_burst),
            webhook: Limit::new(settings.rate_webhook_per_minute, settings.rate_webhook_burst),
        })
    }

    pub fn check(&self, class: Class, key: &str) -> Result<Option<Standing>, Problem> {
        match class {
            Class::Write => self.write.check(key).map(Some),
            Class::Read | Class::Public => self.read.check(key).map(Some),
            Class::Ai => self.ai.check(key).map(Some),
            Class::Webhook => self.webhook.check(key).map(Some),
            Class::Internal | Class::Open => Ok(None),
        }
    }

    /// Forgets keys whose budget is full again, so that memory follows the active users.
    pub async fn tidy(self: Arc<Self>, stop: tokio_util::sync::CancellationToken) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(Duration::from_secs(60));
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {}
            }
            for limit in [&self.write, &self.read, &self.ai, &self.webhook] {
                limit.limiter.retain_recent();
                limit.limiter.shrink_to_fit();
            }
        }
    }
}

impl Standing {
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert("ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("ratelimit-reset", HeaderValue::from(self.reset));
    }
}
