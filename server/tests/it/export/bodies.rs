//! Traces with what breaks files: formulas, quotes, line breaks, control characters, large values, many spans.

use serde_json::{Value, json};

use crate::harness::Random;

const TEXTS: [&str; 16] = [
    "=SUM(A1)",
    "+1 \"quoted\", and a comma",
    "-5",
    "@cmd|' /C calc'!A0",
    "\t=1",
    "\r\n=1",
    "'already quoted",
    "'",
    "a\nb\r\nc",
    "\u{1}\u{1b}[31m\u{7f}\u{85}\u{2028}",
    "🦀 e\u{301} \u{202e}right to left",
    "\\\\server\\share \\n \\0",
    " ",
    "null",
    "＝1",
    "ordinary",
];

fn text(random: &mut Random) -> &'static str {
    TEXTS[random.below(TEXTS.len())]
}

fn payload(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Null,
        1 => json!(text(random)),
        2 => json!(-0.1),
        3 => json!(false),
        4 => json!([text(random), {"=k\n": text(random)}]),
        _ => json!({"messages": [{"role": "user", "content": text(random)}], "": [1e-7, 12345678901234567890_u64]}),
    }
}

/// More than a record holds: it goes ahead in chunks, which end within characters.
fn large(random: &mut Random) -> Value {
    json!(format!("x{}{}", "ö\"\n".repeat(210_000 + random.below(9)), random.next()))
}

fn time(random: &mut Random, day: usize) -> String {
    format!("2026-03-{day:02}T{:02}:00:{:02}.{:06}Z", random.below(24), random.below(60), random.below(1_000_000))
}

pub fn trace(random: &mut Random, id: &str, n: usize) -> Value {
    let day = 1 + random.below(5);
    let spans = if n == 3 { 400 } else { random.below(8) };
    let mut trace = json!({
        "id": id, "name": text(random), "status": random.pick(&["running", "completed", "failed"]),
        "session_id": random.pick(&["s1", "s2"]), "user_id": random.pick(&["u1", "-u2"]),
        "project_id": random.pick(&["p", "=SUM(A1)"]), "environment": random.pick(&["e", "f"]),
        "tags": [text(random), *random.pick(&["a", "-b"])], "started_at": time(random, day),
        "spans": (0..spans).map(|at| span(random, at, day)).collect::<Vec<_>>(),
    });
    let mut put = |chance: usize, name: &str, value: Value| {
        if random.percent(chance) {
            trace[name] = value;
        }
    };
    put(70, "ended_at", json!(format!("2026-03-{:02}T00:00:00Z", day + 1)));
    put(50, "total_cost", json!(0.123_456_789_012));
    put(50, "total_tokens", json!(99));
    put(30, "total_duration_ms", json!(2_000.125));
    put(20, "lossy", json!(true));
    for name in ["input", "output"] {
        if random.percent(80) {
            trace[name] = if n % 10 == 2 { large(random) } else { payload(random) };
        }
    }
    if random.percent(60) {
        trace["error"] = json!(text(random));
    }
    if random.percent(60) {
        trace["metadata"] = json!({"k": text(random)});
    }
    trace
}

fn span(random: &mut Random, at: usize, day: usize) -> Value {
    let mut span = json!({
        "id": format!("{:016x}", random.next() | 1), "name": format!("{} {at}", text(random)),
        "span_type": random.pick(&["llm_call", "tool_call", "reasoning"]), "started_at": time(random, day),
    });
    for (name, value) in [
        ("model", json!(random.pick(&["gpt-4o-mini", "=a model"]))),
        ("input_tokens", json!(random.below(100_000))),
        ("output_tokens", json!(random.below(1_000))),
        ("reasoning_tokens", json!(0)),
        ("cost", json!(random.pick(&[0.0, 1e-12, 0.1, 123_456.789]))),
        ("duration_ms", json!(random.below(9_999) as f64 / 8.0)),
        ("agent_id", json!(text(random))),
        ("agent_role", json!(text(random))),
        ("error", json!(text(random))),
        ("metadata", json!({"n": random.below(9)})),
        ("token_ids", json!([1, 2, random.below(9)])),
        ("logprobs", json!([-0.5])),
        ("input", payload(random)),
        ("output", payload(random)),
    ] {
        if random.percent(50) {
            span[name] = value;
        }
    }
    // Two in the same trace, now and then the same value.
    if random.percent(2) {
        let value = large(random);
        span["input"] = value.clone();
        span["output"] = value;
    }
    span
}
