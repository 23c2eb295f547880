//! `retrace verify`: the projections against the reference fold.

use ::verify::audit::{Kept, kept};
use ::verify::{LogReader, Options, Report, Texts, verify, verify_audit};
use anyhow::{Context, bail};
use runtime::Settings;
use runtime::kafka::client_config;
use sqlx::PgPool;

use crate::cli::VerifyCommand;

pub async fn run(settings: &Settings, slices: u32, command: Option<VerifyCommand>) -> anyhow::Result<()> {
    let report = match command {
        None => compare(settings, slices).await?,
        Some(VerifyCommand::Audit { heads: None }) => compare_audit(settings, slices, &[]).await?,
        Some(VerifyCommand::Audit { heads: Some(file) }) => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let kept = kept(&text).with_context(|| format!("{} has no heads of the audit", file.display()))?;
            compare_audit(settings, slices, &kept).await?
        }
    };
    say(&report);
    if !report.is_exact() {
        bail!("the projections differ from the log");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
fn say(report: &Report) {
    println!("{report}");
}

/// Compares the live generations.
pub async fn compare(settings: &Settings, slices: u32) -> anyhow::Result<Report> {
    verify(options(settings, slices).await?).await
}

/// Compares the audit's rows with the log, and the log with heads that were kept.
pub async fn compare_audit(settings: &Settings, slices: u32, kept: &[Kept]) -> anyhow::Result<Report> {
    verify_audit(options(settings, slices).await?, kept).await
}

async fn options(settings: &Settings, slices: u32) -> anyhow::Result<Options> {
    let pool = runtime::postgres::pool(settings)?;
    Ok(Options {
        log: LogReader { config: client_config(settings), topic_prefix: settings.topic_prefix.clone() },
        clickhouse: migrations::clickhouse::client(settings),
        traces_generation: live(&pool, "traces").await?,
        workspace_generation: live(&pool, "workspace").await?,
        audit_generation: live(&pool, "audit").await?,
        postgres: pool,
        slices,
        texts: TEXTS,
    })
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
    prompt_use: |metadata| insights::prompt_use::prompt_use(metadata).map(|used| (used.prompt, used.version)),
};

async fn live(pool: &PgPool, projection: &str) -> anyhow::Result<String> {
    let generation: i32 = sqlx::query_scalar("SELECT generation FROM generations WHERE projection = $1 AND live")
        .bind(projection)
        .fetch_one(pool)
        .await?;
    Ok(format!("g{generation}"))
}
