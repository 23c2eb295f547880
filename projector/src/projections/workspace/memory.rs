//! Memory: one entry a key within its scope, and under whose keys its contents were sealed.

use schemas::Envelope;
use schemas::events::{MemoryContent, MemoryDeleted, MemoryStored};
use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::outcomes::Outcome;

/// Of what search looks at, in bytes: more than the command side accepts, and a tsvector holds it.
const LONGEST_WORDS: usize = 131_072;

pub async fn stored(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &MemoryStored,
    content: &MemoryContent,
) -> sqlx::Result<Outcome> {
    // The command side makes no other ids.
    let Ok(id) = Uuid::try_parse(&event.memory_id) else { return Ok(Outcome::not_found("Memory entry")) };
    let kept: Option<(Uuid, i64)> = sqlx::query_as(
        "INSERT INTO memory (tenant, memory_id, key_hash, version, key, value, scope, category, confidence, project_id,
                             session_id, expires_at, words, created_by, created_at, updated_by, updated_at)
         SELECT $1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11,
                to_tsvector('simple', $12) || array_to_tsvector(ARRAY['tenant ' || md5($1)]), $13, $14, $13, $14
         WHERE NOT EXISTS (SELECT FROM memory WHERE tenant = $1 AND memory_id = $2 AND key_hash <> $3)
         ON CONFLICT (tenant, key_hash) DO UPDATE SET
             version = memory.version + 1, key = excluded.key, value = excluded.value, scope = excluded.scope,
             category = excluded.category, confidence = excluded.confidence, project_id = excluded.project_id,
             session_id = excluded.session_id, expires_at = excluded.expires_at, words = excluded.words,
             updated_by = excluded.updated_by, updated_at = excluded.updated_at
         RETURNING memory_id, version",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(event.key_hash.as_slice())
    .bind(&content.key)
    .bind(&content.value)
    .bind(&content.scope)
    .bind(&content.category)
    .bind(content.confidence)
    .bind(&content.project_id)
    .bind(&content.session_id)
    .bind(content.expires_at.and_then(time))
    .bind(words(content))
    .bind(&content.user_id)
    .bind(envelope.time)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((id, version)) = kept else {
        return Ok(Outcome::conflict("A memory entry with this id exists".to_owned()));
    };
    sqlx::query("INSERT INTO memory_owners (tenant, memory_id, owner) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(&envelope.tenant)
        .bind(id)
        .bind(&envelope.subject)
        .execute(connection)
        .await?;
    let outcome = if version == 1 { Outcome::created(version) } else { Outcome::changed(version) };
    Ok(outcome.about(id))
}

pub async fn deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &MemoryDeleted,
) -> sqlx::Result<Outcome> {
    let (tenant, id) = (&envelope.tenant, Uuid::try_parse(&event.memory_id).ok());
    let removed = sqlx::query("DELETE FROM memory WHERE tenant = $1 AND memory_id = $2")
        .bind(tenant)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    if removed.rows_affected() == 0 {
        // Content of an entry that goes by another id may be sealed under this one.
        return Ok(Outcome::lacks("Memory entry"));
    }
    let owners = sqlx::query_scalar("DELETE FROM memory_owners WHERE tenant = $1 AND memory_id = $2 RETURNING owner")
        .bind(tenant)
        .bind(id)
        .fetch_all(connection)
        .await?;
    Ok(Outcome::deleted().leaving(owners))
}

fn time(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
}

/// What search looks at: the key, also in its parts, and what the value says without its JSON.
fn words(content: &MemoryContent) -> String {
    let parts = content.key.replace(|letter: char| !letter.is_alphanumeric(), " ");
    let mut words = format!("{} {parts}", content.key);
    match serde_json::from_str(&content.value) {
        Ok(value) => say(&value, &mut words),
        // Nested too deep to be read.
        Err(_) => add(&mut words, &content.value),
    }
    words.truncate(words.floor_char_boundary(LONGEST_WORDS));
    words.replace('\0', " ")
}

fn say(value: &Value, words: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(is) => add(words, if *is { "true" } else { "false" }),
        Value::Number(number) => add(words, &number.to_string()),
        Value::String(text) => add(words, text),
        Value::Array(values) => values.iter().for_each(|value| say(value, words)),
        Value::Object(fields) => {
            for (name, value) in fields {
                add(words, name);
                say(value, words);
            }
        }
    }
}

fn add(words: &mut String, word: &str) {
    words.push(' ');
    words.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_searched_by_what_it_says() {
        let content = |value: &str| MemoryContent {
            key: "user.language-level".to_owned(),
            value: value.to_owned(),
            ..MemoryContent::default()
        };
        let text = words(&content(r#""two\nlines caf\u00e9""#));
        assert_eq!(text, "user.language-level user language level two\nlines café");
        let text = words(&content(r#"{"name": ["Ann", 7, null, true, "a\u0000b"]}"#));
        assert_eq!(text, "user.language-level user language level name Ann 7 true a b");
        let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
        assert!(words(&content(&deep)).ends_with(&deep));
        assert!(words(&content(&format!("\"{}\"", "é".repeat(100_000)))).len() <= LONGEST_WORDS);
    }
}
