//! Every answer that a test gets is held against the OpenAPI document, whose schemas are closed for it: a status or a field
//! that the document lacks fails the test, whatever the test is about.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use runtime::http::routes::{Route, matching};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// What any route may refuse with.
const REFUSALS: [u16; 12] = [400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 500, 503];

static SCHEMAS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let mut document = retrace_server::services::document();
    match document["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        other => panic!("no schemas: {other}"),
    }
});
static VALIDATORS: LazyLock<Mutex<HashMap<&str, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Panics where the answer is none that the document has.
pub fn check(method: &Method, path: &str, status: StatusCode, body: &str) {
    let path = path.split('?').next().unwrap_or_default();
    let status = status.as_u16();
    if !path.starts_with("/api/v1/") {
        return;
    }
    let told = || format!("{method} {path}: {status} {body}");
    if status >= 400 {
        assert!(REFUSALS.contains(&status), "no status of the contract: {}", told());
        let refused: Value = serde_json::from_str(body).unwrap_or_else(|fault| panic!("{fault}: {}", told()));
        let only_error = refused.as_object().is_some_and(|fields| fields.len() == 1 && fields["error"].is_string());
        assert!(only_error, "an error is one message: {}", told());
        return;
    }
    let Some(route) = matching(method.as_str(), path) else { panic!("not in the route table: {}", told()) };
    let schema = schema_of(route, status).unwrap_or_else(|| panic!("the document has no such answer: {}", told()));
    let Some(schema) = schema else {
        assert!(status != 204 || body.is_empty(), "{}", told());
        return;
    };
    if let Err(fault) = serde_json::from_str::<&RawValue>(body) {
        panic!("{fault}: {}", told());
    }
    // A payload is shown as it was sent, also with numbers that are beyond what fits here.
    let Ok(answer) = serde_json::from_str::<Value>(body) else { return };
    let faults: Vec<String> =
        validator(schema).iter_errors(&answer).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "not as {schema} says: {}\n{}", faults.join("\n"), told());
}

fn schema_of(route: &Route, status: u16) -> Option<Option<&'static str>> {
    route.answers.iter().find(|(of, ..)| *of == status).map(|(_, _, schema)| *schema)
}

fn validator(name: &'static str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let made = || {
        let schema = closed(&json!({ "$ref": format!("#/components/schemas/{name}") }), false);
        Arc::new(jsonschema::draft202012::new(&schema).unwrap_or_else(|fault| panic!("{name}: {fault}")))
    };
    Arc::clone(validators.entry(name).or_insert_with(made))
}

/// The schema with what it refers to in its place, and no properties but those that it names. `is_part`: of an `allOf`,
/// which is closed as a whole.
fn closed(schema: &Value, is_part: bool) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or_default();
        return closed(SCHEMAS.get(name).unwrap_or_else(|| panic!("no schema {name}")), is_part);
    }
    let mut made = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                Value::Object(properties.iter().map(|(name, of)| (name.clone(), closed(of, false))).collect())
            }
            ("allOf", Value::Array(parts)) => parts.iter().map(|part| closed(part, true)).collect(),
            ("oneOf" | "anyOf", Value::Array(parts)) => parts.iter().map(|part| closed(part, is_part)).collect(),
            ("items" | "additionalProperties", Value::Object(_)) => closed(value, false),
            _ => value.clone(),
        };
        made.insert(key.clone(), value);
    }
    let is_object = made.contains_key("properties") || made.contains_key("allOf");
    if is_object && !is_part && !made.contains_key("additionalProperties") {
        made.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    Value::Object(made)
}
