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
    INSERT INTO datasets SELECT 'local', gen_random_uuid(), hash, 'dataset ' || n, '', 1, 0, 0, 'u', at, at FROM made;
    INSERT INTO datasets SELECT 'local', '0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01', 'large', 'large', '', $1 + 1, $1, $1, 'u', at, at FROM made
        WHERE n = 1;
    INSERT INTO dataset_versions SELECT 'local', '0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01', n, 'item added', n - 1, n - 1, at
        FROM (SELECT n, at FROM made UNION ALL SELECT $1 + 1, now()) AS versions;
    INSERT INTO dataset_items SELECT 'local', '0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01', gen_random_uuid(), n + 1, 9223372036854775807, n, false,
        1, 0, 0, 0, n::text, NULL, NULL, NULL, 'u', at, 'u', at FROM made;
    INSERT INTO comments SELECT 'local', gen_random_uuid(), '9debeeaf-b46e-44fd-8a0a-7efe35a59df9',
        CASE n % 1000 WHEN 0 THEN '00f067aa0ba902b7' END, NULL, NULL, 1, 'body', '{}', 0, false, 'u', at, NULL FROM made;
    INSERT INTO assignments SELECT 'local', gen_random_uuid(), 'trace ' || n, CASE n % 10 WHEN 0 THEN 'local' ELSE 'user ' || n % 10 END,
        CASE n % 1000 WHEN 0 THEN 'open' ELSE 'resolved' END, '', 1, 'u', 'u', at, 'u', at FROM made;
    INSERT INTO notifications SELECT 'local', gen_random_uuid(), 'local', n, 'mention', '9debeeaf-b46e-44fd-8a0a-7efe35a59df9', NULL, NULL,
        'u', at, CASE WHEN n % 1000 > 0 THEN at END FROM made;
    INSERT INTO api_keys SELECT 'local', gen_random_uuid(), 1, false, 'user ' || n % 10, 'local', 'member', 'key ' || n, 'rt_', hash, '{read}',
        at, NULL, NULL FROM made;
    INSERT INTO members SELECT 'local', 'user ' || n, 'member', at, at FROM made;
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
    "datasets?limit=50",
    "datasets?limit=50&name=dataset%207",
    "comments?limit=50&trace_id=9debeeaf-b46e-44fd-8a0a-7efe35a59df9",
    "comments?limit=50&trace_id=9debeeaf-b46e-44fd-8a0a-7efe35a59df9&span_id=00f067aa0ba902b7",
    "assignments?limit=50",
    "assignments?limit=50&status=open",
    "assignments?limit=50&assignee_id=*",
    "assignments?limit=50&assignee_id=*&status=open",
    "api-keys/all?limit=50",
    "api-keys/all?limit=50&user_id=user%207",
    "members?limit=50",
];

/// Those that are paged by cursor alone.
const BY_CURSOR: &[&str] = &[
    "datasets/0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01/items?limit=50",
    "datasets/0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01/items?limit=50&version=1900",
    "datasets/0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01/versions?limit=50",
    "notifications?limit=50",
    "notifications?limit=50&unread=true",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_comes_from_an_index() {
    let mut retrace = Retrace::start().await;
    let rows = number("RETRACE_TEST_ROWS").unwrap_or(ROWS);
    // Comments are listed of a trace.
    let trace = serde_json::json!({"id": "9debeeaf-b46e-44fd-8a0a-7efe35a59df9"});
    retrace.client.post("/api/v1/traces", &trace).await.expect(201);
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
    let mut all = Vec::new();
    for list in LISTS.iter().chain(BY_CURSOR) {
        let mut times = pages(&retrace.client, &format!("/api/v1/{list}"), 40).await;
        if !BY_CURSOR.contains(list) {
            times.extend(pages(&retrace.client, &format!("/api/v1/{list}&offset=10000"), 10).await);
        }
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        eprintln!("{list}: {rows} rows, {} pages, median {median:?}, worst {worst:?}", times.len());
        all.append(&mut times);
    }
    all.sort_unstable();
    eprintln!("all lists: {} pages, p99 {:?}", all.len(), all[all.len() * 99 / 100]);
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
         WHERE schemaname = $1 AND relname IN ('skills', 'skill_tags', 'prompts', 'prompt_labels', 'memory', 'datasets',
               'dataset_versions', 'dataset_items', 'comments', 'assignments', 'notifications', 'api_keys', 'members') ORDER BY 1",
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
