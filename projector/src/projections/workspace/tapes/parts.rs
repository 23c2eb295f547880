//! Lines of tapes that are on their way.

use schemas::Envelope;
use schemas::events::tapes::owner;
use schemas::events::{TapePartContent, TapePartRecorded, TapePiece, TapeStep};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::outcomes::Outcome;
use super::{TAKEN, WHAT, remove, uuid, version};

pub async fn part_recorded(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &TapePartRecorded,
    content: &TapePartContent,
) -> sqlx::Result<Outcome> {
    let (Some(id), Some(snapshot)) = (uuid(&event.tape_id), uuid(&event.snapshot_id)) else {
        return Ok(Outcome::not_found(WHAT));
    };
    if version(connection, envelope, id).await?.is_some() {
        return Ok(Outcome::conflict(TAKEN.to_owned()));
    }
    let left = tidy(connection, envelope, id).await?;
    // A later reading of the trace takes the place of one that did not come to its end.
    if waiting(connection, envelope, id).await?.is_some_and(|(other, _)| other != snapshot) {
        remove(connection, envelope, id).await?;
    }
    sqlx::query(
        "INSERT INTO tape_uploads (tenant, tape_id, snapshot_id, pieces, came_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant, tape_id) DO UPDATE SET pieces = tape_uploads.pieces + $4, came_at = $5",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(snapshot)
    .bind(event.pieces)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    insert_pieces(connection, envelope, id, &content.pieces).await?;
    insert_steps(connection, envelope, id, &content.pieces).await?;
    Ok(Outcome::accepted().leaving(left))
}

async fn waiting(connection: &mut PgConnection, envelope: &Envelope, id: Uuid) -> sqlx::Result<Option<(Uuid, i64)>> {
    sqlx::query_as("SELECT snapshot_id, pieces FROM tape_uploads WHERE tenant = $1 AND tape_id = $2")
        .bind(&envelope.tenant)
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// The snapshot that waits, and how many pieces of it: it waits no more.
pub async fn take(connection: &mut PgConnection, envelope: &Envelope, id: Uuid) -> sqlx::Result<Option<(Uuid, i64)>> {
    sqlx::query_as("DELETE FROM tape_uploads WHERE tenant = $1 AND tape_id = $2 RETURNING snapshot_id, pieces")
        .bind(&envelope.tenant)
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// Others of which nothing has come for a day are not published any more. Whose content belongs to nothing now.
pub async fn tidy(connection: &mut PgConnection, envelope: &Envelope, but: Uuid) -> sqlx::Result<Vec<String>> {
    let old: Vec<Uuid> = sqlx::query_scalar(
        "SELECT tape_id FROM tape_uploads
         WHERE tenant = $1 AND came_at < $2::timestamptz - interval '1 day' AND tape_id <> $3",
    )
    .bind(&envelope.tenant)
    .bind(envelope.time)
    .bind(but)
    .fetch_all(&mut *connection)
    .await?;
    for id in &old {
        remove(connection, envelope, *id).await?;
    }
    Ok(old.iter().map(|id| owner(&id.to_string())).collect())
}

async fn insert_pieces(
    connection: &mut PgConnection,
    envelope: &Envelope,
    id: Uuid,
    pieces: &[TapePiece],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO tape_pieces (tenant, tape_id, line, piece, text)
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::text[]) ON CONFLICT DO NOTHING",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(pieces.iter().map(|piece| piece.line).collect::<Vec<_>>())
    .bind(pieces.iter().map(|piece| piece.piece).collect::<Vec<_>>())
    .bind(pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(|_| ())
}

async fn insert_steps(
    connection: &mut PgConnection,
    envelope: &Envelope,
    id: Uuid,
    pieces: &[TapePiece],
) -> sqlx::Result<()> {
    let (lines, steps): (Vec<i64>, Vec<&TapeStep>) =
        pieces.iter().filter_map(|piece| Some((piece.line, piece.step.as_ref()?))).unzip();
    let texts = |of: fn(&TapeStep) -> Option<&str>| steps.iter().map(|step| of(step)).collect::<Vec<_>>();
    let numbers = |of: fn(&TapeStep) -> Option<i64>| steps.iter().map(|step| of(step)).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO tape_steps (tenant, tape_id, line, span_id, parent, span_type, name, model, offset_us, duration_us,
                                 input_tokens, output_tokens, cost, failed)
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                                      $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[],
                                      $14::boolean[])
         ON CONFLICT DO NOTHING",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(lines)
    .bind(texts(|step| Some(step.span_id.as_str())))
    .bind(numbers(|step| step.parent))
    .bind(texts(|step| Some(step.span_type.as_str())))
    .bind(texts(|step| Some(step.name.as_str())))
    .bind(texts(|step| step.model.as_deref()))
    .bind(numbers(|step| step.offset_us))
    .bind(numbers(|step| step.duration_us))
    .bind(numbers(|step| step.input_tokens))
    .bind(numbers(|step| step.output_tokens))
    .bind(texts(|step| step.cost.as_deref()))
    .bind(steps.iter().map(|step| step.failed).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(|_| ())
}
