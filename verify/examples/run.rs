use retrace_verify::*;
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap())?;
    let get = |name: &str| {
        text.lines()
            .find_map(|l| l.strip_prefix(name))
            .map(|l| l.trim_start_matches(" = ").trim_matches('"').to_owned())
            .unwrap()
    };
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", get("kafka_brokers"));
    let client = clickhouse::Client::default()
        .with_url(get("clickhouse_url"))
        .with_user(get("clickhouse_user"))
        .with_password(get("clickhouse_password"))
        .with_database("retrace");
    let postgres = sqlx::PgPool::connect(&get("postgres_url")).await?;
    let slices = std::env::args().nth(2).unwrap().parse()?;
    let start = std::time::Instant::now();
    let report = verify(Options {
        log: LogReader { config, topic_prefix: get("topic_prefix") },
        clickhouse: client,
        postgres,
        traces_generation: std::env::args().nth(3).unwrap_or("g1".into()),
        workspace_generation: "g1".into(),
        slices,
    })
    .await?;
    println!("{report}\n{:?}", start.elapsed());
    Ok(())
}
