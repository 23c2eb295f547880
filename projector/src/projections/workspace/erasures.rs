//! What is to be erased, and how far erasures have come.

use schemas::events::ContentsErased;
use schemas::{Envelope, topics};
use sqlx::PgConnection;

/// The content that was sealed for these resources up to here belongs to nothing any more.
pub async fn ask(
    connection: &mut PgConnection,
    envelope: &Envelope,
    (partition, offset): (i32, i64),
    resources: &[String],
) -> sqlx::Result<()> {
    if resources.is_empty() {
        return Ok(());
    }
    sqlx::query("INSERT INTO erasures (partition_id, at_offset, tenant, resource) SELECT $1, $2, $3, unnest($4)")
        .bind(partition)
        .bind(offset)
        .bind(&envelope.tenant)
        .bind(resources)
        .execute(connection)
        .await
        .map(|_| ())
}

pub async fn done(connection: &mut PgConnection, envelope: &Envelope, erased: &ContentsErased) -> sqlx::Result<()> {
    for (topic, frontiers) in [(topics::TELEMETRY, &erased.upto), (topics::WORKSPACE, &erased.workspace_upto)] {
        for frontier in frontiers {
            sqlx::query(
                "INSERT INTO erased (topic, partition_id, upto, at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (topic, partition_id) DO UPDATE SET upto = greatest(erased.upto, $3), at = $4",
            )
            .bind(topic)
            .bind(frontier.partition)
            .bind(frontier.offset)
            .bind(envelope.time)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}
