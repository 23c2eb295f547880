//! Bodies and parameters that the OpenAPI document does not allow, derived from it one by one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use runtime::http::parameters::{Kind, Parameter};
use serde_json::{Map, Value, json};

static SCHEMAS: LazyLock<Value> =
    LazyLock::new(|| retrace_server::services::document()["components"]["schemas"].take());

/// A body, and the field whose fault it has.
pub struct Fault {
    pub field: String,
    pub body: Value,
}

/// The bodies of one schema.
pub struct Bodies {
    schema: Value,
    validator: Validator,
}

impl Bodies {
    pub fn of(name: &str) -> Bodies {
        let schema = inlined(&json!({ "$ref": format!("#/components/schemas/{name}") }));
        let validator = validator(&schema);
        Bodies { schema, validator }
    }

    pub fn allows(&self, body: &Value) -> bool {
        self.validator.is_valid(body)
    }

    /// One fault each, in every field that the schema has.
    pub fn faults(&self, good: &Value) -> Vec<Fault> {
        let mut found = Vec::new();
        self.of_object(&self.schema, ("", ""), good, &mut found);
        found
    }

    /// Faults of all fields side by side.
    pub fn at_once(&self, good: &Value) -> (Vec<String>, Value) {
        let (mut fields, mut body) = (Vec::new(), good.clone());
        for (name, property) in properties(&self.schema) {
            let mut strangers = strangers(property, &good[name]).into_iter();
            let faulty = |stranger: &Value| !self.allows(&with(good, "", name, Some(stranger.clone())));
            if let Some(stranger) = strangers.find(faulty) {
                body = with(&body, "", name, Some(stranger));
                fields.push(name.clone());
            }
        }
        (fields, body)
    }

    /// `pointer` and `path`: where it is in the body, for JSON and for the server's messages.
    fn of_object(&self, schema: &Value, (pointer, path): (&str, &str), good: &Value, found: &mut Vec<Fault>) {
        for (name, property) in properties(schema) {
            let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let pointer_to = format!("{pointer}/{name}");
            let now = good.pointer(&pointer_to);
            let others = strangers(property, now.unwrap_or(&Value::Null)).into_iter().map(Some);
            for other in others.chain([None]) {
                let body = with(good, pointer, name, other);
                if !self.allows(&body) {
                    found.push(Fault { field: field.clone(), body });
                }
            }
            match now {
                Some(Value::Object(_)) => self.of_object(property, (&pointer_to, &field), good, found),
                Some(Value::Array(items)) if items.first().is_some_and(Value::is_object) => {
                    let (pointer, path) = (format!("{pointer_to}/0"), format!("{field}[0]"));
                    let items = keyword(property, "items").unwrap_or(&Value::Null);
                    self.of_object(items, (&pointer, &path), good, found);
                }
                _ => {}
            }
        }
    }
}

/// With another value of a field, or without it.
fn with(body: &Value, pointer: &str, name: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let object = body.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    body
}

/// What most fields cannot be, and what is just beyond the bounds of this one. Whether it is is the validator's to say.
fn strangers(property: &Value, now: &Value) -> Vec<Value> {
    let mut texts = vec!["no such thing".to_owned(), String::new(), " ".to_owned(), "a\0b".to_owned()];
    if let Some(most) = keyword(property, "maxLength").and_then(Value::as_u64) {
        texts.push("x".repeat(most as usize + 1));
    }
    let mut found = vec![json!(7.5), json!(true), json!([7.5]), json!({"x": 7.5}), json!([]), Value::Null];
    found.extend(texts.iter().map(|text| json!(text)));
    if let Some(items) = keyword(property, "items") {
        if let Some(most) = keyword(items, "maxLength").and_then(Value::as_u64) {
            texts.push("x".repeat(most as usize + 1));
        }
        found.extend(texts.iter().map(|text| json!([text])));
    }
    if let Some(most) = keyword(property, "maxItems").and_then(Value::as_u64) {
        found.extend(now.get(0).map(|item| Value::Array(vec![item.clone(); most as usize + 1])));
    }
    found.extend(keyword(property, "minimum").and_then(Value::as_i64).map(|least| json!(least - 1)));
    found.extend(keyword(property, "maximum").and_then(Value::as_u64).map(|most| json!(most + 1)));
    found.extend(keyword(property, "exclusiveMaximum").cloned());
    found
}

/// Texts that a parameter cannot be.
pub fn strangers_of(parameter: &Parameter) -> Vec<String> {
    let texts = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
    match parameter.kind {
        Kind::Text => texts(&["a\0b"]),
        Kind::Form(pattern) => {
            let form = validator(&json!({ "pattern": pattern }));
            let mut found = texts(&["", ",", "!", "a\0b"]);
            found.retain(|text| !form.is_valid(&json!(text)));
            found
        }
        Kind::Time => texts(&["yesterday", "", "2026-11-20"]),
        Kind::Decimal => texts(&["x", "", "1e24"]),
        Kind::OneOf(_) => texts(&["no such thing", ""]),
        Kind::Whole(least, most, _) => {
            let below = i128::from(least) - 1;
            vec!["x".to_owned(), String::new(), "1.5".to_owned(), below.to_string(), (most + 1).to_string()]
        }
    }
}

/// The first that the schema, or one of what it may be, says under this name.
fn keyword<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    schema.get(name).or_else(|| alternatives(schema).find_map(|schema| keyword(schema, name)))
}

fn properties(schema: &Value) -> BTreeMap<&String, &Value> {
    let own = schema["properties"].as_object().into_iter().flatten();
    own.chain(alternatives(schema).flat_map(properties)).collect()
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf", "allOf"].into_iter().filter_map(move |name| schema[name].as_array()).flatten()
}

/// With what it refers to in its place.
fn inlined(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(name) => inlined(&SCHEMAS[name.rsplit('/').next().unwrap()]),
            None => Value::Object(fields.iter().map(|(name, of)| (name.clone(), inlined(of))).collect::<Map<_, _>>()),
        },
        Value::Array(items) => items.iter().map(inlined).collect(),
        other => other.clone(),
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}
