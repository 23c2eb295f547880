//! The clusters of a tenant: a function of the set of signatures that its failed traces have.

use clickhouse::Row;
use insights::failures::clusters;
use runtime::Problem;
use serde::Deserialize;

use crate::stores::{Tenant, down};

/// Of more signatures the most frequent are grouped.
const MOST_SIGNATURES: usize = 10_000;

/// Of failed traces in which nothing has an error text.
const NO_TEXT: &str = "(no error text)";

#[derive(Row, Deserialize)]
struct Signature {
    text: String,
    hash: u64,
}

/// A pattern, and the signatures that it stands for, by the hash that the store computes.
pub struct Pattern {
    pub id: String,
    pub text: String,
    pub signatures: Vec<u64>,
}

pub struct Patterns {
    pub all: Vec<Pattern>,
    /// There are signatures beyond those that are grouped.
    pub truncated: bool,
}

impl Patterns {
    pub async fn of(tenant: &Tenant) -> Result<Patterns, Problem> {
        let columns = "toString(failure) AS text, xxh3(failure) AS hash";
        let rest = format!("GROUP BY failure ORDER BY count() DESC, text LIMIT {}", MOST_SIGNATURES + 1);
        let query = tenant.scan(columns, "trace_list", "status = 'failed'", &rest);
        let mut signatures: Vec<Signature> = query.fetch_all().await.map_err(down)?;
        let truncated = signatures.len() > MOST_SIGNATURES;
        signatures.truncate(MOST_SIGNATURES);
        let all = tokio::task::spawn_blocking(move || group(&signatures)).await.map_err(Problem::internal)?;
        Ok(Patterns { all, truncated })
    }

    pub fn find(self, id: &str) -> Option<Pattern> {
        self.all.into_iter().find(|pattern| pattern.id == id)
    }
}

fn group(signatures: &[Signature]) -> Vec<Pattern> {
    let texts: Vec<&str> =
        signatures.iter().map(|signature| if signature.text.is_empty() { NO_TEXT } else { &signature.text }).collect();
    let hashes = |members: &[usize]| members.iter().map(|member| signatures[*member].hash).collect();
    clusters(&texts)
        .into_iter()
        .map(|cluster| Pattern {
            id: format!("{:016x}", cluster.id()),
            signatures: hashes(&cluster.members),
            text: cluster.pattern,
        })
        .collect()
}
