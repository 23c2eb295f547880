//! Runs a pipeline for every generation of every projection, and follows what `retrace rebuild` decides: a new generation
//! gets a pipeline beside the live one, a retired one loses its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use runtime::Settings;
use runtime::kafka::keys::KeyReader;
use schemas::topics;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dead_letter::DeadLetters;
use crate::log::decode::Decoder;
use crate::log::{self};
use crate::pipeline::{Lost, Pipeline, is_mismatch};
use crate::projections::{Projection, traces, workspace};

struct Running {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

type Key = (String, i32);

/// Projections that stopped for good, and why: what waiting cannot mend is said in `/readyz`, while the others go on.
#[derive(Default)]
pub struct Stopped(Mutex<BTreeMap<Key, String>>);

impl Stopped {
    pub fn check(&self) -> Result<(), String> {
        let stopped = self.0.lock().map_err(|e| e.to_string())?;
        if stopped.is_empty() {
            return Ok(());
        }
        let sentences =
            stopped.iter().map(|((name, generation), why)| format!("{name} (generation {generation}): {why}"));
        Err(sentences.collect::<Vec<_>>().join("; "))
    }

    fn has(&self, key: &Key) -> bool {
        self.0.lock().is_ok_and(|stopped| stopped.contains_key(key))
    }

    fn set(&self, key: &Key, why: Option<String>) {
        if let Ok(mut stopped) = self.0.lock() {
            match why {
                Some(why) => stopped.insert(key.clone(), why),
                None => stopped.remove(key),
            };
        }
    }
}

pub async fn run(
    settings: Arc<Settings>,
    client: clickhouse::Client,
    pool: PgPool,
    stopped: Arc<Stopped>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut running: HashMap<Key, Running> = HashMap::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => {}
        }
        match generations(&pool).await {
            Ok(wanted) => {
                for key in wanted.iter().filter(|key| !stopped.has(key)) {
                    if !running.contains_key(key) {
                        let started = start(&settings, &client, &pool, &key.0, key.1, stop.child_token())?;
                        running.insert(key.clone(), started);
                    }
                }
                retire(&mut running, &wanted, &stopped).await;
            }
            // What runs goes on; new generations are seen when Postgres is back.
            Err(cause) => tracing::warn!(%cause, "the generations cannot be read"),
        }
        let ended: Vec<Key> =
            running.iter().filter(|(_, pipeline)| pipeline.task.is_finished()).map(|(key, _)| key.clone()).collect();
        for key in ended {
            let Some(pipeline) = running.remove(&key) else { continue };
            match finish(&key, pipeline).await {
                // The next look at the generations starts it again.
                Err(cause) if cause.is::<Lost>() => warn(&key, &cause),
                Err(cause) if is_mismatch(&cause) => {
                    tracing::error!(projection = key.0, generation = key.1, cause = format!("{cause:#}"), "stopped");
                    stopped.set(&key, Some(format!("{:#}", cause.root_cause())));
                }
                outcome => outcome?,
            }
        }
    }
    for (key, pipeline) in running {
        if let Err(cause) = finish(&key, pipeline).await {
            warn(&key, &cause);
        }
    }
    Ok(())
}

fn warn(key: &Key, cause: &anyhow::Error) {
    let cause = format!("{cause:#}");
    tracing::warn!(projection = key.0, generation = key.1, cause, "stopped with work left: it is read again");
}

async fn retire(running: &mut HashMap<Key, Running>, wanted: &[Key], stopped: &Stopped) {
    let retired: Vec<Key> = running.keys().filter(|key| !wanted.contains(key)).cloned().collect();
    for key in retired {
        if let Some(old) = running.remove(&key) {
            tracing::info!(projection = key.0, generation = key.1, "generation retired or paused");
            old.stop.cancel();
            if let Err(cause) = finish(&key, old).await {
                warn(&key, &cause);
            }
        }
    }
    let known: Vec<Key> = stopped.0.lock().map(|stopped| stopped.keys().cloned().collect()).unwrap_or_default();
    for key in known.iter().filter(|key| !wanted.contains(key)) {
        stopped.set(key, None);
    }
}

async fn finish(key: &Key, pipeline: Running) -> anyhow::Result<()> {
    pipeline.task.await?.with_context(|| format!("the projection {} (generation {})", key.0, key.1))
}

async fn generations(pool: &PgPool) -> sqlx::Result<Vec<(String, i32)>> {
    sqlx::query_as(
        "SELECT projection, generation FROM generations
         WHERE NOT retired AND (paused_until IS NULL OR paused_until < now()) ORDER BY projection, generation",
    )
    .fetch_all(pool)
    .await
}

/// Of the projectors that share a generation.
pub fn consumer_group(settings: &Settings, projection: &str, generation: i32) -> String {
    format!("{}-{projection}-g{generation}", settings.consumer_group)
}

fn start(
    settings: &Arc<Settings>,
    client: &clickhouse::Client,
    pool: &PgPool,
    projection: &str,
    generation: i32,
    stop: CancellationToken,
) -> anyhow::Result<Running> {
    let group = consumer_group(settings, projection, generation);
    tracing::info!(projection, generation, "pipeline");
    match projection {
        "traces" => {
            let room = traces::on_clickhouse(Arc::clone(settings), client.clone(), pool.clone(), generation)?;
            let keys = Some(KeyReader::new(settings)?);
            launch(settings, room, topics::TELEMETRY, &group, traces::hears, keys, stop)
        }
        "workspace" => {
            let room = workspace::Workspace::new(Arc::clone(settings), pool.clone(), generation);
            let keys = Some(KeyReader::new(settings)?);
            launch(settings, room, topics::WORKSPACE, &group, workspace::hears, keys, stop)
        }
        other => anyhow::bail!("this version does not know the projection {other}"),
    }
}

fn launch<P: Projection>(
    settings: &Arc<Settings>,
    room: P,
    topic: &'static str,
    group: &str,
    hears: fn(&str) -> bool,
    keys: Option<KeyReader>,
    stop: CancellationToken,
) -> anyhow::Result<Running> {
    let dead_letters = DeadLetters::new(settings, room.name(), topic)?;
    let decoder = Decoder::new(settings, topic, room.name(), hears, keys);
    let pipeline = Pipeline::new(settings, room, dead_letters, stop.clone());
    let (settings, group, until) = (Arc::clone(settings), group.to_owned(), stop.clone());
    let join = move || log::start(&settings, topic, &group, decoder, until);
    Ok(Running { stop, task: tokio::spawn(pipeline.run(join)) })
}
