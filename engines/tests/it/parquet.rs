//! Answers that are one file.

use std::io::Write;

use crate::support::shared_clickhouse;

#[tokio::test]
async fn a_parquet_file_comes_in_pieces_and_can_be_read_again() {
    let client = shared_clickhouse();
    for rows in [0_u64, 3, 2_000_000] {
        let sql =
            format!("SELECT number, [toString(number)] AS list, toDecimal128(number, 12) AS cost FROM numbers({rows})");
        let mut cursor = client.query(&sql).with_setting("readonly", "2").fetch_bytes("Parquet").unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        while let Some(piece) = cursor.next().await.unwrap() {
            file.write_all(&piece).unwrap();
        }
        let read = "SELECT count(), toUInt64(sum(cost)), any(toTypeName(cost)) FROM file(?, 'Parquet')";
        let path = file.path().to_str().unwrap();
        let (count, sum, kind): (u64, u64, String) = client.query(read).bind(path).fetch_one().await.unwrap();
        assert_eq!((count, sum), (rows, rows * rows.saturating_sub(1) / 2));
        assert!(rows == 0 || kind.contains("Decimal(38, 12)"), "{kind}");
    }
}

#[tokio::test]
async fn a_file_that_fails_is_never_taken_for_whole() {
    let client = shared_clickhouse();
    for at in [0_u64, 1_000, 3_900_000] {
        let sql = format!("SELECT number, rand64(number), throwIf(number = {at}) FROM numbers(4000000)");
        let query = client.query(&sql).with_setting("output_format_parquet_row_group_size", "100000");
        let mut cursor = query.fetch_bytes("Parquet").unwrap();
        let error = loop {
            match cursor.next().await {
                Ok(piece) => assert!(piece.is_some(), "the file ended as if it were whole"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("Code: 395."), "{error}");
    }
}

#[tokio::test]
async fn readers_that_leave_hold_nothing_up() {
    let client = shared_clickhouse();
    for _ in 0..40 {
        let query = client.query("SELECT number, rand64(number) FROM numbers(100000000000)");
        let query = query.with_setting("output_format_parquet_row_group_size", "100000");
        let mut cursor = query.fetch_bytes("Parquet").unwrap();
        assert!(cursor.next().await.unwrap().is_some());
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let running = "SELECT count() FROM system.processes WHERE position(query, 'numbers(100000000000)') > 0 AND query_id != queryID()";
    while client.query(running).fetch_one::<u64>().await.unwrap() > 0 {
        assert!(std::time::Instant::now() < deadline, "statements go on for nobody");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
