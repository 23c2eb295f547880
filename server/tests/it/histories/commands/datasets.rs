//! Datasets: items by hand, by file, and as snapshots of traces and spans.

use schemas::events::DatasetItemContent;
use serde_json::{Value, json};
use verify::resources::{Dataset, DatasetItem, ItemState};

use super::super::bodies::SPANS;
use super::compared::{self, LIMIT, read, read_all, time};
use super::names::trace_name;
use super::{Body, Command, Compared, Creation, Part, RESOURCES};
use crate::harness::{Random, same};

/// One by hand, one of a trace, one of a span.
const ITEMS: usize = 3;

/// A further one has the name of the first.
pub fn creation(dataset: usize) -> Creation {
    let body = json!({"name": format!("dataset {}", dataset % RESOURCES)});
    Creation::new("POST /datasets", format!("dataset {dataset}"), body)
}

fn item(dataset: usize, item: usize) -> Creation {
    let body = match item {
        0 => json!({"input": {"q": [1, null]}, "expected_output": "a", "metadata": {"k": 1}}),
        1 => json!({"trace_id": trace_name(0)}),
        _ => json!({"trace_id": trace_name(0), "span_id": SPANS[0], "expected_output": ["b"]}),
    };
    let within = Some(Box::new(creation(dataset)));
    Creation { within, ..Creation::new("POST /datasets/{id}/items", format!("item {dataset} {item}"), body) }
}

pub fn draw(random: &mut Random) -> Command {
    let dataset = *random.pick(&[0, 0, 0, 1]);
    let nth = random.below(ITEMS);
    let if_match = random.percent(30).then(|| random.between(1, 4) as i64);
    match random.below(20) {
        0..3 => creation(random.below(RESOURCES + 1)).into(),
        3..8 => item(dataset, nth).into(),
        8..11 => {
            let body = Some(Body::Json(item_change(random)));
            let route = "PATCH /datasets/{id}/items/{item_id}";
            Command { if_match, body, ..about_item(random, dataset, nth, route) }
        }
        11..14 => {
            let flag = Some(("erase", random.percent(40)));
            Command { if_match, flag, ..about_item(random, dataset, nth, "DELETE /datasets/{id}/items/{item_id}") }
        }
        14..16 => {
            let body = match random.below(3) {
                0 => json!({"name": format!("dataset {}", random.below(3))}),
                _ => json!({"description": format!("text {}", random.below(9))}),
            };
            let command = Command::about(random, creation(dataset), "PATCH /datasets/{id}");
            Command { if_match, body: Some(Body::Json(body)), ..command }
        }
        16..19 => {
            let lines = (0..random.between(1, 3)).map(|n| json!({"input": n, "metadata": random.below(9)}));
            let body = Some(Body::Lines(lines.collect()));
            let command = Command::about(random, creation(dataset), "POST /datasets/{id}/import");
            Command { body, reads: true, ..command }
        }
        _ => Command { if_match, ..Command::about(random, creation(dataset), "DELETE /datasets/{id}") },
    }
}

fn item_change(random: &mut Random) -> Value {
    match random.below(3) {
        0 => json!({"input": random.below(9)}),
        1 => json!({"expected_output": null, "metadata": {"changed": random.below(9)}}),
        _ => json!({"expected_output": format!("output {}", random.below(9))}),
    }
}

fn about_item(random: &mut Random, dataset: usize, nth: usize, route: &'static str) -> Command {
    let mut command = Command::about(random, creation(dataset), route);
    command.parts.push(Part::Of(item(dataset, nth)));
    command
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    let mut listed = Vec::new();
    for (id, dataset) in of.all(|resources| &resources.datasets) {
        let newest = dataset.versions.len();
        listed.push((dataset.versions[0].created_at, summary(id, dataset, newest)));
    }
    let ids: Vec<_> = (0..=RESOURCES).map(|dataset| creation(dataset).id(of.by())).collect();
    of.list(random, ("/api/v1/datasets", "datasets"), listed, &ids).await?;
    for (id, dataset) in of.all(|resources| &resources.datasets) {
        let newest = dataset.versions.len();
        // The current one shows how all items are now; any older one is made of the same rows by the same condition.
        let version = if random.percent(50) { newest } else { random.between(1, newest) };
        let asked = if version < newest { format!("&version={version}") } else { String::new() };
        let path = format!("/api/v1/datasets/{id}?{LIMIT}{asked}");
        let mut expected = summary(id, dataset, version);
        expected["items"] = shown_items(dataset, version as i64)?;
        expected["items_cursor"] = Value::Null;
        let mut found = read(of.client(), &path, true).await?.unwrap_or_default();
        for item in found["items"].as_array_mut().into_iter().flatten() {
            // What it is computed of is compared; that an erased item has none is all that is left to see.
            let hash = item["content_hash"].take();
            if hash.is_null() != (item["erased"] == true) {
                return Err(format!("GET {path}: content_hash {hash} of {item}"));
            }
        }
        same(&expected, &found, &format!("GET {path}"))?;
        let versions = dataset.versions.iter().zip(1..).map(|(version, number)| {
            json!({"version": number, "change": version.change, "item_count": version.item_count,
                "created_at": time(version.created_at)})
        });
        let mut versions: Vec<Value> = versions.collect();
        versions.reverse();
        read_all(of.client(), &format!("/api/v1/datasets/{id}/versions?{LIMIT}"), "versions", &versions).await?;
    }
    Ok(())
}

fn summary(id: &str, dataset: &Dataset, version: usize) -> Value {
    let content = dataset.content.clone().unwrap_or_default();
    let (first, then) = (&dataset.versions[0], &dataset.versions[version - 1]);
    json!({"id": id, "name": content.name, "description": content.description.unwrap_or_default(),
        "version": version, "latest_version": dataset.versions.len(), "item_count": then.item_count,
        "created_by": content.user_id, "created_at": time(first.created_at), "updated_at": time(then.created_at)})
}

fn shown_items(dataset: &Dataset, version: i64) -> Result<Value, String> {
    let of_version = dataset.items.iter().zip(1..).filter_map(|(item, position)| {
        let state = item.states.iter().rfind(|state| state.from <= version)?;
        item.ended.is_none_or(|ended| ended > version).then_some((item, position, state))
    });
    of_version.map(|(item, position, state)| shown_item(item, position, state)).collect()
}

fn shown_item(item: &DatasetItem, position: i64, state: &ItemState) -> Result<Value, String> {
    let nothing = DatasetItemContent::default();
    let content = |state: &ItemState| match item.erased {
        true => Ok(nothing.clone()),
        false => state.content.clone().ok_or_else(|| format!("the content of item {} is lost", item.id)),
    };
    let (first, now) = (&item.states[0], content(state)?);
    let part = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| compared::json(&text));
    Ok(json!({"id": item.id, "position": position, "version": state.from, "content_hash": null,
        "input": part(now.input), "expected_output": part(now.expected_output), "metadata": part(now.metadata),
        "source": part(now.source), "erased": item.erased, "created_by": content(first)?.user_id,
        "created_at": time(first.updated_at), "updated_by": now.user_id, "updated_at": time(state.updated_at)}))
}
