//! What is written down about the product agrees with the product: generated documents, the compose file, the gateway's
//! configuration, links. Needs no engines.
#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use retrace_server::cli::Cli;
use runtime::http::routes::{Needs, Route, Service, routes};
use runtime::settings::documented;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// What a subcommand of this build prints.
fn printed(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_retrace")).arg(command).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_generated(path: &str, command: &str) {
    let (committed, generated) = (read(path), printed(command));
    let differing = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert!(
        committed == generated,
        "{path} is not what the code says (first in line {}): run `cargo run --release -p retrace-server -- {command} > {path}`",
        differing.unwrap_or_else(|| committed.lines().count().min(generated.lines().count())) + 1
    );
}

#[test]
fn the_openapi_document_is_the_generated_one() {
    assert_generated("docs/openapi.json", "openapi");
}

#[test]
fn the_settings_page_is_the_generated_one() {
    assert_generated("docs/SETTINGS.md", "settings");
}

#[test]
fn the_permissions_page_is_the_generated_one() {
    assert_generated("docs/PERMISSIONS.md", "permissions");
}

#[test]
fn every_setting_says_what_it_is() {
    let mut seen = HashSet::new();
    for (key, _, meaning) in documented() {
        assert!(seen.insert(key), "{key} is there twice");
        assert!(meaning.len() > 10 && meaning.contains(' '), "{key} has no documentation: {meaning:?}");
    }
}

// The OpenAPI document in itself.

fn openapi() -> Value {
    retrace_server::services::document()
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference);
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_openapi_document_resolves_and_every_schema_is_used() {
    let document = openapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(format!("#/components/schemas/{name}").as_str()), "the schema {name} is not used");
    }
}

#[test]
fn every_route_is_in_the_openapi_document_and_nothing_else() {
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
        .collect();
    let table: BTreeSet<String> =
        interface().map(|route| format!("{} {}", route.method.to_lowercase(), route.path)).collect();
    assert_eq!(described, table);
    assert_eq!(table.len(), interface().count(), "a route is in the table twice");
}

/// Without the pages, and the WebSocket, which OpenAPI has no words for.
fn interface() -> impl Iterator<Item = &'static Route> {
    routes().filter(|route| route.path.starts_with("/api/v1/"))
}

#[test]
fn every_operation_of_the_openapi_document_is_complete() {
    let document = openapi();
    let mut ids = HashSet::new();
    for route in interface() {
        let (method, path) = (route.method.to_lowercase(), route.path);
        let operation = &document["paths"][path][&method];
        let at = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{at}: its operationId is taken");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{at} has no summary");
        let parameters = operation["parameters"].as_array().unwrap();
        for part in path.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            let described = parameters.iter().any(|parameter| parameter["name"] == name && parameter["in"] == "path");
            assert!(described, "{at} does not describe {name}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("default"), "{at} does not describe its errors");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at} has no answer");
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(open, route.class.is_open(), "{at}: security");
        assert_eq!(open, route.needs == Needs::Nothing, "{at}: needs");
        for scheme in operation["security"].as_array().unwrap().iter().flat_map(|s| s.as_object().unwrap().keys()) {
            assert!(!document["components"]["securitySchemes"][scheme].is_null(), "{at}: no scheme {scheme}");
        }
    }
}

#[test]
fn what_a_schema_requires_it_describes() {
    let document = openapi();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let parts = schema["allOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        for part in parts {
            for required in part["required"].as_array().into_iter().flatten() {
                assert!(!part["properties"][required.as_str().unwrap()].is_null(), "{name} requires {required}");
            }
        }
    }
}

// The compose file.

fn compose() -> Value {
    serde_saphyr::from_str(&read("docker-compose.yml")).unwrap()
}

fn services() -> Vec<(String, Value)> {
    compose()["services"].as_object().unwrap().clone().into_iter().collect()
}

/// A tag that names a version: `latest`, `stable` or a bare name move under one's feet.
fn is_pinned(image: &str) -> bool {
    let Some((_, tag)) = image.rsplit_once(':') else { return false };
    let version = tag.split('-').next().unwrap_or_default();
    version.split('.').count() >= 2 && version.split('.').all(|part| part.parse::<u32>().is_ok())
}

#[test]
fn the_compose_file_has_every_part_of_the_product() {
    let names: BTreeSet<String> = services().into_iter().map(|(name, _)| name).collect();
    let wanted = ["clickhouse", "gateway", "ingest", "kafka", "migrate", "postgres", "projector", "query-api"];
    assert_eq!(names, wanted.map(str::to_owned).into());
    let compose = compose();
    for volume in ["kafka", "clickhouse", "postgres"] {
        assert!(compose["volumes"].as_object().unwrap().contains_key(volume), "{volume} keeps its data nowhere");
        let mounts = compose["services"][volume]["volumes"].as_array().unwrap();
        assert!(mounts.iter().any(|mount| mount.as_str().unwrap().starts_with(&format!("{volume}:/"))), "{volume}");
    }
}

#[test]
fn every_image_is_pinned_by_version() {
    assert!(
        !is_pinned("nginx") && !is_pinned("nginx:latest") && !is_pinned("nginx:1") && is_pinned("nginx:1.30.4-alpine")
    );
    for (name, service) in services() {
        let image = service["image"].as_str().unwrap();
        assert!(is_pinned(image), "{name}: {image}");
        if !service["build"].is_null() {
            assert_eq!(image, concat!("retrace:", env!("CARGO_PKG_VERSION")), "{name}: the version of this workspace");
        }
    }
    let dockerfile = read("Dockerfile");
    let bases: Vec<&str> = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert!(!bases.is_empty());
    for base in bases {
        assert!(is_pinned(base.split(' ').next().unwrap()), "Dockerfile: {base}");
    }
}

