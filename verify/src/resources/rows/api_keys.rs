//! "API keys" and "Members".

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{ApiKey, Member, Name, Resources};
use super::micros;
use crate::verify::Report;
use crate::workspace::both;

pub struct Rows {
    /// By (tenant, id).
    keys: BTreeMap<(String, String), KeyRow>,
    /// By (tenant, user).
    members: BTreeMap<(String, String), MemberRow>,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    tenant: String,
    key_id: Uuid,
    version: i64,
    is_current: bool,
    user_id: String,
    org: Option<String>,
    role: String,
    name: Option<String>,
    prefix: String,
    sha256: Vec<u8>,
    scopes: Vec<String>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    tenant: String,
    user_id: String,
    role: String,
    first_seen_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let keys: Vec<KeyRow> =
            sqlx::query_as(AssertSqlSafe(format!("SELECT * FROM {schema}.api_keys"))).fetch_all(&mut *snapshot).await?;
        let members: Vec<MemberRow> =
            sqlx::query_as(AssertSqlSafe(format!("SELECT * FROM {schema}.members"))).fetch_all(snapshot).await?;
        Ok(Rows {
            keys: keys.into_iter().map(|row| ((row.tenant.clone(), row.key_id.to_string()), row)).collect(),
            members: members.into_iter().map(|row| ((row.tenant.clone(), row.user_id.clone()), row)).collect(),
        })
    }

    pub fn compare(&self, expected: &Resources, report: &mut Report) {
        for id in both(&expected.api_keys, &self.keys) {
            let name = format!("{}/{}", id.0, id.1);
            report.compared("api_keys");
            let expected = expected.api_keys.get(id);
            // What is erased is not compared.
            let is_lost = expected.is_some_and(|key| key.name == Name::Lost);
            let found = self.keys.get(id).and_then(|row| row.key(is_lost));
            if is_lost {
                report.skip("api_keys");
            }
            report.field("api_keys", &name, "row", &expected, &found.as_ref());
        }
        for id in both(&expected.members, &self.members) {
            let name = format!("{}/{}", id.0, id.1);
            report.compared("members");
            let found = self.members.get(id).map(MemberRow::member);
            report.field("members", &name, "row", &expected.members.get(id), &found.as_ref());
        }
    }
}

impl KeyRow {
    /// None where its hash is none.
    fn key(&self, is_lost: bool) -> Option<ApiKey> {
        let name = match &self.name {
            _ if is_lost => Name::Lost,
            Some(name) => Name::Is(name.clone()),
            None => Name::None,
        };
        Some(ApiKey {
            version: self.version,
            is_current: self.is_current,
            user: self.user_id.clone(),
            org: self.org.clone(),
            role: self.role.clone(),
            name,
            prefix: self.prefix.clone(),
            sha256: self.sha256.clone().try_into().ok()?,
            scopes: self.scopes.clone(),
            created_at: micros(self.created_at),
            expires_at: self.expires_at.map(micros),
            last_used_at: self.last_used_at.map(micros),
        })
    }
}

impl MemberRow {
    fn member(&self) -> Member {
        Member {
            role: self.role.clone(),
            first_seen_at: micros(self.first_seen_at),
            last_seen_at: micros(self.last_seen_at),
        }
    }
}
