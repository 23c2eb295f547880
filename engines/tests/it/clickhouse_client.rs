//! The official crate against the front, with the crate's own defaults (compressed inserts).

use clickhouse::{Client, Compression, Row};
use serde::{Deserialize, Serialize};

use crate::support::shared_clickhouse;

#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
struct Wide {
    tenant: String,
    id: u64,
    version: u64,
    is_deleted: u8,
    cost: i128,
    tags: Vec<String>,
    note: Option<String>,
    at: i64,
}

fn row(id: u64, version: u64) -> Wide {
    Wide {
        tenant: "t1".into(),
        id,
        version,
        is_deleted: 0,
        cost: -1_234_567_890_123_456_789 * i128::from(id),
        tags: vec!["a".into(), format!("tag-{id}")],
        note: id.is_multiple_of(2).then(|| "it's \\ a \"note\"\n".into()),
        at: 1_700_000_000_000_000 + i64::try_from(id).unwrap(),
    }
}

async fn table(client: &Client, name: &str) {
    let sql = format!(
        "CREATE TABLE {name} (tenant String, id UInt64, version UInt64, is_deleted UInt8, cost Decimal128(12), \
         tags Array(LowCardinality(String)), note Nullable(String), at DateTime64(6, 'UTC')) \
         ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (tenant, id)"
    );
    client.query(&sql).execute().await.unwrap();
}

async fn insert(client: &Client, table: &str, rows: impl IntoIterator<Item = Wide>) {
    let mut insert = client.insert::<Wide>(table).await.unwrap();
    for row in rows {
        insert.write(&row).await.unwrap();
    }
    insert.end().await.unwrap();
}

async fn count(client: &Client, of: &str) -> u64 {
    client.query(&format!("SELECT count() FROM {of}")).fetch_one().await.unwrap()
}

#[tokio::test]
async fn it_is_the_genuine_engine() {
    let version: String = shared_clickhouse().query("SELECT version()").fetch_one().await.unwrap();
    assert!(version.starts_with("26.7."), "{version}");
}

#[tokio::test]
async fn a_hundred_thousand_rows_come_back_as_they_went_in() {
    for (name, compression) in [("rows_lz4", Compression::Lz4), ("rows_plain", Compression::None)] {
        let client = shared_clickhouse().with_compression(compression);
        table(&client, name).await;
        insert(&client, name, (0..100_000).map(|id| row(id, 1))).await;
        let mut rows = client.query(&format!("SELECT ?fields FROM {name} ORDER BY id")).fetch::<Wide>().unwrap();
        let mut id = 0;
        while let Some(found) = rows.next().await.unwrap() {
            assert_eq!(found, row(id, 1));
            id += 1;
        }
        assert_eq!(id, 100_000);
    }
}

#[tokio::test]
async fn parameters_are_bound_by_the_server() {
    let client = shared_clickhouse();
    let awkward = "it's \\ a \"tab\t\" and\nnewline; DROP TABLE x -- \u{1F980}";
    let (text, number, list): (String, i64, String) = client
        .query("SELECT {text:String}, {number:Int64}, arrayStringConcat({list:Array(String)}, '|')")
        .param("text", awkward)
        .param("number", -5)
        .param("list", vec!["a", "b'c"])
        .fetch_one()
        .await
        .unwrap();
    assert_eq!((text.as_str(), number, list.as_str()), (awkward, -5, "a|b'c"));
    let bound: String = client.query("SELECT ?").bind(awkward).fetch_one().await.unwrap();
    assert_eq!(bound, awkward);
}

#[tokio::test]
async fn a_setting_holds_for_its_query_only() {
    let client = shared_clickhouse();
    let threads = "SELECT toUInt64(getSetting('max_block_size'))";
    let set: u64 = client.query(threads).with_setting("max_block_size", "777").fetch_one().await.unwrap();
    let unset: u64 = client.query(threads).fetch_one().await.unwrap();
    assert_eq!(set, 777);
    assert_ne!(unset, 777);

    let slow = client.query("SELECT count() FROM numbers(100000000000)").with_setting("max_execution_time", "1");
    let error = slow.fetch_one::<u64>().await.unwrap_err().to_string();
    assert!(error.contains("Code: 159."), "{error}");

    table(&client, "unknown_columns").await;
    let mut wrong = client
        .insert_formatted_with("INSERT INTO unknown_columns FORMAT JSONEachRow")
        .with_setting("input_format_skip_unknown_fields", "0");
    wrong.send("{\"tenant\":\"x\",\"no_such_column\":1}\n".into()).await.unwrap();
    let error = wrong.end().await.unwrap_err().to_string();
    assert!(error.contains("Code: 117."), "{error}");
}

