//! The services as processes of their own, under load, while they and the engines are killed at random instants.
//! `RETRACE_TEST_KILLS` says how often, `RETRACE_TEST_SEED` draws what.

mod check;
mod fleet;
mod load;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engines::Engine;
use retrace_server::commands;
use runtime::Settings;

use self::fleet::Fleet;
use self::load::{Ledger, Writer};
use crate::harness::{Process, Random, World, environment, level, new_settings, outage};

const WRITERS: usize = 10;
/// From one kill to the next, in milliseconds.
const PAUSES: (usize, usize) = (300, 5_000);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_nothing_acknowledged_is_lost_or_doubled() {
    let (_alone, world) = outage().await;
    let kills = number("RETRACE_TEST_KILLS").unwrap_or(10) as usize;
    let seed = number("RETRACE_TEST_SEED").unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
    let mut random = Random::new(seed);
    let settings = new_settings(|settings| {
        settings.postgres_connections = 8;
        settings.freshness_wait_ms = 2_000;
        // Erasures are under way as well.
        settings.erase_interval_ms = 3_000;
    })
    .await;
    let folder = world.stack.data().join("kills");
    std::fs::create_dir_all(&folder).unwrap();
    eprintln!("{kills} kills, seed {seed}, logs in {}", folder.display());
    let started = Instant::now();
    migrate(&folder, &settings).await;
    let mut fleet = Fleet::start(&folder, &settings, random.percent(50)).await;
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            let draws = Random::new(random.next());
            let writer = Writer::new(fleet.ingest(), fleet.query_api(), draws, n % 2 * 30, Arc::clone(&done));
            tokio::spawn(writer.run())
        })
        .collect();
    let killed = kill(world, &mut fleet, &mut random, kills).await;
    done.store(true, Ordering::Relaxed);
    let mut ledger = Ledger::default();
    for writer in writers {
        ledger.merge(writer.await.unwrap());
    }
    let loaded = started.elapsed();
    for engine in Engine::ALL {
        world.stack.wait_until_up(engine).await.unwrap();
    }
    fleet.ready().await;
    level(&settings).await;
    check::over_rest(&fleet.query_api(), &mut ledger).await;
    level(&settings).await;
    let report = commands::verify::compare(&settings, 1).await.unwrap();
    eprintln!("killed {killed:?}; {ledger}; {loaded:?} of load, {:?} in all", started.elapsed());
    eprintln!("ended by themselves: {:?}", fleet.ended_unasked());
    if !report.is_exact() {
        // Whether it lasts says where to look: in the rows, or in what reads them.
        let again = commands::verify::compare(&settings, 1).await.unwrap();
        panic!("seed {seed}: {report}\n\na moment later: {again}");
    }
    assert!(ledger.violations.is_empty(), "seed {seed}: {} {:#?}", ledger.violations.len(), ledger.first_violations());
    let panics = fleet.panics();
    assert!(panics.is_empty(), "seed {seed}: {panics:#?}");
    assert!(ledger.acknowledged_spans() > 20 * kills, "seed {seed}: hardly anything was recorded");
}

async fn migrate(folder: &Path, settings: &Settings) {
    let mut migrate = Process::start(folder, "migrate", &["migrate"], &environment(settings));
    let status = migrate.end(Duration::from_secs(60)).await;
    assert!(status.success(), "{}", migrate.stderr());
}

/// At random instants, sometimes two at once; what is killed is started again by who watches over it.
async fn kill(world: &World, fleet: &mut Fleet, random: &mut Random, kills: usize) -> BTreeMap<String, usize> {
    let mut killed = BTreeMap::new();
    for _ in 0..kills {
        let pause = if random.percent(10) { 0 } else { random.between(PAUSES.0, PAUSES.1) };
        tokio::time::sleep(Duration::from_millis(pause as u64)).await;
        let targets = fleet.services() + Engine::ALL.len();
        let target = random.below(targets);
        let name = match target.checked_sub(fleet.services()) {
            None => fleet.kill(target),
            Some(engine) => {
                let engine = Engine::ALL[engine];
                world.stack.kill(engine);
                engine.name().to_owned()
            }
        };
        *killed.entry(name).or_default() += 1;
    }
    killed
}
