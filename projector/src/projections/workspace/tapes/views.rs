//! Who has seen a tape on a day counts once.

use schemas::Envelope;
use schemas::events::TapeViewed;
use sqlx::PgConnection;

use super::uuid;

pub async fn viewed(connection: &mut PgConnection, envelope: &Envelope, event: &TapeViewed) -> sqlx::Result<()> {
    let Some(id) = uuid(&event.tape_id) else { return Ok(()) };
    let last: Option<i64> = sqlx::query_scalar("SELECT viewed_on FROM tapes WHERE tenant = $1 AND tape_id = $2")
        .bind(&envelope.tenant)
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    // Of earlier days it is not known any more who was counted.
    let Some(last) = last.filter(|last| event.day >= last - 1).map(|last| last.max(event.day)) else { return Ok(()) };
    let inserted = sqlx::query(
        "INSERT INTO tape_viewers (tenant, tape_id, day, viewer) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(event.day)
    .bind(event.viewer.as_slice())
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO tape_views (tenant, tape_id, day, views) VALUES ($1, $2, $3, 1)
         ON CONFLICT (tenant, tape_id, day) DO UPDATE SET views = tape_views.views + 1",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(event.day)
    .execute(&mut *connection)
    .await?;
    for sql in [
        "UPDATE tapes SET views = views + 1, viewed_on = $3 WHERE tenant = $1 AND tape_id = $2",
        "DELETE FROM tape_viewers WHERE tenant = $1 AND tape_id = $2 AND day < $3 - 1",
    ] {
        sqlx::query(sql).bind(&envelope.tenant).bind(id).bind(last).execute(&mut *connection).await?;
    }
    Ok(())
}
