//! Imports: an import's items wait until the last of them are there, and then come all at once or not at all.

use schemas::Envelope;
use schemas::events::datasets::item_owner;
use schemas::events::{DatasetItemContent, DatasetItemsImported};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::outcomes::Outcome;
use super::items::part;
use super::{Dataset, found, full, uuid};

const NOT_WHOLE: &str = "Some of the import did not come: send it again";

pub async fn items_imported(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetItemsImported,
    contents: &[Option<DatasetItemContent>],
) -> sqlx::Result<Outcome> {
    let Some(of) = found(connection, envelope, &event.dataset_id).await? else {
        let owners = event.items.iter().map(|item| item_owner(&event.dataset_id, &item.item_id));
        return Ok(Outcome::lacks("Dataset").leaving(owners.collect()));
    };
    let mut import = Import { of, id: uuid(&event.import_id).unwrap_or_default(), left: Vec::new() };
    import.tidy(connection, envelope).await?;
    import.take(connection, envelope, event, contents).await?;
    let outcome = if event.is_last() { import.finish(connection, envelope, event).await? } else { Outcome::accepted() };
    Ok(outcome.leaving(import.left))
}

struct Import<'a> {
    of: Dataset<'a>,
    id: Uuid,
    /// Whose content belongs to nothing now.
    left: Vec<String>,
}

impl Import<'_> {
    /// Those whose end has not come within a day do not end any more.
    async fn tidy(&mut self, connection: &mut PgConnection, envelope: &Envelope) -> sqlx::Result<()> {
        let items: Vec<Uuid> = sqlx::query_scalar(
            "DELETE FROM dataset_imports WHERE tenant = $1 AND dataset_id = $2 AND came_at < $3::timestamptz - interval '1 day'
             RETURNING item_id",
        )
        .bind(self.of.tenant)
        .bind(self.of.id)
        .bind(envelope.time)
        .fetch_all(connection)
        .await?;
        self.leave(items);
        Ok(())
    }

    fn leave(&mut self, items: Vec<Uuid>) {
        let dataset = self.of.id.to_string();
        self.left.extend(items.into_iter().map(|item| item_owner(&dataset, &item.to_string())));
    }

    /// Items whose ids others have are left out: then the import is not whole.
    async fn take(
        &self,
        connection: &mut PgConnection,
        envelope: &Envelope,
        event: &DatasetItemsImported,
        contents: &[Option<DatasetItemContent>],
    ) -> sqlx::Result<()> {
        let nothing = DatasetItemContent::default();
        let content = |at: usize| contents.get(at).and_then(Option::as_ref).unwrap_or(&nothing);
        let texts = |part: fn(&DatasetItemContent) -> Option<&str>| -> Vec<Option<&str>> {
            (0..event.items.len()).map(|at| part(content(at))).collect()
        };
        let sizes = |size: fn(&schemas::events::datasets::DatasetItemSizes) -> Option<i64>| -> Vec<i64> {
            event.items.iter().map(|item| size(&item.sizes).unwrap_or(0)).collect()
        };
        let ids: Vec<Uuid> = event.items.iter().map(|item| uuid(&item.item_id).unwrap_or_default()).collect();
        let users: Vec<&str> = (0..event.items.len()).map(|at| content(at).user_id.as_str()).collect();
        sqlx::query(
            "INSERT INTO dataset_imports (tenant, dataset_id, import_id, came_at, item_id, place, input_bytes,
                                          expected_output_bytes, metadata_bytes, source_bytes, input, expected_output,
                                          metadata, source, created_by)
             SELECT $1, $2, $3, $4, item_id, $5 + nth - 1, input_bytes, expected_output_bytes, metadata_bytes,
                    source_bytes, input, expected_output, metadata, source, created_by
             FROM unnest($6::uuid[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[],
                         $13::text[], $14::text[], $15::text[]) WITH ORDINALITY
                  AS items (item_id, input_bytes, expected_output_bytes, metadata_bytes, source_bytes, input,
                            expected_output, metadata, source, created_by, nth)
             WHERE NOT EXISTS (SELECT FROM dataset_items AS there WHERE there.tenant = $1 AND there.dataset_id = $2
                                                                    AND there.item_id = items.item_id)
             ON CONFLICT DO NOTHING",
        )
        .bind(self.of.tenant)
        .bind(self.of.id)
        .bind(self.id)
        .bind(envelope.time)
        .bind(event.first)
        .bind(ids)
        .bind(sizes(|sizes| sizes.input))
        .bind(sizes(|sizes| sizes.expected_output))
        .bind(sizes(|sizes| sizes.metadata))
        .bind(sizes(|sizes| sizes.source))
        .bind(texts(|content| part(&content.input)))
        .bind(texts(|content| part(&content.expected_output)))
        .bind(texts(|content| part(&content.metadata)))
        .bind(texts(|content| part(&content.source)))
        .bind(users)
        .execute(connection)
        .await
        .map(|_| ())
    }

    async fn finish(
        &mut self,
        connection: &mut PgConnection,
        envelope: &Envelope,
        event: &DatasetItemsImported,
    ) -> sqlx::Result<Outcome> {
        let of = &self.of;
        let sql = "SELECT count(*) FROM dataset_imports WHERE tenant = $1 AND dataset_id = $2 AND import_id = $3";
        let came: i64 =
            sqlx::query_scalar(sql).bind(of.tenant).bind(of.id).bind(self.id).fetch_one(&mut *connection).await?;
        if came != event.total {
            return self.refuse(connection, NOT_WHOLE.to_owned()).await;
        }
        if of.item_count.saturating_add(event.total) > event.most_items {
            return self.refuse(connection, full(event.most_items)).await;
        }
        sqlx::query(
            "INSERT INTO dataset_items (tenant, dataset_id, item_id, from_version, to_version, position, erased,
                                        input_bytes, expected_output_bytes, metadata_bytes, source_bytes, input,
                                        expected_output, metadata, source, created_by, created_at, updated_by, updated_at)
             SELECT tenant, dataset_id, item_id, $4, 9223372036854775807, $5 + place, false, input_bytes,
                    expected_output_bytes, metadata_bytes, source_bytes, input, expected_output, metadata, source,
                    created_by, $6, created_by, $6
             FROM dataset_imports WHERE tenant = $1 AND dataset_id = $2 AND import_id = $3",
        )
        .bind(of.tenant)
        .bind(of.id)
        .bind(self.id)
        .bind(of.version + 1)
        .bind(of.last_position)
        .bind(envelope.time)
        .execute(&mut *connection)
        .await?;
        self.clear(connection).await?;
        let items = (self.of.item_count + event.total, self.of.last_position + event.total);
        Ok(Outcome::created(self.of.next(connection, "items imported", items, envelope.time).await?))
    }

    async fn refuse(&mut self, connection: &mut PgConnection, reason: String) -> sqlx::Result<Outcome> {
        let items = self.clear(connection).await?;
        self.leave(items);
        Ok(Outcome::conflict(reason))
    }

    /// Nothing of the import waits any more.
    async fn clear(&self, connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar(
            "DELETE FROM dataset_imports WHERE tenant = $1 AND dataset_id = $2 AND import_id = $3 RETURNING item_id",
        )
        .bind(self.of.tenant)
        .bind(self.of.id)
        .bind(self.id)
        .fetch_all(connection)
        .await
    }
}
