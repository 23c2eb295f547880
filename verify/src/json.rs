//! The JSON that REST answers, from the fold. Decimals become floats: compare numbers as such.

use schemas::Money;
use schemas::events::PayloadField;
use serde_json::{Map, Number, Value, json};
use time::OffsetDateTime;

use crate::view::{Cells, SpanView, TraceView};

pub fn trace(view: &TraceView) -> Value {
    let spans: Vec<Value> = view.spans.iter().map(|s| span(&view.id, s)).collect();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", json!(view.id));
    put("name", json!(view.name.as_deref().unwrap_or("")));
    put("status", json!(view.status.as_str()));
    for field in [PayloadField::Input, PayloadField::Output, PayloadField::Error, PayloadField::Metadata] {
        put(field.as_str(), cell(&view.cells, field));
    }
    put("session_id", json!(view.session_id));
    put("user_id", json!(view.user_id));
    put("project_id", json!(view.project_id));
    put("environment", json!(view.environment));
    put("tags", json!(view.tags));
    put("started_at", time(view.started_at));
    put("ended_at", view.ended_at.map_or(Value::Null, time));
    put("total_tokens", i64::try_from(view.total_tokens).map_or(Value::Null, Value::from));
    put("total_cost", money(view.total_cost));
    put("total_duration_ms", view.total_duration_us.map_or(Value::Null, milliseconds));
    put("reported_total_tokens", json!(view.reported_total_tokens));
    put("reported_total_cost", view.reported_total_cost.map_or(Value::Null, money));
    put("span_count", json!(view.spans.len()));
    put("lossy", json!(view.lossy));
    put("golden", json!(view.golden));
    put("warnings", json!(view.warnings));
    put("models", json!(view.models));
    put("spans", Value::Array(spans));
    Value::Object(object)
}

pub fn span(trace_id: &str, view: &SpanView) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", json!(view.id));
    put("trace_id", json!(trace_id));
    put("parent_id", json!(view.parent_id));
    put("span_type", json!(view.span_type.map(|kind| kind.as_str())));
    put("name", json!(view.name.as_deref().unwrap_or("")));
    put("model", json!(view.model));
    put("input_tokens", json!(view.input_tokens));
    put("output_tokens", json!(view.output_tokens));
    put("cache_read_tokens", json!(view.cache_read_tokens));
    put("cache_write_tokens", json!(view.cache_write_tokens));
    put("reasoning_tokens", json!(view.reasoning_tokens));
    put("cost", view.cost.map_or(Value::Null, money));
    put("cost_source", json!(view.cost_source));
    put("duration_ms", view.duration_us.map_or(Value::Null, milliseconds));
    put("started_at", view.started_at.map_or(Value::Null, time));
    put("ended_at", view.ended_at.map_or(Value::Null, time));
    put("agent_id", json!(view.agent_id));
    put("parent_agent_id", json!(view.parent_agent_id));
    put("agent_role", json!(view.agent_role));
    for field in PayloadField::ALL {
        put(field.as_str(), cell(&view.cells, *field));
    }
    Value::Object(object)
}

fn cell(cells: &Cells, field: PayloadField) -> Value {
    match cells.get(&field) {
        None => Value::Null,
        Some(text) if field == PayloadField::Error => Value::String(text.clone()),
        Some(text) => serde_json::from_str(text).unwrap_or(Value::Null),
    }
}

fn number(text: &str) -> Value {
    text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

fn money(amount: Money) -> Value {
    number(&amount.to_string())
}

fn milliseconds(us: i64) -> Value {
    let (sign, us) = (if us < 0 { "-" } else { "" }, us.unsigned_abs());
    number(&format!("{sign}{}.{:03}", us / 1000, us % 1000))
}

/// RFC 3339 in UTC with six digits.
fn time(us: i64) -> Value {
    let Ok(at) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1000) else { return Value::Null };
    let (date, (hour, minute, second, micro)) = (at.date(), at.time().as_hms_micro());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    Value::String(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z"))
}
