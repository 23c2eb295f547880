//! Documents side by side.

use serde_json::{Map, Value};

/// Numbers are compared as such: the answer writes decimals, the fold floats.
pub fn same(expected: &Value, found: &Value, path: &str) -> Result<(), String> {
    let differ = || {
        let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
        Err(format!("{path}: expected {}, found {}", short(expected), short(found)))
    };
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) if (a - b).abs() <= 1e-12 * a.abs() => Ok(()),
            _ => differ(),
        },
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().try_for_each(|(at, (a, b))| same(a, b, &format!("{path} [{at}]")))
        }
        (Value::Object(a), Value::Object(b)) if names(a) == names(b) => {
            a.iter().try_for_each(|(name, a)| same(a, &b[name], &format!("{path} .{name}")))
        }
        (a, b) if a == b => Ok(()),
        _ => differ(),
    }
}

fn names(fields: &Map<String, Value>) -> std::collections::BTreeSet<&String> {
    fields.keys().collect()
}

/// A document without some of its fields.
pub fn without(mut document: Value, names: &[&str]) -> Value {
    if let Some(fields) = document.as_object_mut() {
        for name in names {
            fields.remove(*name);
        }
    }
    document
}
