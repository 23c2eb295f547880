//! Projectors come and go, in good order or abruptly, while others are still joining: whoever is left goes on at once.
//! `RETRACE_TEST_TAKEOVERS` says how many comings and goings, `RETRACE_TEST_SEED` which ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use retrace_server::commands::lag::{self, Place, Standing};
use runtime::Settings;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{
    Client, Projector, Random, Retrace, described, eventually, eventually_ok, free_port, number, sharing,
};

/// A member that vanished is missed after its session timeout of 6 s, and several may; one that lives and does not join
/// again is waited for 30 s at most.
const GOES_ON_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_left_goes_on() {
    let count = number("RETRACE_TEST_TAKEOVERS").unwrap_or(25);
    let seed = number("RETRACE_TEST_SEED").unwrap_or_else(|| u64::from(Uuid::new_v4().as_fields().0));
    let random = &mut Random::new(seed);
    let _shared = sharing().await;
    let mut retrace = Retrace::alone(|settings| settings.listen = format!("127.0.0.1:{}", free_port())).await;
    let stop = Arc::new(AtomicBool::default());
    let acknowledged = Arc::new(AtomicUsize::default());
    let writing = tokio::spawn(write(retrace.client.clone(), Arc::clone(&stop), Arc::clone(&acknowledged)));
    let mut others: Vec<Projector> = Vec::new();
    let mut slowest = Duration::ZERO;
    for n in 0..count {
        let what = match random.below(6) {
            0 => {
                retrace = retrace.crash().await;
                "crash"
            }
            1 => {
                retrace = retrace.restart().await;
                "restart"
            }
            2 if !others.is_empty() => {
                others.swap_remove(random.below(others.len())).crash().await;
                "another crashes"
            }
            3 if !others.is_empty() => {
                others.swap_remove(random.below(others.len())).leave().await;
                "another leaves"
            }
            _ if others.len() < 2 => {
                others.push(Projector::join(&retrace.settings));
                "another joins"
            }
            _ => continue,
        };
        // Half of them at once after the one before.
        tokio::time::sleep(Duration::from_millis(random.below(2) as u64 * random.below(1_500) as u64)).await;
        if random.percent(40) {
            let took = until_applied(&retrace.settings).await;
            assert!(took < GOES_ON_WITHIN, "seed {seed}, {n}: {what}: nobody went on for {took:?}");
            slowest = slowest.max(took);
        }
    }
    for other in others {
        other.leave().await;
    }
    stop.store(true, Ordering::Release);
    writing.await.unwrap();
    eprintln!(
        "{count} comings and goings, seed {seed}: {} traces, slowest to go on {slowest:.1?}",
        acknowledged.load(Ordering::Relaxed)
    );
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_reach_its_store_leaves_its_partitions_to_others() {
    let retrace = Retrace::start().await;
    let road = Road::to(&retrace.settings.clickhouse_url).await;
    let settings = Settings { clickhouse_url: road.url.clone(), ..(*retrace.settings).clone() };
    let other = Projector::join(&Arc::new(settings));
    eventually("the other's place in the group", async || {
        tokio::task::block_in_place(|| members(&retrace.settings)) == 2
    })
    .await;
    road.close();
    let stop = Arc::new(AtomicBool::default());
    let writing = tokio::spawn(write(retrace.client.clone(), Arc::clone(&stop), Arc::default()));
    // Enough for all partitions.
    tokio::time::sleep(Duration::from_secs(5)).await;
    stop.store(true, Ordering::Release);
    writing.await.unwrap();
    retrace.assert_exact().await;
    other.crash().await;
}

/// Of the traces projection's group, once it has settled.
fn members(settings: &Settings) -> usize {
    let consumer: BaseConsumer = runtime::kafka::client_config(settings).create().unwrap();
    let group = format!("{}-traces-g1", settings.consumer_group);
    let found = consumer.fetch_group_list(Some(&group), Duration::from_secs(5)).unwrap();
    let settled = found.groups().iter().find(|group| group.state() == "Stable");
    settled.map_or(0, |group| group.members().len())
}

/// A way to a server that can be closed for those who go by it.
struct Road {
    url: String,
    traffic: tokio::task::JoinHandle<()>,
}

impl Road {
    async fn to(url: &str) -> Road {
        let target = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let traffic = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let target = target.clone();
                connections.spawn(async move {
                    let mut server = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Road { url, traffic }
    }

    fn close(&self) {
        self.traffic.abort();
    }
}

/// How long it takes until all that is in the log by now is applied.
async fn until_applied(settings: &Settings) -> Duration {
    let pool = runtime::postgres::pool(settings).unwrap();
    let started = Instant::now();
    let standings = async || lag::standings(settings, &pool).await.unwrap();
    let wanted = standings().await;
    eventually_ok("what is in the log", async || {
        let now = standings().await;
        let missing = |(then, now): (&Standing, &Standing)| {
            let is_missing = |(place, (_, end)): (&Place, &(i64, i64))| now.behind[place].0 < *end;
            then.behind.iter().any(is_missing)
        };
        if wanted.iter().zip(&now).any(missing) { Err(described(&now)) } else { Ok(()) }
    })
    .await;
    started.elapsed()
}

/// Small traces, a few a second, each sent until it is acknowledged.
async fn write(client: Client, stop: Arc<AtomicBool>, acknowledged: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Acquire) {
        let trace = json!({"id": Uuid::new_v4(), "name": "kept", "status": "completed", "started_at": "2025-11-20T10:00:00Z",
            "spans": [{"id": "00f067aa0ba902b7", "span_type": "action", "name": "step", "started_at": "2025-11-20T10:00:00Z"}]});
        let body = trace.to_string().into_bytes();
        let sent = client.try_send(reqwest::Method::POST, "/api/v1/traces", &[], Some(body)).await;
        match sent {
            Ok(answer) if answer.status == 201 => {
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
            // It is being started again.
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
