//! Made-up traffic as the load: stores of many days for measuring queries, filled through the real ingest.

use std::io::{self, Write};

use serde_json::Value;
use time::OffsetDateTime;
use traffic::{Shape, Trace, Traffic};

use crate::body::Body;
use crate::options::TrafficOptions;

/// Traces that the mean number of spans is taken of.
const SAMPLE: u64 = 5_000;

/// Traffic of about so many spans, and how many of them a trace has in the mean.
pub fn traffic(options: &TrafficOptions, seed: u64, spans: u64) -> (Traffic, f64) {
    let seed = options.seed.unwrap_or(seed);
    let of = |traces| Shape {
        seed,
        until: today(),
        days: options.days,
        traces,
        projects: options.projects,
        names: options.names,
        models: options.models,
        incidents: options.incidents,
        tag: format!("bench-{seed:x}"),
    };
    let sample = Traffic::new(of(SAMPLE));
    let mean = (0..SAMPLE).map(|index| sample.trace(index).span_count as f64).sum::<f64>() / SAMPLE as f64;
    (Traffic::new(of((spans as f64 / mean).round().max(1.0) as u64)), mean)
}

/// The beginning of today: whole days, and the same traffic for the same seed all day long.
fn today() -> i64 {
    let now = (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000) as i64;
    now - now.rem_euclid(traffic::DAY)
}

pub fn body(trace: &Trace) -> anyhow::Result<Body> {
    let mut payload = Count(0);
    for value in trace.spans.iter().flat_map(|span| [&span.input, &span.output]).filter(|value| !Value::is_null(value))
    {
        serde_json::to_writer(&mut payload, value)?;
    }
    Ok(Body { id: trace.id.clone(), json: trace.to_json()?, spans: trace.span_count as u64, payload: payload.0 })
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
