//! Templates → texts and JSON.

use serde_json::{Map, Number, Value};

use crate::domains::Tool;
use crate::random::Random;

const TOPICS: &[&str] = &[
    "returns",
    "damaged goods",
    "data protection",
    "battery recycling",
    "sick leave",
    "parking",
    "solar power",
    "late payment",
    "rail strikes",
    "memory pressure",
];
const CITIES: &[&str] = &["Oslo", "Lisbon", "Kyoto", "Leipzig", "Nairobi", "Quito", "Cork", "Turin"];
const COMPANIES: &[&str] = &["Northwind", "Contoso", "Initech", "Globex", "Umbra", "Acme", "Hooli", "Vandelay"];
const STATES: &[&str] = &["on its way", "delivered", "delayed", "cloudy", "in preparation"];
const SERVICES: &[&str] = &["checkout", "search", "billing", "gateway", "recommendations"];
const SYMBOLS: &[&str] = &["parse_rows", "load_config", "http_request_seconds", "retry_after", "merge_spans"];
const FILES: &[&str] = &["app/models/user.py", "src/billing/tax.py", "lib/http/client.py", "tools/sync.py"];
const TESTS: &[&str] = &["test_import_is_idempotent", "test_rounding", "test_login_redirect", "test_empty_batch"];
const PRODUCTS: &[&str] = &["Aria 3", "Pico Watch", "Volt S", "Nimbus 14"];
const REPOSITORIES: &[&str] = &["shop/api", "shop/web", "data/pipelines", "platform/infra"];

/// The template with each `<slot>` filled in; an unknown one stays as it is.
pub(crate) fn fill(template: &str, random: &mut Random) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        match after.split_once('>').and_then(|(slot, behind)| Some((value(slot, random)?, behind))) {
            Some((value, behind)) => {
                text.push_str(&value);
                rest = behind;
            }
            None => {
                text.push('<');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

fn value(slot: &str, random: &mut Random) -> Option<String> {
    let mut one_of = |values: &[&str]| values[random.below(values.len())].to_owned();
    Some(match slot {
        "topic" => one_of(TOPICS),
        "city" => one_of(CITIES),
        "company" => one_of(COMPANIES),
        "state" => one_of(STATES),
        "service" => one_of(SERVICES),
        "symbol" => one_of(SYMBOLS),
        "file" => one_of(FILES),
        "test" => one_of(TESTS),
        "product" => one_of(PRODUCTS),
        "repo" => one_of(REPOSITORIES),
        "order" => format!("A{}", 100_000 + random.below(900_000)),
        "invoice" => format!("INV-{}-{:05}", 2020 + random.below(7), random.below(100_000)),
        "code" => format!("SAVE{}", 5 * (1 + random.below(8))),
        "amount" => format!("{}.{:02}", 1 + random.lognormal(60.0, 1.0) as u64, random.below(100)),
        "date" => format!("2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)),
        "n" => (1 + random.lognormal(12.0, 1.2) as u64).to_string(),
        "big" => (128_001 + random.below(90_000)).to_string(),
        "hex" => random.hex(24),
        "uuid" => random.uuid().to_string(),
        _ => return None,
    })
}

/// Arguments or results, whole numbers as such.
pub(crate) fn object(fields: &[(&str, &str)], random: &mut Random) -> Value {
    let value = |text: String| match text.parse::<i64>() {
        Ok(number) => Value::Number(Number::from(number)),
        Err(_) => Value::String(text),
    };
    let filled = fields.iter().map(|(name, template)| ((*name).to_owned(), value(fill(template, random))));
    Value::Object(filled.collect::<Map<_, _>>())
}

/// A model's output that asks for tools, as the client records it.
pub(crate) fn tool_calls(calls: &[(&Tool, Value)]) -> String {
    let calls: Vec<String> = calls.iter().map(|(tool, arguments)| format!("{}({arguments})", tool.name)).collect();
    format!("[tool calls] {}", calls.join(", "))
}
