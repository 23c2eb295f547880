//! The OpenAPI document, from the route table and the schemas that the services derive.

use serde_json::{Map, Value, json};

use super::parameters::{Kind, Parameter, in_path};
use super::routes::{Class, FILES, OPTIONAL, PAGES, Route, routes};

/// Of Standard Webhooks.
const WEBHOOK_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// The document; `schemas` are the services' `components/schemas`.
pub fn document(schemas: Map<String, Value>) -> Value {
    let mut paths = Map::new();
    for route in routes().filter(is_described) {
        let item = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    let mut schemas = schemas;
    schemas.insert(
        "Error".to_owned(),
        json!({ "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } }),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Retrace",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Records the execution of AI agents, and reads it back.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": { "type": "apiKey", "in": "header", "name": "x-retrace-key" },
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

/// Pages are for people, and OpenAPI has no words for a WebSocket.
fn is_described(route: &&Route) -> bool {
    route.tag != PAGES && route.answers.iter().all(|(status, ..)| *status != 101)
}

fn operation(route: &Route) -> Value {
    let mut parameters = Vec::new();
    let parts: Vec<&str> = route.path.split('/').collect();
    for part in parts.windows(2).filter(|part| part[1].starts_with('{')) {
        let (name, kind) = (part[1].trim_matches(['{', '}']), in_path(part[0]));
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema(kind) }));
    }
    for Parameter { name, kind, is_needed, description } in route.query.iter().copied().flatten() {
        parameters.push(json!({
            "name": name,
            "in": "query",
            "required": is_needed,
            "description": description,
            "schema": schema(*kind),
        }));
    }
    if route.class == Class::Webhook {
        for name in WEBHOOK_HEADERS {
            parameters.push(json!({ "name": name, "in": "header", "required": true, "schema": { "type": "string" } }));
        }
    }
    let mut responses = Map::new();
    for (status, description, schema) in route.answers {
        let mut answer = json!({ "description": description });
        if let Some(schema) = schema {
            answer["content"] = json!({ "application/json": { "schema": reference(schema) } });
        }
        responses.insert(status.to_string(), answer);
    }
    let error =
        json!({ "description": "An error", "content": { "application/json": { "schema": reference("Error") } } });
    responses.insert("default".to_owned(), error);
    let mut operation = json!({
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": operation_id(route),
        "parameters": parameters,
        "responses": responses,
        "security": if route.class.is_open() { json!([]) } else { json!([{ "apiKey": [] }, { "bearer": [] }]) },
    });
    if let Some(body) = route.body {
        let types = FILES.iter().find(|(name, _)| *name == body).map_or(&["application/json"][..], |(_, types)| *types);
        let content: Map<String, Value> =
            types.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": reference(body) }))).collect();
        operation["requestBody"] = json!({ "required": !OPTIONAL.contains(&body), "content": content });
    }
    operation
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string", "pattern": r"^[^\u0000]*$" }),
        Kind::Form(pattern) => json!({ "type": "string", "pattern": pattern }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Decimal => json!({ "type": "number", "exclusiveMinimum": -1e24, "exclusiveMaximum": 1e24 }),
        Kind::OneOf(all) => json!({ "type": "string", "enum": all }),
        Kind::Whole(least, most, default) => {
            let mut schema = json!({ "type": "integer", "minimum": least, "maximum": most });
            if let Some(default) = default {
                schema["default"] = json!(default);
            }
            schema
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/");
    let words: Vec<&str> = path.split(['/', '-', '{', '}']).filter(|word| !word.is_empty()).collect();
    format!("{}_{}", route.method.to_ascii_lowercase(), words.join("_"))
}
