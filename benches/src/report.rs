//! The figures, for programs and for people.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::body::Plan;
use crate::drive::Driven;
use crate::options::{Encoding, Options};
use crate::probe::Probed;

/// Bodies that the compression ratio is taken of.
const SAMPLE_BYTES: usize = 8 << 20;

pub fn latency(histogram: &Histogram<u64>) -> Value {
    let ms = |micros: u64| micros as f64 / 1000.0;
    json!({
        "count": histogram.len(),
        "p50_ms": ms(histogram.value_at_quantile(0.5)),
        "p90_ms": ms(histogram.value_at_quantile(0.9)),
        "p99_ms": ms(histogram.value_at_quantile(0.99)),
        "max_ms": ms(histogram.max()),
    })
}

pub fn load(options: &Options, plan: &Plan, driven: &Driven) -> Value {
    let per_second = |took: Duration| driven.spans as f64 / took.as_secs_f64();
    let mut figures = json!({
        "spans": driven.spans,
        "spans_per_trace": plan.spans_per_trace,
        "traces": plan.traces(),
        "connections": options.connections,
        "rate": plan.rate,
        "encoding": plan.encoding.name(),
        "accepted_seconds": driven.accepted.as_secs_f64(),
        "readable_seconds": driven.readable.as_secs_f64(),
        "accepted_spans_per_second": per_second(driven.accepted),
        "visible_spans_per_second": per_second(driven.readable),
        "accepted_mb_per_second": driven.json_bytes as f64 / 1e6 / driven.accepted.as_secs_f64(),
        "json_bytes": driven.json_bytes,
        "wire_bytes": driven.wire_bytes,
        "payload_bytes_per_span": driven.payload_bytes as f64 / driven.spans as f64,
        "json_bytes_per_span": driven.json_bytes as f64 / driven.spans as f64,
        "wire_bytes_per_span": driven.wire_bytes as f64 / driven.spans as f64,
        "refused_503": driven.refused_503,
        "refused_429": driven.refused_429,
        "lost_connections": driven.lost,
        "ack": latency(&driven.ack),
    });
    if plan.rate > 0 {
        figures["ack_from_due"] = latency(&driven.ack_from_due);
    }
    figures
}

const SLOWEST: usize = 30;

pub fn visible(probed: &Probed) -> Value {
    let of = |values: &[u64]| Probed::histogram(values).filter(|found| !found.is_empty()).as_ref().map(latency);
    json!({
        "ack_to_visible": of(&probed.visible),
        "slowest": probed.slowest(SLOWEST).iter().map(|(at, ms)| json!({"second": at, "ms": ms})).collect::<Vec<_>>(),
        "probe_ack": of(&probed.ack),
        "torn": probed.torn,
        "absent": probed.absent,
        "skipped": probed.skipped,
        "failed": probed.failed,
        "last_failure": probed.last_failure,
    })
}

/// How well the bodies compress, whatever they were sent as.
pub fn bodies(plan: &Plan) -> anyhow::Result<Value> {
    let (mut json, mut gzip, mut zstd) = (0, 0, 0);
    for index in 0..plan.traces() {
        if json >= SAMPLE_BYTES {
            break;
        }
        let body = plan.trace(index)?.json;
        json += body.len();
        gzip += Encoding::Gzip.encode(body.clone())?.len();
        zstd += Encoding::Zstd.encode(body)?.len();
    }
    Ok(
        json!({"sampled_bytes": json, "gzip_6_ratio": json as f64 / gzip as f64, "zstd_3_ratio": json as f64 / zstd as f64}),
    )
}

pub fn print(figures: &Value) {
    let at = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let text = |path: &str| figures.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    println!(
        "{} {:.0} spans in {:.0} traces of {:.1}, {:.0} connections, {}",
        text("/label"),
        at("/load/spans"),
        at("/load/traces"),
        at("/load/spans_per_trace"),
        at("/load/connections"),
        text("/load/encoding"),
    );
    println!(
        "  accepted  {:>8.0} spans/s ({:.1} s, {:.1} MB/s)",
        at("/load/accepted_spans_per_second"),
        at("/load/accepted_seconds"),
        at("/load/accepted_mb_per_second")
    );
    println!(
        "  visible   {:>8.0} spans/s ({:.1} s)",
        at("/load/visible_spans_per_second"),
        at("/load/readable_seconds")
    );
    for (name, path) in
        [("ack", "/load/ack"), ("ack from due", "/load/ack_from_due"), ("ack → visible", "/visible/ack_to_visible")]
    {
        if figures.pointer(path).is_some_and(Value::is_object) {
            let of = |key: &str| at(&format!("{path}/{key}"));
            println!(
                "  {name:<14} p50 {:.1}  p99 {:.1}  max {:.1} ms ({:.0})",
                of("p50_ms"),
                of("p99_ms"),
                of("max_ms"),
                of("count")
            );
        }
    }
    println!(
        "  bytes     {:.0} of payload a span, {:.0} of JSON, {:.0} on the wire; gzip 6 {:.2}:1, zstd 3 {:.2}:1",
        at("/load/payload_bytes_per_span"),
        at("/load/json_bytes_per_span"),
        at("/load/wire_bytes_per_span"),
        at("/bodies/gzip_6_ratio"),
        at("/bodies/zstd_3_ratio")
    );
    println!(
        "  refused   {:.0} × 503, {:.0} × 429; {:.0} lost connections; probes: {:.0} torn, {:.0} × 404, {:.0} skipped, {:.0} failed {}",
        at("/load/refused_503"),
        at("/load/refused_429"),
        at("/load/lost_connections"),
        at("/visible/torn"),
        at("/visible/absent"),
        at("/visible/skipped"),
        at("/visible/failed"),
        text("/visible/last_failure"),
    );
    println!("  traces    {:.0} acknowledged, {:.0} found", at("/traces/acknowledged"), at("/traces/found"));
    for incident in figures["incidents"].as_array().into_iter().flatten() {
        println!("  incident  {incident}");
    }
    if figures["bare"].is_object() {
        println!(
            "  bare librdkafka {:.1} MB/s, {:.0} spans/s; ours / bare: accepted {:.2}, visible {:.2}",
            at("/bare/mb_per_second"),
            at("/bare/spans_per_second"),
            at("/bare/accepted_of_bare"),
            at("/bare/visible_of_bare")
        );
    }
    let flush = |what: &str| {
        figures["metrics"][format!("retrace_flush_seconds_{what}{{projection=\"traces\"}}")].as_f64().unwrap_or(0.0)
    };
    println!("  flushes   {:.0} of the traces projection, {:.1} s in all", flush("count"), flush("sum"));
    let machine = at("/cpu/machine_seconds");
    println!(
        "  CPU       {machine:.1} s on all processors: load {:.1}, others {:.1}",
        at("/cpu/load_seconds"),
        at("/cpu/others_seconds")
    );
    for (name, usage) in figures["cpu"]["processes"].as_object().into_iter().flatten() {
        let of = |key: &str| usage[key].as_f64().unwrap_or_default();
        println!("    {name:<28} {:>7.1} s  peak {:>6.0} MB", of("cpu_seconds"), of("peak_rss_mb"));
    }
}
