//! Every setting: one line here is its key, environment variable, default and documentation.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::plans::Plans;

/// Where the settings name no plans.
const PLANS: &str = "free: traces=5000, spans=50000, ai_requests=100; \
                     pro: traces=100000, spans=1000000, ai_requests=2000; \
                     team: traces=1000000, spans=10000000, ai_requests=10000; enterprise; unlimited";

/// Variables of the client SDK and of the launcher that may stand beside ours.
const FOREIGN: &[&str] = &[
    "RETRACE_API_KEY",
    "RETRACE_BASE_URL",
    "RETRACE_PROJECT_ID",
    "RETRACE_ENVIRONMENT",
    "RETRACE_SAMPLE_RATE",
    "RETRACE_TRANSPORT",
    "RETRACE_FLUSH_TIMEOUT",
    "RETRACE_ALLOW_REMOTE_REPLAY",
    "RETRACE_ALLOW_REMOTE_CASSETTE",
    "RETRACE_STRICT_REPLAY",
    "RETRACE_CONFIG",
    "RETRACE_CACHE",
    "RETRACE_DATA",
    "RETRACE_PORT_BASE",
    "RETRACE_TEST_HISTORIES",
];

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident : $type:ty = $default:expr;)*) => {
        #[derive(Clone, Debug)]
        pub struct Settings { $($(#[doc = $doc])+ pub $name: $type,)* }

        /// (key, default, documentation) of every setting, in order.
        pub fn documented() -> Vec<(&'static str, String, String)> {
            vec![$((stringify!($name), Value::show(&<$type>::from($default)), concat!($($doc, "\n"),+).trim().to_owned()),)*]
        }

        impl Default for Settings {
            fn default() -> Self {
                Settings { $($name: <$type>::from($default),)* }
            }
        }

        impl Settings {
            /// Sets one key from text; the error names the key.
            pub fn set(&mut self, key: &str, text: &str) -> anyhow::Result<()> {
                match key {
                    $(stringify!($name) => {
                        self.$name = <$type as Value>::read(text).with_context(|| format!("the setting `{key}`"))?;
                    })*
                    _ => bail!("there is no setting `{key}`"),
                }
                Ok(())
            }
        }
    };
}

settings! {
    /// Address to serve HTTP on.
    listen: String = "127.0.0.1:3001";
    /// Base URL that users reach this server by; empty: derived from `listen`.
    public_url: String = "";
    /// Where ingest asks query-api; empty: this server itself.
    query_url: String = "";
    /// Where query-api tells ingest that a member was seen, an API key used or a tape opened; empty: this server itself.
    ingest_url: String = "";
    /// Kafka bootstrap servers, comma separated.
    kafka_brokers: String = "127.0.0.1:9092";
    /// Further librdkafka client properties, `name=value` separated by commas (security.protocol, sasl.…).
    kafka_options: String = "";
    /// Put before every topic name.
    topic_prefix: String = "";
    /// Replication factor of topics created by `retrace migrate`.
    topic_replication: u32 = 1u32;
    /// Consumer group of the projectors; several installations on one Kafka need several.
    consumer_group: String = "retrace-projector";
    /// Name of this projector within its group: restarted under the same name it goes on at once. Two that run at the
    /// same time need two names; empty: any number may run, and one that was killed is missed for six seconds.
    instance: String = "";
    /// ClickHouse HTTP URL.
    clickhouse_url: String = "http://127.0.0.1:8123";
    /// ClickHouse user.
    clickhouse_user: String = "default";
    /// Its password.
    clickhouse_password: String = "";
    /// ClickHouse database; created by `retrace migrate`.
    clickhouse_database: String = "retrace";
    /// ClickHouse cluster name for Replicated tables; empty: a single server.
    clickhouse_cluster: String = "";
    /// Postgres URL, e.g. postgres://user:password@host:5432/retrace
    postgres_url: String = "postgres://retrace@127.0.0.1:5432/retrace";
    /// Postgres connections of one process.
    postgres_connections: u32 = 8u32;
    /// Shared by the services of one installation: signs positions and cursors, and authenticates ingest and query-api to each other.
    secret: String = "";
    /// First API key, created at start if it does not exist.
    bootstrap_api_key: String = "";
    /// Named API keys that a user may have at once; those that have expired do not count.
    api_keys_per_user: u32 = 50u32;
    /// Seconds within which it is kept once that a member was seen or an API key used; 0: never.
    seen_interval_seconds: u64 = 3_600u64;
    /// Prefix of new API keys (`rt_`, or `rt_live_` for clients of version 0.11).
    api_key_prefix: String = "rt_";
    /// URL of the JWKS that signs bearer tokens; empty: bearer JWTs are refused.
    jwt_jwks_url: String = "";
    /// Required `iss` claim.
    jwt_issuer: String = "";
    /// Accepted `aud` values, comma separated; empty: not checked.
    jwt_audience: String = "";
    /// Accepted `azp` values, comma separated; empty: not checked.
    jwt_authorized_parties: String = "";
    /// Seconds between two fetches of the JWKS at the least.
    jwt_refresh_seconds: u64 = 10u64;
    /// Allowed browser origins, comma separated; `*` allows any.
    cors_origins: String = "";
    /// Proxies whose X-Forwarded-For is believed, comma separated addresses.
    trusted_proxies: String = "";
    /// Write requests per user and minute.
    rate_write_per_minute: u32 = 100u32;
    /// Write requests that may come at once.
    rate_write_burst: u32 = 100u32;
    /// Read requests per user and minute.
    rate_read_per_minute: u32 = 300u32;
    /// Read requests that may come at once.
    rate_read_burst: u32 = 300u32;
    /// Requests per user and minute that a model may answer: root causes.
    rate_ai_per_minute: u32 = 20u32;
    /// Such requests that may come at once.
    rate_ai_burst: u32 = 20u32;
    /// Webhook requests per address and minute.
    rate_webhook_per_minute: u32 = 600u32;
    /// Such requests that may come at once.
    rate_webhook_burst: u32 = 600u32;
    /// Frames that one WebSocket may send a second; beyond it they are refused.
    rate_live_frames_per_second: u32 = 2_000u32;
    /// Such frames that may come at once.
    rate_live_burst: u32 = 20_000u32;
    /// WebSockets that one node serves at once.
    live_connections: u32 = 10_000u32;
    /// Of them, those of one API key (or of one user with bearer tokens).
    live_connections_per_key: usize = 2_000usize;
    /// Seconds that a WebSocket has to say whose it is.
    live_auth_seconds: u64 = 5u64;
    /// Seconds between two pings of a WebSocket, and that its client has to answer one.
    live_ping_seconds: u64 = 30u64;
    /// Frames of one WebSocket that wait for the log at most; beyond it the client is asked to come back.
    live_buffer_frames: usize = 10_000usize;
    /// Bytes of such frames; one frame may always wait.
    live_buffer_bytes: usize = 33_554_432usize;
    /// Largest frame that is read at all. One beyond `max_body_bytes` is answered with an error and an ack; one beyond this
    /// ends the connection.
    live_frame_bytes: usize = 134_217_728usize;
    /// How other nodes reach this one, for commands to the clients that it serves; empty: by `listen`, or by the machine's
    /// name where that is every address.
    node_url: String = "";
    /// Largest decoded request body.
    max_body_bytes: usize = 33_554_432usize;
    /// Decoded body bytes held at once by one process; beyond it requests get 503.
    max_inflight_bytes: usize = 100_663_296usize;
    /// Most spans in one request.
    max_spans: usize = 10_000usize;
    /// Most items of one dataset.
    max_dataset_items: usize = 1_000_000usize;
    /// Seconds a client may take over one request.
    request_timeout_seconds: u64 = 60u64;
    /// How long the producer gathers a batch.
    produce_linger_ms: u32 = 2u32;
    /// Bytes that wait for Kafka at most; beyond it writes get 503.
    produce_queue_bytes: usize = 50_331_648usize;
    /// How long a write waits for Kafka before it is refused.
    produce_timeout_ms: u32 = 10_000u32;
    /// Sealing keys of recent traces kept in memory, both by ingest and by the projector.
    sealing_key_cache: usize = 100_000usize;
    /// Rows that make a flush.
    flush_rows: usize = 20_000usize;
    /// Bytes of events that make a flush.
    flush_bytes: usize = 8_388_608usize;
    /// Milliseconds between the starts of two flushes, unless `flush_rows` or `flush_bytes` make one. While a flush takes
    /// longer than half of that they are paced at twice as long as it took, up to four times this setting.
    flush_ms: u64 = 250u64;
    /// Spans whose state the projector keeps in memory.
    state_cache_spans: usize = 50_000usize;
    /// Traces that the known-ids filter is sized for.
    known_ids_capacity: usize = 10_000_000usize;
    /// Seconds before a checkpoint that a starting projector reads again.
    reread_seconds: u64 = 120u64;
    /// Of a saving: the least number of calls that it rests on.
    savings_min_calls: u32 = 100u32;
    /// Of a saving: what it comes to at least, in US cents a month.
    savings_min_cents_per_month: u32 = 100u32;
    /// An answer of at most so many tokens is short: a cheaper model may give it as well.
    savings_short_answer_tokens: u32 = 100u32;
    /// For how many seconds a provider keeps a prompt that may be read again.
    savings_cache_seconds: u32 = 300u32;
    /// Of the drifts in an answer, how many may be none, in expectation.
    drift_false_discovery_percent: u32 = 5u32;
    /// How far apart the distributions of cost, tokens or duration must be to be called drifted: hundredths of the
    /// baseline's standard deviation.
    drift_effect_percent: u32 = 20u32;
    /// The same of the error rate: hundredths of Cohen's h.
    drift_error_effect_percent: u32 = 5u32;
    /// Key of Gemini, which then says why a trace failed; `GEMINI_API_KEY` in the environment is taken as well. Empty: the
    /// local analysis answers.
    gemini_api_key: String = "";
    /// Base URL of Gemini's API.
    gemini_url: String = "https://generativelanguage.googleapis.com";
    /// Model that is asked.
    gemini_model: String = "gemini-2.5-flash";
    /// How long an answer of it may take, with a second attempt.
    gemini_timeout_ms: u64 = 20_000u64;
    /// Tokens of questions and answers that a tenant may use a day (UTC); beyond it the local analysis answers.
    gemini_daily_tokens: u64 = 2_000_000u64;
    /// The plans and what each allows a month, as `free: traces=10, spans=100, ai_requests=1; team: …`; what is not named is
    /// not limited.
    plans: String = PLANS;
    /// The plan of tenants that have no other.
    plan_default: String = "unlimited";
    /// How far beyond the limits of a plan its tenants may go.
    usage_grace_percent: u32 = 0u32;
    /// Base URL of Dodo Payments' API; `https://test.dodopayments.com` is the one for tests.
    dodo_url: String = "https://live.dodopayments.com";
    /// Key of that API; empty: no checkout and no customer portal.
    dodo_api_key: String = "";
    /// How long an answer of it may take.
    dodo_timeout_ms: u64 = 10_000u64;
    /// Dodo's products, each of the plan that it sells: `pro=pdt_…` separated by commas. Of a plan that has several, the first is
    /// what a checkout sells.
    dodo_products: String = "";
    /// Signing secret (`whsec_…`) of the webhook endpoint at Dodo; several, separated by commas, while it is rotated. Empty:
    /// webhooks are answered 503.
    dodo_webhook_secret: String = "";
    /// How far a webhook's timestamp may be from now.
    billing_webhook_tolerance_seconds: u64 = 300u64;
    /// Days that a plan goes on after a payment failed, unless Dodo itself says how long.
    billing_grace_days: u32 = 7u32;
    /// Hosts, comma separated (`app.example.com`, `localhost:3000`), that `return_url` may lead back to; paths of this server
    /// always may.
    billing_return_hosts: String = "";
    /// Bytes that a tape may have; what is above `max_body_bytes` cannot be imported elsewhere.
    max_tape_bytes: usize = 32_000_000usize;
    /// Seconds for which a ranking of `GET /tapes/explore` is kept; 0: each is made anew.
    explore_cache_seconds: u64 = 15u64;
    /// How long a read waits for its projection.
    freshness_wait_ms: u64 = 2_000u64;
    /// Milliseconds between two looks for content to erase; 0: never.
    erase_interval_ms: u64 = 60_000u64;
    /// Days after a month's end for which the audit still shows from where and as whom its writes came; then the keys of it
    /// are erased.
    audit_client_days: u64 = 400u64;
    /// How long a graceful stop may take.
    shutdown_seconds: u64 = 8u64;
    /// Log filter, as `info,retrace_ingest=debug`.
    log: String = "info";
    /// `json` or `text`.
    log_format: String = "json";
}

trait Value: Sized {
    fn read(text: &str) -> anyhow::Result<Self>;
    fn show(&self) -> String;
}

impl Value for String {
    fn read(text: &str) -> anyhow::Result<Self> {
        Ok(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn read(text: &str) -> anyhow::Result<Self> {
                text.trim().parse().with_context(|| format!("`{text}` is not a whole number in range"))
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
numbers!(u32, u64, usize);

impl Settings {
    /// Defaults, then the file, then the environment. Unknown keys are refused.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Settings> {
        let environment = std::env::vars().filter(|(name, _)| !FOREIGN.contains(&name.as_str()));
        Settings::from_sources(file, environment)
    }

    pub fn from_sources(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Settings> {
        let mut settings = Settings::default();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the configuration file {} cannot be read", path.display()))?;
            let table: BTreeMap<String, toml::Value> = toml::from_str(&text)
                .with_context(|| format!("the configuration file {} is not valid TOML", path.display()))?;
            for (key, value) in table {
                let text = match value {
                    toml::Value::String(text) => text,
                    toml::Value::Integer(number) => number.to_string(),
                    other => bail!("the setting `{key}` in {} is neither text nor a number: {other}", path.display()),
                };
                settings.set(&key, &text).with_context(|| path.display().to_string())?;
            }
        }
        // Its usual name; ours, if set, comes after it.
        let (usual, environment): (Vec<_>, Vec<_>) = environment.partition(|(name, _)| name == "GEMINI_API_KEY");
        if let Some((_, key)) = usual.into_iter().next() {
            settings.gemini_api_key = key;
        }
        for (name, value) in environment {
            if let Some(key) = name.strip_prefix("RETRACE_") {
                settings
                    .set(&key.to_ascii_lowercase(), &value)
                    .with_context(|| format!("the environment variable {name}"))?;
            }
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> anyhow::Result<()> {
        if !self.api_key_prefix.starts_with("rt_") {
            bail!("the setting `api_key_prefix` must start with `rt_`");
        }
        if self.rate_write_per_minute == 0
            || self.rate_write_burst == 0
            || self.rate_read_per_minute == 0
            || self.rate_read_burst == 0
            || self.rate_ai_per_minute == 0
            || self.rate_ai_burst == 0
            || self.rate_webhook_per_minute == 0
            || self.rate_webhook_burst == 0
            || self.rate_live_frames_per_second == 0
            || self.rate_live_burst == 0
        {
            bail!("the settings `rate_…` must be at least 1");
        }
        if !self.bootstrap_api_key.is_empty() && !self.bootstrap_api_key.starts_with("rt_") {
            bail!("the setting `bootstrap_api_key` must start with `rt_`");
        }
        if self.log_format != "json" && self.log_format != "text" {
            bail!("the setting `log_format` is neither `json` nor `text`");
        }
        if self.max_inflight_bytes < self.max_body_bytes {
            bail!("the setting `max_inflight_bytes` is below `max_body_bytes`");
        }
        if self.live_ping_seconds == 0 || self.live_connections == 0 {
            bail!("the settings `live_ping_seconds` and `live_connections` must be at least 1");
        }
        if self.live_frame_bytes < self.max_body_bytes {
            bail!("the setting `live_frame_bytes` is below `max_body_bytes`");
        }
        Plans::of(self)?;
        if self.billing_grace_days > 366 {
            bail!("the setting `billing_grace_days` is more than a year");
        }
        Ok(())
    }

    pub fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.topic_prefix)
    }

    pub fn freshness_wait(&self) -> Duration {
        Duration::from_millis(self.freshness_wait_ms)
    }

    pub fn base_url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", self.listen.replace("0.0.0.0", "localhost").replace("127.0.0.1", "localhost"))
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Where a service that appends nothing reaches the one that does.
    pub fn ingest_base(&self) -> String {
        if self.ingest_url.is_empty() {
            format!("http://{}", self.listen.replace("0.0.0.0", "127.0.0.1"))
        } else {
            self.ingest_url.trim_end_matches('/').to_owned()
        }
    }

    /// The non-empty items of a comma separated setting.
    pub fn list(text: &str) -> impl Iterator<Item = &str> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::from_sources(None, pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn unknown_and_malformed_keys_are_refused_by_name() {
        assert_eq!(load(&[("RETRACE_LISTEN", "0.0.0.0:1")]).unwrap().listen, "0.0.0.0:1");
        let unknown = format!("{:#}", load(&[("RETRACE_LISTN", "x")]).unwrap_err());
        assert!(unknown.contains("RETRACE_LISTN") && unknown.contains("listn"), "{unknown}");
        let malformed = format!("{:#}", load(&[("RETRACE_FLUSH_ROWS", "many")]).unwrap_err());
        assert!(malformed.contains("flush_rows") && malformed.contains("many"), "{malformed}");
        assert!(load(&[("RETRACE_BOOTSTRAP_API_KEY", "nope")]).is_err());
    }

    #[test]
    fn the_key_of_gemini_has_two_names_and_ours_counts() {
        let ours = ("RETRACE_GEMINI_API_KEY", "ours");
        let usual = ("GEMINI_API_KEY", "usual");
        assert_eq!(load(&[usual]).unwrap().gemini_api_key, "usual");
        for pairs in [[ours, usual], [usual, ours]] {
            assert_eq!(load(&pairs).unwrap().gemini_api_key, "ours");
        }
    }
}
