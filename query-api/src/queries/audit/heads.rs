//! `GET /audit-logs/heads`: where each of the tenant's chains ends.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use clickhouse::Row;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use schemas::sealing::hex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::state::AppState;
use crate::stores::down;

#[derive(Serialize, ToSchema)]
pub struct AuditHeads {
    pub tenant: String,
    pub heads: Vec<AuditHead>,
}

/// The last write of a chain. Its hash depends on every write before it.
#[derive(Serialize, ToSchema)]
pub struct AuditHead {
    pub topic: String,
    pub partition: u16,
    pub offset: u64,
    /// Writes in the chain up to it.
    pub count: u64,
    /// SHA-256, in hexadecimal digits.
    pub hash: String,
    pub time: String,
}

#[derive(Row, Deserialize)]
struct End {
    topic: String,
    partition: u16,
    last: u64,
}

#[derive(Row, Deserialize)]
struct HeadRow {
    topic: String,
    partition: u16,
    at_offset: u64,
    nth: u64,
    #[serde(with = "serde_bytes")]
    hash: Vec<u8>,
    time: i64,
}

pub async fn heads(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<AuditHeads>, Problem> {
    state.freshness.audited_after(&state.signer, &headers).await?;
    let tenant = state.clickhouse.audit_of(&principal).await?;
    let ends =
        tenant.scan("topic, partition, max(at_offset) AS last", "audit_log", "true", "GROUP BY topic, partition");
    let ends: Vec<End> = ends.fetch_all().await.map_err(down)?;
    let places: Vec<(&str, u16, u64)> = ends.iter().map(|end| (end.topic.as_str(), end.partition, end.last)).collect();
    let rows: Vec<HeadRow> = if places.is_empty() {
        Vec::new()
    } else {
        let condition = "(topic, partition, at_offset) IN ?";
        let rows = tenant.select("?fields", "audit_log", condition, "ORDER BY topic, partition").bind(places);
        rows.fetch_all().await.map_err(down)?
    };
    let heads = rows.into_iter().map(|row| AuditHead {
        topic: row.topic,
        partition: row.partition,
        offset: row.at_offset,
        count: row.nth,
        hash: hex(&row.hash),
        time: micros_rfc3339(row.time),
    });
    Ok(Json(AuditHeads { tenant: principal.tenant, heads: heads.collect() }))
}
