//! How often, when and where: of each signature, then of the clusters that are listed.

use std::collections::HashMap;

use clickhouse::Row;
use clickhouse::query::Query;
use runtime::Problem;
use serde::Deserialize;

use super::asked::{Asked, HOUR};
use super::patterns::Pattern;
use crate::stores::{Tenant, down};
use crate::times::moment;

const NAMES: u64 = 20;
pub const EXAMPLES: u64 = 3;
/// What was absent for so long and is back has regressed.
const QUIET_HOURS: i64 = 7 * 24;
/// A statement names all signatures that are listed.
pub const MOST_STATEMENT: &str = "1048576";

/// Failed traces of one signature; times in microseconds.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct Seen {
    hash: u64,
    pub count: u64,
    pub first: i64,
    pub last: i64,
    /// In the last hours; in the quiet time before; and before that.
    pub recent: u64,
    pub quiet: u64,
    pub before: u64,
}

impl Seen {
    pub fn plus(self, other: Seen) -> Seen {
        Seen {
            hash: 0,
            count: self.count + other.count,
            first: if self.last == 0 { other.first } else { self.first.min(other.first) },
            last: self.last.max(other.last),
            recent: self.recent + other.recent,
            quiet: self.quiet + other.quiet,
            before: self.before + other.before,
        }
    }

    pub fn is_new(&self) -> bool {
        self.recent > 0 && self.quiet + self.before == 0
    }

    pub fn has_regressed(&self) -> bool {
        self.recent > 0 && self.quiet == 0 && self.before > 0
    }
}

/// Of one cluster that is listed, by its place.
#[derive(Row, Deserialize)]
pub struct Name {
    pub cluster: i32,
    pub named: String,
}

#[derive(Row, Deserialize)]
pub struct Point {
    pub cluster: i32,
    /// The start of the interval, in seconds.
    pub start: i64,
    pub count: u64,
    /// The newest.
    pub examples: Vec<String>,
}

pub async fn by_signature(tenant: &Tenant, asked: &Asked) -> Result<HashMap<u64, Seen>, Problem> {
    let (from, recent) = (moment(asked.period.from), moment(asked.recent_from()));
    let quiet = moment(asked.recent_from() - QUIET_HOURS * HOUR);
    let columns = format!(
        "xxh3(failure) AS hash, countIf(started_at >= {from}) AS count, toUnixTimestamp64Micro(min(started_at)) AS first, \
         toUnixTimestamp64Micro(max(started_at)) AS last, countIf(started_at >= {recent}) AS recent, \
         countIf(started_at >= {quiet} AND started_at < {recent}) AS quiet, countIf(started_at < {quiet}) AS before"
    );
    let condition = asked.filters.and(&format!("status = 'failed' AND started_at < {}", moment(asked.period.to)));
    let query = tenant.scan(&columns, "trace_list", &condition, "GROUP BY failure");
    let rows: Vec<Seen> = asked.filters.bind(query).fetch_all().await.map_err(down)?;
    Ok(rows.into_iter().map(|row| (row.hash, row)).collect())
}

/// The names with the most failed traces, cluster by cluster.
pub async fn names(tenant: &Tenant, asked: &Asked, listed: &[&Pattern]) -> Result<Vec<Name>, Problem> {
    let columns = format!("{} AS cluster, toString(name) AS named", place(listed));
    let rest = format!(
        "GROUP BY cluster, named HAVING cluster >= 0 ORDER BY cluster, count() DESC, named LIMIT {NAMES} BY cluster"
    );
    in_window(tenant, asked, &columns, &rest).fetch_all().await.map_err(down)
}

pub async fn trend(tenant: &Tenant, asked: &Asked, listed: &[&Pattern]) -> Result<Vec<Point>, Problem> {
    let starts: Vec<String> =
        asked.intervals.starts.iter().map(|start| start.timestamp().as_second().to_string()).collect();
    let columns = format!(
        "{} AS cluster, toInt64(roundDown(toInt64(toUnixTimestamp(started_at)), [{}])) AS start, count() AS count, \
         arrayMap(newest -> newest.2, groupArraySorted({EXAMPLES})((-toUnixTimestamp64Micro(started_at), trace_id))) AS examples",
        place(listed),
        starts.join(", ")
    );
    let rest = "GROUP BY cluster, start HAVING cluster >= 0 ORDER BY cluster, start DESC";
    in_window(tenant, asked, &columns, rest).fetch_all().await.map_err(down)
}

fn in_window(tenant: &Tenant, asked: &Asked, columns: &str, rest: &str) -> Query {
    let window = format!(
        "status = 'failed' AND started_at >= {} AND started_at < {}",
        moment(asked.period.from),
        moment(asked.period.to)
    );
    let query = tenant.scan(columns, "trace_list", &asked.filters.and(&window), rest);
    asked.filters.bind(query).with_setting("max_query_size", MOST_STATEMENT)
}

/// The place of a trace's cluster among those listed, or -1.
fn place(listed: &[&Pattern]) -> String {
    let signatures = listed
        .iter()
        .enumerate()
        .flat_map(|(place, pattern)| pattern.signatures.iter().map(move |hash| (hash.to_string(), place.to_string())));
    let (hashes, places): (Vec<String>, Vec<String>) = signatures.unzip();
    format!("toInt32(transform(xxh3(failure), [{}], [{}], -1))", hashes.join(","), places.join(","))
}
