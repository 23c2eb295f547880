//! A skill's definition: kept as it is sent, once its known parts are sound.

use jsonschema::{draft4, draft6, draft7, draft201909, draft202012};
use runtime::http::whole;
use serde_json::{Map, Value};

use crate::json::Reader;

const LONGEST: usize = 262_144;
pub const MOST_TOOLS: usize = 128;
pub const LONGEST_TOOL_NAME: usize = 128;
const MOST_ITERATIONS: u64 = 10_000;
/// Of what a validator says of a schema.
const LONGEST_REASON: usize = 200;

pub fn read(reader: &mut Reader<'_, '_>) -> Option<String> {
    let raw = reader.fields.get("definition")?.get();
    if raw.len() > LONGEST {
        reader.fault("definition", format_args!("is longer than {LONGEST} bytes"));
        return None;
    }
    match serde_json::from_str::<Map<String, Value>>(raw) {
        Ok(definition) => {
            let mut faults = Vec::new();
            check(&definition, &mut faults);
            for (path, what) in faults {
                reader.fault(&format!("definition.{path}"), what);
            }
        }
        Err(cause) if cause.is_data() => reader.fault("definition", "is not an object"),
        Err(cause) => reader.fault("definition", format_args!("cannot be read: {cause}")),
    }
    Some(raw.to_owned())
}

type Faults = Vec<(String, String)>;

fn check(definition: &Map<String, Value>, faults: &mut Faults) {
    let known = |name: &str| definition.get(name).filter(|value| !value.is_null());
    let mut fault = |path: &str, what: &str| faults.push((path.to_owned(), what.to_owned()));
    if known("prompt_template").is_some_and(|template| !template.is_string()) {
        fault("prompt_template", "is not text");
    }
    if known("max_iterations")
        .is_some_and(|most| !whole(&most.to_string()).is_some_and(|n| (1..=MOST_ITERATIONS).contains(&n)))
    {
        fault("max_iterations", &format!("is not a whole number from 1 to {MOST_ITERATIONS}"));
    }
    for (name, all) in [
        ("error_handling", &["retry", "fail", "fallback"][..]),
        ("memory_scope", &["session", "project", "global"][..]),
    ] {
        if known(name).is_some_and(|value| !value.as_str().is_some_and(|text| all.contains(&text))) {
            fault(name, &format!("is not one of {}", all.join(", ")));
        }
    }
    match known("tools") {
        Some(Value::Array(tools)) if tools.len() <= MOST_TOOLS => {
            for (at, tool) in tools.iter().enumerate() {
                check_tool(&format!("tools[{at}]"), tool, faults);
            }
        }
        Some(Value::Array(_)) => fault("tools", &format!("has more than {MOST_TOOLS} entries")),
        Some(_) => fault("tools", "is not a list"),
        None => {}
    }
}

fn check_tool(path: &str, tool: &Value, faults: &mut Faults) {
    let (path, name, of) = match tool {
        Value::String(_) => (path.to_owned(), Some(tool), None),
        // OpenAI's form.
        Value::Object(tool) => match tool.get("function") {
            Some(Value::Object(function)) => (format!("{path}.function"), function.get("name"), Some(function)),
            _ => (path.to_owned(), tool.get("name"), Some(tool)),
        },
        _ => return faults.push((path.to_owned(), "is neither a name nor an object".to_owned())),
    };
    let at = if of.is_some() { format!("{path}.name") } else { path.clone() };
    match name {
        Some(Value::String(name)) if (1..=LONGEST_TOOL_NAME).contains(&name.chars().count()) => {}
        Some(_) => faults.push((at, format!("is not text of 1 to {LONGEST_TOOL_NAME} characters"))),
        None => faults.push((at, "is missing".to_owned())),
    }
    for field in ["parameters", "input_schema"] {
        if let Some(schema) = of.and_then(|tool| tool.get(field)).filter(|schema| !schema.is_null())
            && let Some(reason) = schema_fault(schema)
        {
            faults.push((format!("{path}.{field}"), format!("is not a JSON Schema: {reason}")));
        }
    }
}

/// Against the meta-schema of the draft that it names; nothing is fetched.
fn schema_fault(schema: &Value) -> Option<String> {
    if !schema.is_object() {
        return Some("it is not an object".to_owned());
    }
    let valid = match schema.get("$schema").and_then(Value::as_str).unwrap_or("2020-12") {
        draft if draft.contains("draft-04") => draft4::meta::validate(schema),
        draft if draft.contains("draft-06") => draft6::meta::validate(schema),
        draft if draft.contains("draft-07") => draft7::meta::validate(schema),
        draft if draft.contains("2019-09") => draft201909::meta::validate(schema),
        draft if draft.contains("2020-12") => draft202012::meta::validate(schema),
        _ => return Some("its $schema is none of draft-04, -06, -07, 2019-09 and 2020-12".to_owned()),
    };
    let fault = valid.err()?;
    let reason = match fault.instance_path().as_str() {
        "" => fault.to_string(),
        path => format!("at {path}: {fault}"),
    };
    Some(reason.chars().take(LONGEST_REASON).collect())
}
