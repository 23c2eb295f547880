//! Items one by one: the row of an item ends where the next one, or nothing, takes its place.

use schemas::Envelope;
use schemas::events::datasets::{DatasetItemSizes, LONGEST_ITEM};
use schemas::events::{DatasetItemAdded, DatasetItemChanged, DatasetItemContent, DatasetItemDeleted};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::outcomes::Outcome;
use super::{Dataset, found, full, uuid};

/// Until now.
const NOW: i64 = i64::MAX;

pub async fn item_added(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetItemAdded,
    content: &DatasetItemContent,
) -> sqlx::Result<Outcome> {
    let Some(of) = found(connection, envelope, &event.dataset_id).await? else {
        return Ok(Outcome::not_found("Dataset"));
    };
    let Some(id) = uuid(&event.item_id) else { return Ok(Outcome::not_found("Item")) };
    if Item::newest(connection, &of, id).await?.is_some() {
        return Ok(Outcome::conflict("An item with this id exists".to_owned()));
    }
    if of.item_count >= event.most_items {
        return Ok(Outcome::taken(full(event.most_items)));
    }
    let (position, sizes) = (of.last_position + 1, event.sizes);
    sqlx::query(
        "INSERT INTO dataset_items (tenant, dataset_id, item_id, from_version, to_version, position, erased, input_bytes,
                                    expected_output_bytes, metadata_bytes, source_bytes, input, expected_output,
                                    metadata, source, created_by, created_at, updated_by, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $15, $16)",
    )
    .bind(of.tenant)
    .bind(of.id)
    .bind(id)
    .bind(of.version + 1)
    .bind(NOW)
    .bind(position)
    .bind(sizes.input.unwrap_or(0))
    .bind(sizes.expected_output.unwrap_or(0))
    .bind(sizes.metadata.unwrap_or(0))
    .bind(sizes.source.unwrap_or(0))
    .bind(part(&content.input))
    .bind(part(&content.expected_output))
    .bind(part(&content.metadata))
    .bind(part(&content.source))
    .bind(&content.user_id)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    let items = (of.item_count + 1, position);
    Ok(Outcome::created(of.next(connection, "item added", items, envelope.time).await?))
}

pub async fn item_changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetItemChanged,
    content: &DatasetItemContent,
) -> sqlx::Result<Outcome> {
    let (of, item) = match standing(connection, envelope, (&event.dataset_id, &event.item_id), event.if_match).await? {
        Ok(standing) => standing,
        Err(refused) => return Ok(refused),
    };
    if !item.is_there() {
        return Ok(Outcome::lacks("Item"));
    }
    let sizes = item.sizes_with(event.sizes);
    if sizes.iter().sum::<i64>() > LONGEST_ITEM {
        return Ok(Outcome::conflict(format!("An item has at most {LONGEST_ITEM} bytes")));
    }
    item.end(connection, &of).await?;
    sqlx::query(
        "INSERT INTO dataset_items (tenant, dataset_id, item_id, from_version, to_version, position, erased, input_bytes,
                                    expected_output_bytes, metadata_bytes, source_bytes, input, expected_output,
                                    metadata, source, created_by, created_at, updated_by, updated_at)
         SELECT tenant, dataset_id, item_id, $4, $5, position, false, $6, $7, $8, $9,
                CASE WHEN $10::text IS NULL THEN input ELSE nullif($10, '') END,
                CASE WHEN $11::text IS NULL THEN expected_output ELSE nullif($11, '') END,
                CASE WHEN $12::text IS NULL THEN metadata ELSE nullif($12, '') END,
                CASE WHEN $13::text IS NULL THEN source ELSE nullif($13, '') END,
                created_by, created_at, $14, $15
         FROM dataset_items WHERE tenant = $1 AND dataset_id = $2 AND item_id = $3 AND to_version = $4",
    )
    .bind(of.tenant)
    .bind(of.id)
    .bind(item.id)
    .bind(of.version + 1)
    .bind(NOW)
    .bind(sizes[0])
    .bind(sizes[1])
    .bind(sizes[2])
    .bind(sizes[3])
    .bind(&content.input)
    .bind(&content.expected_output)
    .bind(&content.metadata)
    .bind(&content.source)
    .bind(&content.user_id)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    let items = (of.item_count, of.last_position);
    Ok(Outcome::changed(of.next(connection, "item changed", items, envelope.time).await?))
}

