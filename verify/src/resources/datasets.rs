//! "Datasets".

use std::collections::BTreeMap;

use schemas::codec;
use schemas::events::datasets::{DatasetItemSizes, LONGEST_ITEM, item_owner};
use schemas::events::{
    DatasetChanged, DatasetContent, DatasetCreated, DatasetDeleted, DatasetItemAdded, DatasetItemChanged,
    DatasetItemContent, DatasetItemDeleted, DatasetItemsImported,
};

use super::{Command, Open, Outcome, Resources, done, refused, stale};

const DAY: i64 = 86_400_000_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    pub name_hash: [u8; 32],
    /// None: erased.
    pub content: Option<DatasetContent>,
    /// From the first to the current one.
    pub versions: Vec<DatasetVersion>,
    /// In the order of their coming.
    pub items: Vec<DatasetItem>,
    /// How many of them have not ended.
    pub item_count: i64,
    /// Id → place in `items`.
    places: BTreeMap<String, usize>,
    /// Items of imports that have not ended, by id.
    pub waiting: BTreeMap<String, Waiting>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DatasetVersion {
    pub change: &'static str,
    pub item_count: i64,
    pub last_position: i64,
    pub created_at: i64,
}

/// Its place among the items is its position.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetItem {
    pub id: String,
    /// As it was from a version of the dataset on.
    pub states: Vec<ItemState>,
    /// The first version without it.
    pub ended: Option<i64>,
    pub erased: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ItemState {
    pub from: i64,
    pub sizes: DatasetItemSizes,
    /// None: some of what it is made of is erased.
    pub content: Option<DatasetItemContent>,
    pub updated_at: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub import_id: String,
    pub place: i64,
    pub came_at: i64,
    pub sizes: DatasetItemSizes,
    pub content: Option<DatasetItemContent>,
}

impl Dataset {
    pub fn version(&self) -> i64 {
        self.versions.len() as i64
    }

    fn next(&mut self, change: &'static str, created_at: i64) -> i64 {
        let (item_count, last_position) = (self.item_count, self.items.len() as i64);
        self.versions.push(DatasetVersion { change, item_count, last_position, created_at });
        self.version()
    }

    /// Unless it is erased.
    fn item(&mut self, id: &str) -> Option<&mut DatasetItem> {
        let place = *self.places.get(id)?;
        self.items.get_mut(place).filter(|item| !item.erased)
    }

    fn put(
        &mut self,
        id: &str,
        (sizes, content): (DatasetItemSizes, Option<DatasetItemContent>),
        from: i64,
        updated_at: i64,
    ) {
        let state = ItemState { from, sizes, content, updated_at };
        self.places.insert(id.to_owned(), self.items.len());
        self.item_count += 1;
        self.items.push(DatasetItem { id: id.to_owned(), states: vec![state], ended: None, erased: false });
    }
}

