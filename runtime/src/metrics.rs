//! Prometheus metrics of this process.

use std::sync::LazyLock;

use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

const LATENCY_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

pub struct Metrics {
    registry: Registry,
    pub http_seconds: HistogramVec,
    pub ack_seconds: HistogramVec,
    pub events: IntCounterVec,
    pub spans: IntCounterVec,
    pub refused: IntCounterVec,
    pub flush_seconds: HistogramVec,
    pub flush_events: IntCounterVec,
    pub dead_letters: IntCounterVec,
    pub store_errors: IntCounterVec,
    pub lag_events: IntGaugeVec,
    pub lag_seconds: IntGaugeVec,
    pub live_connections: IntGaugeVec,
    pub live_frames: IntCounterVec,
    pub live_ack_seconds: HistogramVec,
    pub live_closed: IntCounterVec,
}

pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    #[expect(clippy::expect_used, reason = "names are constants; a test renders them")]
    fn new() -> Metrics {
        let registry = Registry::new();
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(LATENCY_BUCKETS.to_vec());
            let metric = HistogramVec::new(options, labels).expect("a valid metric");
            registry.register(Box::new(metric.clone())).expect("a new metric");
            metric
        };
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntCounterVec::new(Opts::new(name, help), labels).expect("a valid metric");
            registry.register(Box::new(metric.clone())).expect("a new metric");
            metric
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntGaugeVec::new(Opts::new(name, help), labels).expect("a valid metric");
            registry.register(Box::new(metric.clone())).expect("a new metric");
            metric
        };
        Metrics {
            http_seconds: histogram("retrace_http_request_seconds", "HTTP requests", &["method", "route", "status"]),
            ack_seconds: histogram("retrace_ack_seconds", "Append to acknowledgement", &["topic"]),
            events: counter("retrace_events_total", "Events appended", &["type"]),
            spans: counter("retrace_spans_total", "Spans accepted", &[]),
            refused: counter("retrace_refused_total", "Requests refused", &["reason"]),
            flush_seconds: histogram("retrace_flush_seconds", "Flushes of a projection", &["projection"]),
            flush_events: counter("retrace_projected_events_total", "Events applied", &["projection"]),
            dead_letters: counter("retrace_dead_letters_total", "Events a projection could not apply", &["projection"]),
            store_errors: counter(
                "retrace_store_errors_total",
                "Failed operations on what a part depends on",
                &["part"],
            ),
            lag_events: gauge("retrace_lag_events", "Events behind the log", &["projection", "generation"]),
            lag_seconds: gauge(
                "retrace_lag_seconds",
                "Age of the newest checkpoint while behind",
                &["projection", "generation"],
            ),
            live_connections: gauge("retrace_live_connections", "WebSockets that are served", &[]),
            live_frames: counter("retrace_live_frames_total", "Frames of WebSockets", &["outcome"]),
            live_ack_seconds: histogram("retrace_live_ack_seconds", "Frame read to frame durable", &[]),
            live_closed: counter("retrace_live_closed_total", "WebSockets that ended", &["code"]),
            registry,
        }
    }

    pub fn render(&self) -> anyhow::Result<String> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8(text)?)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn metrics_render() {
        super::METRICS.events.with_label_values(&["x"]).inc();
        assert!(super::METRICS.render().unwrap().contains("retrace_events_total{type=\"x\"} 1"));
    }
}
