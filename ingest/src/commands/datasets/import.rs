//! `POST /datasets/{id}/import`: as many events as records must be small, of which the last one makes all count (ADR 0017).

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures::future::try_join_all;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{FileBody, RequestNames};
use schemas::events::datasets::{ImportedItem, item_owner, owner};
use schemas::events::{DatasetItemContent, DatasetItemsImported};
use schemas::sealing::{self, SealingKey};
use schemas::{Event, codec, ids, topics};
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::handlers::{WHAT, answer, path_id};
use super::lines::{self, Format};
use crate::append::Caller;
use crate::decide::{Ids, once};
use crate::state::AppState;

/// Of the items of one event, before they are sealed.
const MOST_BYTES: usize = 600_000;
/// What an item takes in an event beside its content.
const BESIDE: usize = 256;
/// Keys that are made side by side.
const KEYS: usize = 500;

pub async fn import(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: FileBody,
) -> Result<Response, Problem> {
    let format = Format::of(&body.media_type)?;
    let id = path_id(&id, WHAT)?;
    let contents = lines::read(format, &body.bytes, &principal.user)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = format!("{id}{format:?}{}", sealing::hex(&sealing::sha256(&body.bytes)));
    once(&state, &caller, ("POST /datasets/{id}/import", &headers, asked.as_bytes()), async |made| {
        // A file for a dataset that is not there need not go into the log.
        let path = format!("/api/v1/datasets/{id}?limit=0");
        state.ask.read::<IgnoredAny>(&headers, &names.id, &path, WHAT).await?;
        let events = events(&state, &caller, &id, &made, &contents).await?;
        let decided = state.decide_all(&caller, &owner(&id), events).await?;
        answer(&state, &names, &headers, &id, decided).await
    })
    .await
}

/// An item on its way into an event.
struct Item {
    id: String,
    key: SealingKey,
    sizes: schemas::events::datasets::DatasetItemSizes,
    plain: Vec<u8>,
}

async fn events(
    state: &AppState,
    caller: &Caller<'_>,
    dataset: &str,
    made: &Ids,
    contents: &[DatasetItemContent],
) -> Result<Vec<(Uuid, Event)>, Problem> {
    let import = Uuid::try_parse(&made.resource).map_err(Problem::internal)?;
    let tenant = &caller.principal.tenant;
    let partition = topics::tenant_partition(tenant, topics::PARTITIONS);
    let mut items = Vec::with_capacity(contents.len());
    for (chunk, contents) in contents.chunks(KEYS).enumerate() {
        let named: Vec<(String, &DatasetItemContent)> = (chunk * KEYS + 1..)
            .zip(contents)
            .map(|(place, content)| (ids::derived(import, &format!("item {place}")).to_string(), content))
            .collect();
        let owners: Vec<String> = named.iter().map(|(item, _)| item_owner(dataset, item)).collect();
        let keys = owners.iter().map(|owner| state.sealing_keys.once(&state.publisher, tenant, owner, partition));
        let keys = try_join_all(keys).await?;
        for ((id, content), key) in named.into_iter().zip(keys) {
            let plain = codec::encode("dataset_item_content", content).map_err(Problem::internal)?;
            items.push(Item { id, key, sizes: content.sizes(), plain });
        }
    }
    let most_items = i64::try_from(state.settings.max_dataset_items).unwrap_or(i64::MAX);
    let (mut events, mut first, total) = (Vec::new(), 1, items.len() as i64);
    for items in split(items) {
        let next = first + items.len() as i64;
        // Known again when the import is repeated under its Idempotency-Key.
        let event = if next > total { made.event } else { ids::derived(made.event, &format!("from {first}")) };
        let items = items.into_iter().map(|item| sealed(item, event)).collect::<Result<_, _>>()?;
        let (dataset_id, import_id) = (dataset.to_owned(), import.to_string());
        let imported = DatasetItemsImported { dataset_id, import_id, first, total, most_items, items };
        events.push((event, Event::DatasetItemsImported(imported)));
        first = next;
    }
    Ok(events)
}

/// As many to an event as it holds; the same for the same items.
fn split(items: Vec<Item>) -> Vec<Vec<Item>> {
    let (mut parts, mut held): (Vec<Vec<Item>>, usize) = (Vec::new(), 0);
    for item in items {
        let bytes = item.plain.len() + BESIDE;
        match parts.last_mut() {
            Some(part) if held + bytes <= MOST_BYTES => {
                held += bytes;
                part.push(item);
            }
            _ => {
                held = bytes;
                parts.push(vec![item]);
            }
        }
    }
    parts
}

fn sealed(item: Item, event: Uuid) -> Result<ImportedItem, Problem> {
    let content = sealing::seal(&item.key, event, &item.plain).map_err(Problem::internal)?;
    Ok(ImportedItem { item_id: item.id, sizes: item.sizes, content })
}