impl Resources {
    pub(super) fn create_dataset(&mut self, command: &Command<'_>, event: &DatasetCreated, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        if self.datasets.contains_key(&key) {
            return refused(409, None, "A dataset with this id exists".to_owned());
        }
        let name_hash = event.name_hash.into_array();
        if self.is_dataset_name(command.tenant, name_hash, &event.dataset_id) {
            return refused(409, None, "A dataset of this name exists".to_owned());
        }
        let content = open(&event.content).and_then(|plain| codec::decode("dataset_content", &plain).ok());
        let mut dataset = Dataset { name_hash, content, ..Dataset::default() };
        dataset.next("created", command.time);
        self.datasets.insert(key, dataset);
        done(201, Some(1))
    }

    pub(super) fn change_dataset(&mut self, command: &Command<'_>, event: &DatasetChanged, open: Open<'_>) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        let Some(dataset) = self.datasets.get(&key) else { return not_found("Dataset") };
        if let Some(stale) = stale("dataset", event.if_match, dataset.version()) {
            return stale;
        }
        let name_hash = event.name_hash.as_ref().map(|hash| hash.into_array());
        if name_hash.is_some_and(|hash| self.is_dataset_name(command.tenant, hash, &event.dataset_id)) {
            return refused(409, None, "A dataset of this name exists".to_owned());
        }
        let Some(dataset) = self.datasets.get_mut(&key) else { return not_found("Dataset") };
        let given: Option<DatasetContent> =
            open(&event.content).and_then(|plain| codec::decode("dataset_content", &plain).ok());
        dataset.name_hash = name_hash.unwrap_or(dataset.name_hash);
        dataset.content = dataset.content.take().zip(given).map(|(content, given)| DatasetContent {
            user_id: content.user_id,
            name: given.name.or(content.name),
            description: given.description.or(content.description),
        });
        done(200, Some(dataset.next("changed", command.time)))
    }

    pub(super) fn delete_dataset(&mut self, command: &Command<'_>, event: &DatasetDeleted) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        let Some(dataset) = self.datasets.get(&key) else { return not_found("Dataset") };
        if let Some(stale) = stale("dataset", event.if_match, dataset.version()) {
            return stale;
        }
        self.datasets.remove(&key);
        done(204, None)
    }

    pub(super) fn add_dataset_item(&mut self, command: &Command<'_>, event: &DatasetItemAdded) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        let Some(dataset) = self.datasets.get_mut(&key) else { return not_found("Dataset") };
        if dataset.places.contains_key(&event.item_id) {
            return refused(409, None, "An item with this id exists".to_owned());
        }
        if dataset.item_count + 1 > event.most_items {
            return full(event.most_items);
        }
        let content = command.item(&event.dataset_id, &event.item_id, &event.content);
        dataset.put(&event.item_id, (event.sizes, content), dataset.version() + 1, command.time);
        done(201, Some(dataset.next("item added", command.time)))
    }

    pub(super) fn change_dataset_item(&mut self, command: &Command<'_>, event: &DatasetItemChanged) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        let Some(dataset) = self.datasets.get_mut(&key) else { return not_found("Dataset") };
        let from = dataset.version() + 1;
        let Some(item) = dataset.item(&event.item_id) else { return not_found("Item") };
        let Some(state) = item.states.last() else { return not_found("Item") };
        if let Some(stale) = stale("item", event.if_match, state.from) {
            return stale;
        }
        if item.ended.is_some() {
            return not_found("Item");
        }
        let sizes = DatasetItemSizes {
            input: event.sizes.input.or(state.sizes.input),
            expected_output: event.sizes.expected_output.or(state.sizes.expected_output),
            metadata: event.sizes.metadata.or(state.sizes.metadata),
            source: event.sizes.source.or(state.sizes.source),
        };
        let all = [sizes.input, sizes.expected_output, sizes.metadata, sizes.source];
        if all.into_iter().flatten().sum::<i64>() > LONGEST_ITEM {
            return refused(409, None, "An item has at most 524288 bytes".to_owned());
        }
        let given = command.item(&event.dataset_id, &event.item_id, &event.content);
        let content = state.content.clone().zip(given).map(|(content, given)| DatasetItemContent {
            user_id: given.user_id,
            input: given.input.or(content.input),
            expected_output: given.expected_output.or(content.expected_output),
            metadata: given.metadata.or(content.metadata),
            source: given.source.or(content.source),
        });
        item.states.push(ItemState { from, sizes, content, updated_at: command.time });
        done(200, Some(dataset.next("item changed", command.time)))
    }

    pub(super) fn delete_dataset_item(&mut self, command: &Command<'_>, event: &DatasetItemDeleted) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        let Some(dataset) = self.datasets.get_mut(&key) else { return not_found("Dataset") };
        let from = dataset.version() + 1;
        let Some(item) = dataset.item(&event.item_id) else { return not_found("Item") };
        let current = item.states.last().map_or(0, |state| state.from);
        if let Some(stale) = stale("item", event.if_match, current) {
            return stale;
        }
        if item.ended.is_some() && !event.erases {
            return not_found("Item");
        }
        item.erased = event.erases;
        if item.ended.is_none() {
            item.ended = Some(from);
            dataset.item_count -= 1;
            dataset.next("item deleted", command.time);
        }
        done(204, None)
    }

    pub(super) fn import_dataset_items(&mut self, command: &Command<'_>, event: &DatasetItemsImported) -> Outcome {
        let key = (command.tenant.to_owned(), event.dataset_id.clone());
        let Some(dataset) = self.datasets.get_mut(&key) else { return not_found("Dataset") };
        dataset.waiting.retain(|_, waiting| waiting.came_at >= command.time - DAY);
        for (place, item) in (event.first..).zip(&event.items) {
            if dataset.places.contains_key(&item.item_id) || dataset.waiting.contains_key(&item.item_id) {
                continue;
            }
            let waiting = Waiting {
                import_id: event.import_id.clone(),
                place,
                came_at: command.time,
                sizes: item.sizes,
                content: command.item(&event.dataset_id, &item.item_id, &item.content),
            };
            dataset.waiting.insert(item.item_id.clone(), waiting);
        }
        if event.first + (event.items.len() as i64) <= event.total {
            return done(202, None);
        }
        let (came, waiting): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut dataset.waiting).into_iter().partition(|(_, item)| item.import_id == event.import_id);
        dataset.waiting = waiting;
        if came.len() as i64 != event.total {
            return refused(409, None, "Some of the import did not come: send it again".to_owned());
        }
        if dataset.item_count + event.total > event.most_items {
            return full(event.most_items);
        }
        let mut came: Vec<(String, Waiting)> = came.into_iter().collect();
        came.sort_by_key(|(_, item)| item.place);
        let from = dataset.version() + 1;
        for (id, item) in came {
            dataset.put(&id, (item.sizes, item.content), from, command.time);
        }
        done(201, Some(dataset.next("items imported", command.time)))
    }

    /// Whether another dataset of the tenant has the name.
    fn is_dataset_name(&self, tenant: &str, name_hash: [u8; 32], but: &str) -> bool {
        let mut others = self.datasets.iter().filter(|((of, id), _)| of == tenant && id != but);
        others.any(|(_, dataset)| dataset.name_hash == name_hash)
    }
}

impl Command<'_> {
    fn item(&self, dataset: &str, item: &str, sealed: &schemas::sealing::Sealed) -> Option<DatasetItemContent> {
        let plain = (self.open_as)(&item_owner(dataset, item), sealed)?;
        codec::decode("dataset_item_content", &plain).ok()
    }
}

fn full(most: i64) -> Outcome {
    refused(409, None, format!("A dataset has at most {most} items"))
}

fn not_found(what: &str) -> Outcome {
    refused(404, None, format!("{what} not found"))
}
