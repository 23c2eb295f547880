//! Keys as the workspace projection has them.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Row};

use super::StoredKey;
use crate::auth::{KeyRights, Scopes};
use crate::postgres;

const COLUMNS: &str = "tenant, key_id, user_id, org, role, sha256, scopes, version, is_current, expires_at";

/// Every key in force at a position of the workspace topic.
#[derive(Default)]
pub struct Snapshot {
    pub(super) keys: Vec<StoredKey>,
    /// (partition, next offset)
    pub(super) next: Vec<(i32, i64)>,
}

impl Snapshot {
    pub async fn read(pool: &PgPool) -> Result<Snapshot, sqlx::Error> {
        let schema = postgres::live_schema(pool, "workspace").await?;
        let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM {schema}.api_keys")))
            .fetch_all(&mut *transaction)
            .await?;
        let next = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT partition_id, next_offset FROM {schema}.checkpoints WHERE topic = 'retrace.workspace'"
        )))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let keys = rows.iter().map(stored_key).filter_map(Result::transpose).collect::<Result<_, _>>()?;
        Ok(Snapshot { keys, next })
    }
}

pub(super) async fn read_one(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<StoredKey>, sqlx::Error> {
    let schema = postgres::live_schema(pool, "workspace").await?;
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM {schema}.api_keys WHERE sha256 = $1")))
        .bind(hash.as_slice())
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| stored_key(&row)).transpose()?.flatten())
}

/// What a node begins with. While Postgres is away that is nothing: the log from its beginning says the same, later.
pub fn or_nothing<T: Default>(read: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
    match read {
        Err(cause) if postgres::is_away(&cause) => {
            tracing::warn!(%cause, "Postgres does not answer: the log of the workspace is read from its beginning");
            Ok(T::default())
        }
        read => read,
    }
}

fn stored_key(row: &PgRow) -> Result<Option<StoredKey>, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("sha256")?;
    let Ok(sha256) = hash.try_into() else { return Ok(None) };
    let scopes: Vec<String> = row.try_get("scopes")?;
    let rights =
        KeyRights { id: row.try_get("key_id")?, scopes: Scopes::of(&scopes), expires_at: row.try_get("expires_at")? };
    Ok(Some(StoredKey {
        tenant: row.try_get("tenant")?,
        user: row.try_get("user_id")?,
        org: row.try_get("org")?,
        role: row.try_get("role")?,
        rights,
        sha256,
        version: row.try_get("version")?,
        is_current: row.try_get("is_current")?,
    }))
}
