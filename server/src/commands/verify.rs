//! `retrace verify`: the projections against the reference fold.

use ::verify::{LogReader, Options, Report, Texts, verify};
use anyhow::bail;
use runtime::Settings;
use runtime::kafka::client_config;
use sqlx::PgPool;

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub async fn run(settings: &Settings, slices: u32) -> anyhow::Result<()> {
    let report = compare(settings, slices).await?;
    println!("{report}");
    if !report.is_exact() {
        bail!("the projections differ from the log");
    }
    Ok(())
}

/// Compares the live generations.
pub async fn compare(settings: &Settings, slices: u32) -> anyhow::Result<Report> {
    let pool = runtime::postgres::pool(settings)?;
    verify(Options {
        log: LogReader { config: client_config(settings), topic_prefix: settings.topic_prefix.clone() },
        clickhouse: migrations::clickhouse::client(settings),
        traces_generation: live(&pool, "traces").await?,
        workspace_generation: live(&pool, "workspace").await?,
        postgres: pool,
        slices,
        texts: TEXTS,
    })
    .await
}

/// The same rules that the projector applies.
pub const TEXTS: Texts = Texts {
    signature: insights::failures::signature,
    prompt: |input| {
        let prompt = insights::calls::prompt(input);
        let heads = prompt.heads.iter().map(|head| (head.hash, head.length));
        (prompt.hash, prompt.length, heads.collect())
    },
    parameters: insights::calls::parameters,
    call: insights::calls::call,
};

async fn live(pool: &PgPool, projection: &str) -> anyhow::Result<String> {
    let generation: i32 = sqlx::query_scalar("SELECT generation FROM generations WHERE projection = $1 AND live")
        .bind(projection)
        .fetch_one(pool)
        .await?;
    Ok(format!("g{generation}"))
}