#[tokio::test]
async fn errors_carry_their_code() {
    let client = shared_clickhouse();
    let error = |sql: &'static str| {
        let client = client.clone();
        async move { client.query(sql).execute().await.unwrap_err().to_string() }
    };
    assert!(error("SELECT * FROM no_such_table").await.starts_with("bad response: Code: 60. DB::Exception:"));
    assert!(error("SELEC 1").await.contains("Code: 62."));
    assert!(error("SELECT no_such_column").await.contains("Code: 47."));
    // An answer of up to a megabyte, or one that is awaited whole, fails with its code; after that the code may be lost.
    let throwing = |at: &str| format!("SELECT throwIf(number = {at}) FROM numbers(4000000)");
    let early = client.query(&throwing("600000")).fetch_all::<u8>().await.unwrap_err();
    assert!(early.to_string().contains("Code: 395."), "{early}");
    let whole = client.query(&throwing("3000000")).with_setting("wait_end_of_query", "1");
    let whole = whole.fetch_all::<u8>().await.unwrap_err();
    assert!(whole.to_string().contains("Code: 395."), "{whole}");
    client.query(&throwing("3000000")).fetch_all::<u8>().await.unwrap_err();
    let wrong_password = client.clone().with_password("guess").query("SELECT 1").execute().await.unwrap_err();
    assert!(wrong_password.to_string().contains("Code: 516."), "{wrong_password}");
}

#[tokio::test]
async fn what_the_projector_relies_on_works() {
    let client = shared_clickhouse();
    for name in ["live", "next"] {
        table(&client, name).await;
    }
    insert(&client, "live", (0..10).map(|id| row(id, 1))).await;
    insert(&client, "live", (0..5).map(|id| row(id, 2))).await;
    insert(&client, "live", [Wide { is_deleted: 1, ..row(9, 3) }]).await;
    assert_eq!((count(&client, "live").await >= 10, count(&client, "live FINAL").await), (true, 9));

    client.query("EXCHANGE TABLES live AND next").execute().await.unwrap();
    assert_eq!((count(&client, "live").await, count(&client, "next FINAL").await), (0, 9));

    let erase = client.query("ALTER TABLE next DELETE WHERE id < 3").with_setting("mutations_sync", "2");
    erase.execute().await.unwrap();
    assert_eq!(count(&client, "next FINAL").await, 6);

    let sum: String = client.query("SELECT toString(sum(cost)) FROM next FINAL").fetch_one().await.unwrap();
    assert_eq!(sum, "-40740740.374074074037", "decimals add exactly");
}

#[tokio::test]
async fn an_insert_that_breaks_off_leaves_nothing() {
    let client = shared_clickhouse();
    table(&client, "broken_off").await;
    let mut insert = client.insert::<Wide>("broken_off").await.unwrap();
    for id in 0..50_000 {
        insert.write(&row(id, 1)).await.unwrap();
    }
    drop(insert);
    for _ in 0..20 {
        assert_eq!(count(&client, "broken_off").await, 0);
    }
}

#[tokio::test]
async fn many_statements_at_a_time_are_all_answered() {
    let client = shared_clickhouse();
    let tasks: Vec<_> = (0..100_u64)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                client.query("SELECT sum(number) + ? FROM numbers(100000)").bind(n).fetch_one::<u64>().await
            })
        })
        .collect();
    for (n, task) in (0_u64..).zip(tasks) {
        assert_eq!(task.await.unwrap().unwrap(), 4_999_950_000 + n);
    }
}

#[tokio::test]
async fn merges_and_the_removal_of_old_parts_happen_by_themselves() {
    let client = shared_clickhouse();
    table(&client, "merged").await;
    for id in 0..30 {
        insert(&client, "merged", [row(id, 1)]).await;
    }
    let parts = "SELECT count() FROM system.parts WHERE table = 'merged' AND active";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while client.query(parts).fetch_one::<u64>().await.unwrap() > 10 {
        assert!(std::time::Instant::now() < deadline, "nothing was merged");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(count(&client, "merged").await, 30);
}
