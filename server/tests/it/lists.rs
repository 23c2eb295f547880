//! Lists of a tenant with many rows: every page comes from an index, wherever it is.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool};

use crate::harness::{Client, Retrace, eventually, number};

/// `RETRACE_TEST_ROWS=1000000` measures what DESIGN asks for.
const ROWS: u64 = 100_000;
/// How far a list is counted.
const COUNTED: i64 = 10_001;

#[derive(sqlx::FromRow)]
struct Scans {
    name: String,
    sequential: i64,
    rows_read: i64,
    by_index: i64,
}

/// Rows as the projection would write them; one in a thousand has a rare tag or label.
const FILL: &str = "
    CREATE TEMP TABLE made AS SELECT n, timestamptz '2026-01-01' + n * interval '1 second' AS at, sha256(n::text::bytea) AS hash
        FROM generate_series(1, $1::bigint) AS n;
    INSERT INTO skills SELECT 'local', gen_random_uuid(), 1, 'skill ' || n, '', '{}', 'scope ' || n % 10,
        CASE WHEN n % 1000 = 0 THEN '{all,rare}'::text[] ELSE '{all}' END, false, 'u', at, 'u', at FROM made;
    INSERT INTO skill_tags SELECT tenant, unnest(tags), created_at, skill_id FROM skills;
    INSERT INTO prompts SELECT 'local', gen_random_uuid(), hash, 'prompt ' || n, '', 1, 'u', at, at FROM made;
    INSERT INTO prompt_labels SELECT tenant, prompt_id, 'production', 1, created_at FROM prompts;
    INSERT INTO prompt_labels SELECT tenant, prompt_id, 'rare', 1, created_at FROM prompts WHERE name LIKE '%000';
    INSERT INTO memory SELECT 'local', gen_random_uuid(), hash, 1, 'key ' || n, '\"value\"', CASE n % 2 WHEN 0 THEN 'global' ELSE 'project' END,
        CASE n % 1000 WHEN 0 THEN 'pattern' ELSE 'fact' END, 1, 'project ' || n % 10, NULL, NULL, to_tsvector('simple', 'key ' || n), 'u', at, 'u', at
        FROM made;
    DROP TABLE made";

const LISTS: &[&str] = &[
    "skills?limit=50",
    "skills?limit=50&scope=scope%203",
    "skills?limit=50&tags=all",
    "skills?limit=50&tags=rare,all",
    "prompts?limit=50",
    "prompts?limit=50&label=production",
    "prompts?limit=50&label=rare",
    "prompts?limit=50&name=prompt%207",
    "memory?limit=50",
    "memory?limit=50&scope=global",
    "memory?limit=50&scope=global&category=pattern",
    "memory?limit=50&project_id=project%207",
    "memory?limit=50&key=key%207",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_comes_from_an_index() {
    let mut retrace = Retrace::start().await;
    let rows = number("RETRACE_TEST_ROWS").unwrap_or(ROWS);
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let schema = runtime::postgres::live_schema(&pool, "workspace").await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let script = FILL.replace("$1", &rows.to_string());
    sqlx::raw_sql(AssertSqlSafe(format!("SET search_path TO {schema}; {script}; RESET search_path")))
        .execute(&mut *connection)
        .await
        .unwrap();
    // As the server does by itself, some time after rows have come.
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut *connection).await.unwrap();
    drop(connection);
    let before = scans(&pool, &schema).await;
    for list in LISTS {
        let mut times = pages(&retrace.client, &format!("/api/v1/{list}"), 40).await;
        times.extend(pages(&retrace.client, &format!("/api/v1/{list}&offset=10000"), 10).await);
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        eprintln!("{list}: {rows} rows, {} pages, median {median:?}, worst {worst:?}", times.len());
    }
    // A backend reports its scans when it ends, at the latest.
    retrace.stop().await;
    eventually("the end of the services' connections", async || backends(&pool).await == i64::from(pool.size())).await;
    let by_index = |scans: &[Scans]| scans.iter().map(|table| table.by_index).sum::<i64>();
    let after = scans(&pool, &schema).await;
    assert!(by_index(&after) > by_index(&before) + 100, "the scans are not counted");
    for (after, before) in after.into_iter().zip(before) {
        // A count stops at its bound, which may be nearer through the table, where most of it is counted.
        let (times, rows) = (after.sequential - before.sequential, after.rows_read - before.rows_read);
        assert!(rows <= times * 2 * COUNTED, "pages read {rows} rows of {} in {times} scans of it", after.name);
    }
}

/// Follows the cursors; how long each page took.
async fn pages(client: &Client, list: &str, most: usize) -> Vec<Duration> {
    let (mut times, mut cursor) = (Vec::new(), String::new());
    while times.len() < most {
        let path = if cursor.is_empty() {
            list.to_owned()
        } else {
            format!("{}&cursor={cursor}", list.replace("&offset=10000", ""))
        };
        let started = Instant::now();
        let page = client.get(&path).await.expect(200);
        times.push(started.elapsed());
        match page.json()["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    times
}

/// Of each table: how often it was read from its beginning, with how many rows, and how often by an index.
async fn scans(pool: &PgPool, schema: &str) -> Vec<Scans> {
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("SELECT pg_stat_force_next_flush()").execute(&mut *connection).await.unwrap();
    sqlx::query_as(
        "SELECT relname::text AS name, coalesce(seq_scan, 0) AS sequential, coalesce(seq_tup_read, 0) AS rows_read,
                coalesce(idx_scan, 0) AS by_index
         FROM pg_stat_user_tables
         WHERE schemaname = $1 AND relname IN ('skills', 'skill_tags', 'prompts', 'prompt_labels', 'memory') ORDER BY 1",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await
    .unwrap()
}

async fn backends(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        .fetch_one(pool)
        .await
        .unwrap()
}
