//! "Datasets".

use schemas::events::datasets::{DatasetItemSizes, ImportedItem, item_owner};
use schemas::events::{
    DatasetChanged, DatasetContent, DatasetCreated, DatasetDeleted, DatasetItemAdded, DatasetItemChanged,
    DatasetItemContent, DatasetItemDeleted, DatasetItemsImported,
};

use super::*;
use crate::resources::{Dataset, Outcome};

const DATASET: &str = "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01";
const MOST: i64 = 3;

fn item(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

fn content(input: &str, expected: Option<&str>) -> DatasetItemContent {
    DatasetItemContent {
        user_id: "u".to_owned(),
        input: Some(input.to_owned()),
        expected_output: expected.map(str::to_owned),
        ..DatasetItemContent::default()
    }
}

fn outcome(outcome: Outcome) -> (i16, Option<i64>, Option<String>) {
    (outcome.status, outcome.version, outcome.reason)
}

fn refused(status: i16, reason: &str) -> (i16, Option<i64>, Option<String>) {
    (status, None, Some(reason.to_owned()))
}

impl Log {
    /// All content is sealed by one key, which stands under the names of the items as well.
    fn of_items(items: impl Iterator<Item = u128>) -> Log {
        let mut log = Log::new();
        for n in items {
            let owner = item_owner(DATASET, &item(n));
            log.fold.apply(key_record(TENANT, &owner, &log.key, Some(&log.key.secret)));
        }
        log
    }

    fn come_of(&mut self, id: Uuid, event: &Event) -> (i16, Option<i64>, Option<String>) {
        self.append(id, event);
        outcome(self.fold.resources(None).outcomes[&id].clone())
    }

    fn create_dataset(&mut self, dataset: &str, name: &str) -> (i16, Option<i64>, Option<String>) {
        let id = ids::event_id();
        let content =
            DatasetContent { user_id: "u".to_owned(), name: Some(name.to_owned()), ..DatasetContent::default() };
        let created = DatasetCreated {
            dataset_id: dataset.to_owned(),
            name_hash: ByteArray::new(ids::name_hash("dataset", TENANT, name)),
            content: self.seal(id, "dataset_content", &content),
        };
        self.come_of(id, &Event::DatasetCreated(created))
    }

    fn rename_dataset(&mut self, if_match: Option<i64>, name: &str) -> (i16, Option<i64>, Option<String>) {
        let id = ids::event_id();
        let content =
            DatasetContent { user_id: "v".to_owned(), name: Some(name.to_owned()), ..DatasetContent::default() };
        let changed = DatasetChanged {
            dataset_id: DATASET.to_owned(),
            if_match,
            name_hash: Some(ByteArray::new(ids::name_hash("dataset", TENANT, name))),
            content: self.seal(id, "dataset_content", &content),
        };
        self.come_of(id, &Event::DatasetChanged(changed))
    }

    fn end_dataset(&mut self, if_match: Option<i64>) -> (i16, Option<i64>, Option<String>) {
        let deleted = DatasetDeleted { dataset_id: DATASET.to_owned(), if_match };
        self.come_of(ids::event_id(), &Event::DatasetDeleted(deleted))
    }

    fn add_item(&mut self, n: u128, content: &DatasetItemContent) -> (i16, Option<i64>, Option<String>) {
        let id = ids::event_id();
        let added = DatasetItemAdded {
            dataset_id: DATASET.to_owned(),
            item_id: item(n),
            most_items: MOST,
            sizes: content.sizes(),
            content: self.seal(id, "dataset_item_content", content),
        };
        self.come_of(id, &Event::DatasetItemAdded(added))
    }

    fn change_item(
        &mut self,
        n: u128,
        if_match: Option<i64>,
        content: &DatasetItemContent,
    ) -> (i16, Option<i64>, Option<String>) {
        let id = ids::event_id();
        let changed = DatasetItemChanged {
            dataset_id: DATASET.to_owned(),
            item_id: item(n),
            if_match,
            sizes: content.sizes(),
            content: self.seal(id, "dataset_item_content", content),
        };
        self.come_of(id, &Event::DatasetItemChanged(changed))
    }

    fn end_item(&mut self, n: u128, if_match: Option<i64>, erases: bool) -> (i16, Option<i64>, Option<String>) {
        let dataset_id = DATASET.to_owned();
        let deleted = DatasetItemDeleted { dataset_id, item_id: item(n), if_match, erases };
        self.come_of(ids::event_id(), &Event::DatasetItemDeleted(deleted))
    }

    fn import(&mut self, import: u128, first: i64, total: i64, items: &[u128]) -> (i16, Option<i64>, Option<String>) {
        let id = ids::event_id();
        let imported = items.iter().map(|n| {
            let content = content(&n.to_string(), None);
            ImportedItem {
                item_id: item(*n),
                sizes: content.sizes(),
                content: self.seal(id, "dataset_item_content", &content),
            }
        });
        let imported = DatasetItemsImported {
            dataset_id: DATASET.to_owned(),
            import_id: item(import),
            first,
            total,
            most_items: MOST,
            items: imported.collect(),
        };
        self.come_of(id, &Event::DatasetItemsImported(imported))
    }

    fn dataset(&self) -> Dataset {
        self.fold.resources(None).datasets[&(TENANT.to_owned(), DATASET.to_owned())].clone()
    }

    /// (position, input, expected output) of the items of a version.
    fn items_at(&self, version: i64) -> Vec<(usize, String, Option<String>)> {
        let mut items = Vec::new();
        for (place, item) in self.dataset().items.into_iter().enumerate() {
            let is_there = item.ended.is_none_or(|ended| version < ended);
            let state = item.states.into_iter().rev().find(|state| state.from <= version).filter(|_| is_there);
            if let Some(content) = state.and_then(|state| state.content) {
                items.push((place + 1, content.input.unwrap_or_default(), content.expected_output));
            }
        }
        items
    }
}

#[test]
fn a_version_has_the_items_that_it_had() {
    let mut log = Log::of_items(1..5);
    assert_eq!(log.add_item(1, &content("1", None)), refused(404, "Dataset not found"));
    assert_eq!(log.create_dataset(DATASET, "a"), (201, Some(1), None));
    assert_eq!(log.add_item(1, &content("1", Some("x"))), (201, Some(2), None));
    assert_eq!(log.add_item(2, &content("2", None)), (201, Some(3), None));
    assert_eq!(log.change_item(1, None, &content("one", None)), (200, Some(4), None));
    assert_eq!(log.end_item(2, Some(3), false), (204, None, None));
    assert_eq!(log.add_item(3, &content("3", None)), (201, Some(6), None));
    assert_eq!(log.change_item(1, Some(4), &content("one", Some(""))), (200, Some(7), None));
    let (x, none) = (Some("x".to_owned()), None);
    let at = |place: usize, input: &str, expected: &Option<String>| (place, input.to_owned(), expected.clone());
    assert_eq!(log.items_at(1), []);
    assert_eq!(log.items_at(3), [at(1, "1", &x), at(2, "2", &none)]);
    assert_eq!(log.items_at(4), [at(1, "one", &x), at(2, "2", &none)]);
    assert_eq!(log.items_at(6), [at(1, "one", &x), at(3, "3", &none)]);
    assert_eq!(log.items_at(7)[0], at(1, "one", &Some(String::new())));
    let dataset = log.dataset();
    let counts: Vec<i64> = dataset.versions.iter().map(|version| version.item_count).collect();
    assert_eq!((counts, dataset.versions[5].last_position), (vec![0, 1, 2, 2, 1, 2, 2], 3));
    assert_eq!(dataset.versions[4].change, "item deleted");
}

#[test]
fn a_command_is_refused_with_its_reason() {
    let mut log = Log::of_items(1..6);
    log.create_dataset(DATASET, "a");
    assert_eq!(log.create_dataset(DATASET, "b"), refused(409, "A dataset with this id exists"));
    assert_eq!(log.create_dataset(TRACE, "a"), refused(409, "A dataset of this name exists"));
    assert_eq!(log.create_dataset(TRACE, "b"), (201, Some(1), None));
    assert_eq!(log.rename_dataset(None, "b"), refused(409, "A dataset of this name exists"));
    assert_eq!(log.rename_dataset(Some(1), "a"), (200, Some(2), None));
    assert_eq!(log.rename_dataset(Some(1), "c").0, 412);
    assert_eq!(log.end_dataset(Some(1)).0, 412);
    log.add_item(1, &content("1", None));
    assert_eq!(log.add_item(1, &content("1", None)), refused(409, "An item with this id exists"));
    let stale = "The item is at version 3, not at 2 as If-Match says";
    assert_eq!(log.change_item(1, Some(2), &content("x", None)), (412, Some(3), Some(stale.to_owned())));
    assert_eq!(log.change_item(9, None, &content("x", None)), refused(404, "Item not found"));
    let long = DatasetItemContent { metadata: Some("x".repeat(524_288)), ..DatasetItemContent::default() };
    assert_eq!(log.change_item(1, None, &long), refused(409, "An item has at most 524288 bytes"));
    log.add_item(2, &content("2", None));
    log.add_item(3, &content("3", None));
    assert_eq!(log.add_item(4, &content("4", None)), refused(409, "A dataset has at most 3 items"));
    log.end_item(3, None, false);
    assert_eq!(log.end_item(3, None, false), refused(404, "Item not found"));
    assert_eq!(log.change_item(3, None, &content("x", None)), refused(404, "Item not found"));
    assert_eq!(log.add_item(3, &content("3", None)), refused(409, "An item with this id exists"));
    assert_eq!(log.end_dataset(None), (204, None, None));
    assert_eq!(log.end_dataset(None), refused(404, "Dataset not found"));
    assert_eq!(log.end_item(1, None, true), refused(404, "Dataset not found"));
    assert_eq!(log.create_dataset(DATASET, "a"), (201, Some(1), None));
}

#[test]
fn an_erased_item_stays_where_it_was_and_says_nothing() {
    let mut log = Log::of_items(1..3);
    log.create_dataset(DATASET, "a");
    log.add_item(1, &content("1", None));
    log.add_item(2, &content("2", None));
    assert_eq!(log.end_item(1, None, false), (204, None, None));
    assert_eq!(log.end_item(1, Some(2), true), (204, None, None));
    assert_eq!(log.end_item(1, None, true), refused(404, "Item not found"));
    assert_eq!(log.end_item(2, None, true), (204, None, None));
    let dataset = log.dataset();
    assert!(dataset.items.iter().all(|item| item.erased));
    assert_eq!((dataset.version(), dataset.item_count), (5, 0));
    assert_eq!(dataset.versions[2].item_count, 2);
}

#[test]
fn an_import_comes_as_a_whole_or_not_at_all() {
    let mut log = Log::of_items(1..20);
    assert_eq!(log.import(90, 1, 2, &[1, 2]), refused(404, "Dataset not found"));
    log.create_dataset(DATASET, "a");
    assert_eq!(log.import(91, 1, 3, &[1, 2]), (202, None, None));
    assert_eq!(log.import(92, 1, 1, &[9]), (201, Some(2), None));
    assert_eq!(log.import(91, 3, 3, &[3]), refused(409, "A dataset has at most 3 items"));
    assert_eq!(log.dataset().waiting.len(), 0);
    assert_eq!(log.import(93, 2, 3, &[4]), (202, None, None));
    assert_eq!(log.import(93, 3, 3, &[5]), refused(409, "Some of the import did not come: send it again"));
    // An item that is there already is passed over.
    assert_eq!(log.import(94, 1, 2, &[9, 6]).0, 409);
    assert_eq!(log.import(95, 1, 2, &[8]), (202, None, None));
    assert_eq!(log.import(95, 2, 2, &[7]), (201, Some(3), None));
    let inputs: Vec<String> = log.items_at(3).into_iter().map(|(_, input, _)| input).collect();
    assert_eq!(inputs, ["9", "8", "7"]);
}

#[test]
fn what_has_waited_for_a_day_waits_no_more() {
    let mut log = Log::of_items(1..5);
    log.create_dataset(DATASET, "a");
    log.import(91, 1, 2, &[1]);
    // The envelope of an event is a second later than that of the offset before.
    log.next += 86_400 - 1;
    log.import(92, 1, 2, &[2]);
    assert_eq!(log.dataset().waiting.len(), 2);
    log.import(93, 1, 2, &[3]);
    assert_eq!(log.dataset().waiting.len(), 2);
    assert_eq!(log.import(91, 2, 2, &[4]).0, 409);
}

#[test]
fn the_same_command_again_changes_nothing() {
    let mut log = Log::of_items(1..3);
    log.create_dataset(DATASET, "a");
    let id = ids::event_id();
    for (n, sizes) in [(1, DatasetItemSizes::default()), (2, DatasetItemSizes::default())] {
        let content = log.seal(id, "dataset_item_content", &DatasetItemContent::default());
        let added =
            DatasetItemAdded { dataset_id: DATASET.to_owned(), item_id: item(n), most_items: MOST, sizes, content };
        assert_eq!(log.come_of(id, &Event::DatasetItemAdded(added)), (201, Some(2), None));
    }
    assert_eq!(log.dataset().items.len(), 1);
}

#[test]
fn erased_content_changes_no_outcome() {
    let mut log = Log::of_items(1..4);
    log.create_dataset(DATASET, "a");
    log.add_item(1, &content("1", None));
    log.change_item(1, None, &content("x", Some("y")));
    log.import(91, 1, 2, &[2, 3]);
    let long = DatasetItemContent { metadata: Some("x".repeat(524_288)), ..DatasetItemContent::default() };
    log.change_item(1, None, &long);
    log.rename_dataset(None, "b");
    let before = log.fold.resources(None).outcomes;
    log.erase();
    for n in 1..4 {
        log.fold.apply(key_record(TENANT, &item_owner(DATASET, &item(n)), &log.key, None));
    }
    assert_eq!(log.fold.resources(None).outcomes, before);
    assert_eq!(log.items_at(4), []);
}