pub async fn item_deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetItemDeleted,
) -> sqlx::Result<Outcome> {
    let (of, item) = match standing(connection, envelope, (&event.dataset_id, &event.item_id), event.if_match).await? {
        Ok(standing) => standing,
        Err(refused) => return Ok(refused),
    };
    if item.is_there() {
        item.end(connection, &of).await?;
        let items = (of.item_count - 1, of.last_position);
        of.next(connection, "item deleted", items, envelope.time).await?;
    } else if !event.erases {
        return Ok(Outcome::lacks("Item"));
    }
    if !event.erases {
        return Ok(Outcome::removed());
    }
    sqlx::query(
        "UPDATE dataset_items SET erased = true, input = NULL, expected_output = NULL, metadata = NULL, source = NULL,
                                  created_by = '', updated_by = ''
         WHERE tenant = $1 AND dataset_id = $2 AND item_id = $3",
    )
    .bind(of.tenant)
    .bind(of.id)
    .bind(item.id)
    .execute(connection)
    .await?;
    Ok(Outcome::deleted())
}

/// What is empty is none.
pub fn part(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The newest row of an item.
#[derive(sqlx::FromRow)]
struct Item {
    #[sqlx(rename = "item_id")]
    id: Uuid,
    from_version: i64,
    to_version: i64,
    erased: bool,
    input_bytes: i64,
    expected_output_bytes: i64,
    metadata_bytes: i64,
    source_bytes: i64,
}

/// The dataset and the item that a command is about, or why it is about none.
async fn standing<'a>(
    connection: &mut PgConnection,
    envelope: &'a Envelope,
    (dataset, item): (&str, &str),
    if_match: Option<i64>,
) -> sqlx::Result<Result<(Dataset<'a>, Item), Outcome>> {
    let Some(of) = found(connection, envelope, dataset).await? else { return Ok(Err(Outcome::not_found("Dataset"))) };
    let item = match uuid(item) {
        Some(id) => Item::newest(connection, &of, id).await?,
        None => None,
    };
    // What was erased stays so, with all that is sealed for it later.
    let Some(item) = item.filter(|item| !item.erased) else { return Ok(Err(Outcome::not_found("Item"))) };
    match if_match.filter(|asked| *asked != item.from_version) {
        Some(asked) => Ok(Err(Outcome::stale("item", asked, item.from_version))),
        None => Ok(Ok((of, item))),
    }
}

impl Item {
    async fn newest(connection: &mut PgConnection, of: &Dataset<'_>, id: Uuid) -> sqlx::Result<Option<Item>> {
        sqlx::query_as(
            "SELECT item_id, from_version, to_version, erased, input_bytes, expected_output_bytes, metadata_bytes,
                    source_bytes
             FROM dataset_items WHERE tenant = $1 AND dataset_id = $2 AND item_id = $3
             ORDER BY from_version DESC LIMIT 1",
        )
        .bind(of.tenant)
        .bind(of.id)
        .bind(id)
        .fetch_optional(connection)
        .await
    }

    /// In the dataset's current version.
    fn is_there(&self) -> bool {
        self.to_version == NOW
    }

    fn sizes_with(&self, given: DatasetItemSizes) -> [i64; 4] {
        [
            given.input.unwrap_or(self.input_bytes),
            given.expected_output.unwrap_or(self.expected_output_bytes),
            given.metadata.unwrap_or(self.metadata_bytes),
            given.source.unwrap_or(self.source_bytes),
        ]
    }

    /// Before the dataset's next version.
    async fn end(&self, connection: &mut PgConnection, of: &Dataset<'_>) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE dataset_items SET to_version = $5
             WHERE tenant = $1 AND dataset_id = $2 AND item_id = $3 AND from_version = $4",
        )
        .bind(of.tenant)
        .bind(of.id)
        .bind(self.id)
        .bind(self.from_version)
        .bind(of.version + 1)
        .execute(connection)
        .await
        .map(|_| ())
    }
}