#[test]
fn every_service_has_a_health_check_or_runs_once() {
    for (name, service) in services() {
        let check = &service["healthcheck"];
        if service["restart"].as_str().unwrap_or("no").starts_with("on-failure") {
            assert_eq!(check["disable"], true, "{name} runs once");
            continue;
        }
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        assert!(check["test"].as_array().is_some_and(|test| test.len() > 1), "{name} has no health check");
    }
}

#[test]
fn dependencies_name_services_and_what_they_can_be_waited_for() {
    let all = compose();
    for (name, service) in services() {
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            let once = all["services"][other]["healthcheck"]["disable"] == true;
            assert!(!all["services"][other].is_null(), "{name} depends on {other}");
            let wanted = if once { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(how["condition"], wanted, "{name} depends on {other}");
        }
    }
}

#[test]
fn every_command_of_the_compose_file_is_one_of_the_program() {
    for (name, service) in services().into_iter().filter(|(_, service)| !service["build"].is_null()) {
        let words: Vec<&str> =
            service["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let parsed = Cli::try_parse_from(["retrace"].into_iter().chain(words.iter().copied()));
        assert!(parsed.is_ok(), "{name}: retrace {}", words.join(" "));
    }
}

#[test]
fn every_setting_of_the_compose_file_exists() {
    let known: HashSet<String> = documented().into_iter().map(|(key, _, _)| key.to_uppercase()).collect();
    let mut checked = 0;
    for (name, service) in services() {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let Some(key) = variable.strip_prefix("RETRACE_") else { continue };
            assert!(known.contains(key), "{name}: there is no setting {variable}");
            assert!(value.is_string(), "{name}: {variable} is not text");
            checked += 1;
        }
    }
    assert!(checked > 0);
    // What compose itself puts in must not be something that `retrace` would refuse in the same shell.
    for variable in read("docker-compose.yml").split("${").skip(1).map(|rest| rest.split([':', '}']).next().unwrap()) {
        let setting = variable.strip_prefix("RETRACE_");
        assert!(setting.is_none_or(|key| known.contains(key)), "{variable} is no setting");
    }
}

#[test]
fn the_files_that_the_compose_file_mounts_are_there() {
    for (name, service) in services() {
        for mount in service["volumes"].as_array().into_iter().flatten() {
            let source = mount.as_str().unwrap().split(':').next().unwrap();
            assert!(!source.starts_with('.') || root().join(source).is_file(), "{name}: {source}");
        }
    }
}

// The gateway.

#[test]
fn the_gateway_sends_every_route_to_its_service() {
    let expected: Vec<String> = routes()
        .map(|route| {
            let path: Vec<&str> =
                route.path.split('/').map(|part| if part.starts_with('{') { "[^/]+" } else { part }).collect();
            let service = match route.service {
                Service::Ingest => "ingest",
                Service::QueryApi => "query-api",
            };
            format!("\"~^{} {}$\" {service};", route.method, path.join("/"))
        })
        .collect();
    let gateway = read("docker/gateway.conf");
    let map = gateway.split_once("map \"$request_method $uri\" $service {").unwrap().1.split_once("\n    }").unwrap().0;
    let found: Vec<&str> = map.lines().map(str::trim).filter(|line| line.starts_with('"')).collect();
    assert!(found == expected, "docker/gateway.conf must have these lines:\n        {}", expected.join("\n        "));
    assert!(map.contains("default query-api;"));
    assert!(gateway.contains("proxy_pass http://$service:3001;"));
}

#[test]
fn the_gateway_is_the_proxy_that_the_services_trust() {
    let compose = compose();
    let gateway = compose["services"]["gateway"]["networks"]["retrace"]["ipv4_address"].as_str().unwrap();
    assert_eq!(compose["services"]["ingest"]["environment"]["RETRACE_TRUSTED_PROXIES"], gateway);
    assert_eq!(compose["services"]["query-api"]["environment"]["RETRACE_TRUSTED_PROXIES"], gateway);
}

// The pages.

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn every_link_of_the_pages_leads_to_a_file() {
    let mut found = vec![root().join("README.md")];
    pages(&root().join("docs"), &mut found);
    for page in found {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(page.parent().unwrap().join(target).exists(), "{}: {target} is not there", page.display());
        }
    }
}

#[test]
fn decision_records_are_short_and_say_what_they_must() {
    let mut found = Vec::new();
    pages(&root().join("docs/adr"), &mut found);
    assert!(found.len() >= 6);
    for page in found {
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.lines().count() <= 60, "{} has more than 60 lines", page.display());
        for part in ["## Context", "## Decision", "## Consequences", "## Alternatives"] {
            assert!(text.contains(part), "{}: {part} is missing", page.display());
        }
    }
}

#[test]
fn the_operations_page_names_every_metric() {
    let (metrics, operations) = (read("runtime/src/metrics.rs"), read("docs/OPERATIONS.md"));
    let is_name = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    for name in metrics.split('"').filter(|text| text.starts_with("retrace_")).filter(is_name) {
        assert!(operations.contains(&format!("`{name}`")), "docs/OPERATIONS.md does not name {name}");
    }
}
