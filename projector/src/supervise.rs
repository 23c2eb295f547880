//! Runs a pipeline for every generation of every projection, and follows what `retrace rebuild` decides: a new generation
//! gets a pipeline beside the live one, a retired one loses its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use runtime::Settings;
use runtime::kafka::keys::KeyReader;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dead_letter::DeadLetters;
use crate::log::decode::{Decoder, Wants};
use crate::log::{self};
use crate::pipeline::{Lost, Pipeline, is_mismatch};
use crate::projections::{self, Projection, audit, traces, workspace};

struct Running {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// A pipeline: a projection, its generation, and one of the topics that it folds.
type Key = (String, i32, &'static str);

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
            stopped.iter().map(|((name, generation, _), why)| format!("{name} (generation {generation}): {why}"));
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
            Ok(generations) => {
                let wanted = pipelines(&generations)?;
                for key in wanted.iter().filter(|key| !stopped.has(key)) {
                    if !running.contains_key(key) {
                        let started = start(&settings, &client, &pool, key, stop.child_token())?;
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

/// One for each topic of each generation.
fn pipelines(generations: &[(String, i32)]) -> anyhow::Result<Vec<Key>> {
    let mut pipelines = Vec::new();
    for (projection, generation) in generations {
        let topics = projections::topics_of(projection);
        anyhow::ensure!(!topics.is_empty(), "this version does not know the projection {projection}");
        pipelines.extend(topics.iter().map(|topic| (projection.clone(), *generation, *topic)));
    }
    Ok(pipelines)
}

/// Of the projectors that share a generation, by topic.
pub fn consumer_groups(settings: &Settings, projection: &str, generation: i32) -> Vec<(&'static str, String)> {
    let group = format!("{}-{projection}-g{generation}", settings.consumer_group);
    match projections::topics_of(projection) {
        [topic] => vec![(*topic, group)],
        // A member of two topics could have one name in its group only.
        topics => topics.iter().map(|topic| (*topic, format!("{group}-{topic}"))).collect(),
    }
}

fn start(
    settings: &Arc<Settings>,
    client: &clickhouse::Client,
    pool: &PgPool,
    (projection, generation, topic): &Key,
    stop: CancellationToken,
) -> anyhow::Result<Running> {
    let (generation, topic) = (*generation, *topic);
    let group = consumer_groups(settings, projection, generation).into_iter().find(|(of, _)| *of == topic);
    let (_, group) = group.with_context(|| format!("the projection {projection} does not fold {topic}"))?;
    tracing::info!(projection, generation, topic, "pipeline");
    match projection.as_str() {
        "traces" => {
            let room = traces::on_clickhouse(Arc::clone(settings), client.clone(), pool.clone(), generation)?;
            launch(
                settings,
                room,
                topic,
                &group,
                Wants::Events(traces::hears, Box::new(KeyReader::new(settings)?)),
                stop,
            )
        }
        "workspace" => {
            let room = workspace::Workspace::new(Arc::clone(settings), pool.clone(), generation);
            launch(
                settings,
                room,
                topic,
                &group,
                Wants::Events(workspace::hears, Box::new(KeyReader::new(settings)?)),
                stop,
            )
        }
        "audit" => {
            let room = audit::on_clickhouse(Arc::clone(settings), client.clone(), topic, generation);
            launch(settings, room, topic, &group, Wants::Writes, stop)
        }
        other => anyhow::bail!("this version does not know the projection {other}"),
    }
}

fn launch<P: Projection>(
    settings: &Arc<Settings>,
    room: P,
    topic: &'static str,
    group: &str,
    wants: Wants,
    stop: CancellationToken,
) -> anyhow::Result<Running> {
    let dead_letters = DeadLetters::new(settings, room.name(), topic)?;
    let decoder = Decoder::new(settings, topic, room.name(), wants);
    let pipeline = Pipeline::new(settings, room, dead_letters, stop.clone());
    let (settings, group, until) = (Arc::clone(settings), group.to_owned(), stop.clone());
    let join = move || log::start(&settings, topic, &group, decoder, until);
    Ok(Running { stop, task: tokio::spawn(pipeline.run(join)) })
}
