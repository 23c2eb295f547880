//! A revoked key is refused on every node within a second, whatever else is down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retrace_server::commands::lag;
use retrace_server::services::{self, Role};
use runtime::Settings;
use runtime::lifecycle::Tasks;
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Client, Retrace};

const TRACES: &str = "/api/v1/traces";
const REVOKED: &str = "The API key is not known or was revoked";

/// One more node of an installation, without a projector.
struct Node {
    base: String,
    stop: CancellationToken,
}

impl Node {
    async fn start(settings: &Settings, role: Role) -> Node {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap().to_string();
        let base = format!("http://{listen}");
        let settings = Arc::new(Settings { listen, ..settings.clone() });
        let mut tasks = Tasks::default();
        services::start(&settings, role, listener, Vec::new(), &mut tasks).await.unwrap();
        let stop = tasks.stop.clone();
        tokio::spawn(tasks.run(Duration::from_secs(10)));
        Node { base, stop }
    }

    fn of(&self, user: &Client) -> Client {
        Client::new(&self.base, &user.key)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The way to an engine: it can be cut, and it can be slow.
struct Wire {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Wire {
    async fn to(target: &str, delay: Duration) -> Wire {
        let target = target.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (whole, seen) = watch::channel(true);
        let accepting = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (target, mut seen) = (target.clone(), seen.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    if *seen.borrow() {
                        let mut far = TcpStream::connect(target).await.unwrap();
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => {}
                            _ = seen.wait_for(|whole| !whole) => {}
                        }
                    }
                });
            }
        });
        Wire { address, whole, accepting }
    }

    /// To Postgres, and the settings of a node that uses it.
    async fn to_postgres(settings: &Settings) -> (Wire, Settings) {
        let (before, rest) = settings.postgres_url.rsplit_once('@').unwrap();
        let (target, database) = rest.split_once('/').unwrap();
        let wire = Wire::to(target, Duration::ZERO).await;
        let postgres_url = format!("{before}@{}/{database}", wire.address);
        (wire, Settings { postgres_url, ..settings.clone() })
    }

    fn cut(&self) {
        self.whole.send_replace(false);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn records(client: &Client) -> u16 {
    client.post(TRACES, &json!({"name": "still here"})).await.status.as_u16()
}

/// Records of the workspace topic: (applied by the projection, in the log).
async fn workspace(settings: &Settings) -> (i64, i64) {
    let pool = runtime::postgres::pool(settings).unwrap();
    let standings = lag::standings(settings, &pool).await.unwrap();
    let standing = standings.iter().find(|standing| standing.projection == "workspace").unwrap();
    (standing.applied, standing.end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_within_a_second_without_projector_and_postgres() {
    let mut retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("acme", "ann").await, retrace.key_of("acme", "bob").await);
    let (wire, settings) = Wire::to_postgres(&retrace.settings).await;
    let near = Node::start(&settings, Role::All).await;
    let far = Node::start(&settings, Role::All).await;
    let reads = Node::start(&settings, Role::QueryApi).await;
    reads.of(&ann).get(TRACES).await.expect(200);
    retrace.settled().await;
    retrace.stop().await;
    wire.cut();

    // What needs Postgres says so: it is away. What does not goes on.
    let unknown = near.of(&ann).with_key("rt_never_made").get(TRACES).await.expect(503);
    assert_eq!(unknown.error(), "The API key cannot be checked at the moment");
    assert!(unknown.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let (_, before) = workspace(&retrace.settings).await;
    let replaced = near.of(&ann).post("/api/v1/api-keys", &json!({})).await.expect(503);
    assert!(replaced.headers.contains_key("retry-after"));
    assert_eq!(workspace(&retrace.settings).await.1, before, "a refused creation appended something");
    for node in [&near, &far] {
        assert_eq!((records(&node.of(&ann)).await, records(&node.of(&bob)).await), (201, 201));
    }
    reads.of(&ann).get(TRACES).await.expect(200);

    near.of(&ann).delete("/api/v1/api-keys").await.expect(204);
    let revoked = Instant::now();
    assert_eq!(near.of(&ann).post(TRACES, &json!({})).await.expect(401).error(), REVOKED);
    for node in [&far, &reads] {
        loop {
            // One that is let in may wait for Postgres; it is not waited for.
            let asked = tokio::time::timeout(Duration::from_millis(200), node.of(&ann).get(TRACES)).await;
            assert!(revoked.elapsed() < Duration::from_secs(1), "{asked:?} after {:?}", revoked.elapsed());
            if let Some(answer) = asked.ok().filter(|answer| answer.status == 401) {
                assert_eq!(answer.error(), REVOKED);
                break;
            }
        }
    }
    for node in [&near, &far] {
        assert_eq!((records(&node.of(&ann)).await, records(&node.of(&bob)).await), (401, 201));
    }
    let (applied, end) = workspace(&retrace.settings).await;
    assert_eq!((applied, end), (before, before + 1), "the projector was to be stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_after_a_revocation_knows_of_it() {
    let mut retrace = Retrace::start().await;
    let (ann, bob) = (retrace.key_of("acme", "ann").await, retrace.key_of("acme", "bob").await);
    retrace.settled().await;
    let first = Node::start(&retrace.settings, Role::All).await;
    retrace.stop().await;
    first.of(&ann).delete("/api/v1/api-keys").await.expect(204);
    // The projection, and with it the snapshot that a node starts from, does not know yet.
    let (applied, end) = workspace(&retrace.settings).await;
    assert_eq!(applied + 1, end);
    // What holds on every node within a second holds after it on a node's first answer too, however long the way to the
    // log is.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let kafka = Wire::to(&retrace.settings.kafka_brokers, Duration::from_secs(1)).await;
    let settings = Settings { kafka_brokers: kafka.address.to_string(), ..(*retrace.settings).clone() };
    let (all, reads) = (Node::start(&settings, Role::All).await, Node::start(&settings, Role::QueryApi).await);
    for node in [&all, &reads] {
        assert_eq!(node.of(&ann).get(TRACES).await.expect(401).error(), REVOKED);
        node.of(&bob).get(TRACES).await.expect(200);
    }
    assert_eq!((records(&all.of(&ann)).await, records(&all.of(&bob)).await), (401, 201));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_is_refused_by_other_nodes_and_its_successor_accepted() {
    let retrace = Retrace::start().await;
    let ann = retrace.key_of("acme", "ann").await;
    let far = Node::start(&retrace.settings, Role::All).await;
    let reads = Node::start(&retrace.settings, Role::QueryApi).await;
    far.of(&ann).get(TRACES).await.expect(200);
    let created = ann.post("/api/v1/api-keys", &json!({})).await.expect(201).json();
    let replaced = Instant::now();
    let renewed = ann.with_key(created["key"].as_str().unwrap());
    for node in [&far, &reads] {
        node.of(&renewed).get(TRACES).await.expect(200);
        while node.of(&ann).get(TRACES).await.status != 401 {
            assert!(replaced.elapsed() < Duration::from_secs(1), "refused late");
        }
    }
    assert_eq!(records(&far.of(&renewed)).await, 201);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_key_is_refused_within_a_second_without_projector_and_postgres() {
    let mut retrace = Retrace::start().await;
    let (ann, root) = (retrace.key_of("acme", "ann").await, retrace.key_as("acme", "root", "admin").await);
    let created =
        ann.post("/api/v1/api-keys/all", &json!({"name": "ci", "scopes": ["write"]})).await.expect(201).json();
    let (id, ci) = (created["id"].as_str().unwrap(), ann.with_key(created["key"].as_str().unwrap()));
    let (wire, settings) = Wire::to_postgres(&retrace.settings).await;
    let (near, far) = (Node::start(&settings, Role::All).await, Node::start(&settings, Role::All).await);
    let reads = Node::start(&settings, Role::QueryApi).await;
    assert_eq!((records(&near.of(&ci)).await, records(&far.of(&ci)).await), (201, 201));
    reads.of(&ci).get(TRACES).await.expect(200);
    retrace.settled().await;
    retrace.stop().await;
    wire.cut();

    let path = format!("/api/v1/api-keys/all/{id}");
    near.of(&root).delete(&path).await.expect(204);
    let revoked = Instant::now();
    assert_eq!(near.of(&ci).post(TRACES, &json!({})).await.expect(401).error(), REVOKED);
    near.of(&root).delete(&path).await.expect(404);
    for node in [&far, &reads] {
        loop {
            let asked = tokio::time::timeout(Duration::from_millis(200), node.of(&ci).get(TRACES)).await;
            assert!(revoked.elapsed() < Duration::from_secs(1), "{asked:?} after {:?}", revoked.elapsed());
            if asked.is_ok_and(|answer| answer.status == 401) {
                break;
            }
        }
    }
    for node in [&near, &far] {
        assert_eq!((records(&node.of(&ci)).await, records(&node.of(&ann)).await), (401, 201));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn narrower_scopes_hold_on_every_node_within_a_second() {
    let retrace = Retrace::start().await;
    let ann = retrace.key_of("acme", "ann").await;
    let created =
        ann.post("/api/v1/api-keys/all", &json!({"name": "ci", "scopes": ["write"]})).await.expect(201).json();
    let (id, ci) = (created["id"].as_str().unwrap(), ann.with_key(created["key"].as_str().unwrap()));
    let far = Node::start(&retrace.settings, Role::All).await;
    assert_eq!(records(&far.of(&ci)).await, 201);
    ann.patch(&format!("/api/v1/api-keys/all/{id}"), &json!({"scopes": ["read"]})).await.expect(200);
    let narrowed = Instant::now();
    while records(&far.of(&ci)).await != 403 {
        assert!(narrowed.elapsed() < Duration::from_secs(1), "refused late");
    }
    far.of(&ci).get(TRACES).await.expect(200);
    // A node that starts from the projection says the same.
    let new = Node::start(&retrace.settings, Role::All).await;
    assert_eq!(records(&new.of(&ci)).await, 403);
    new.of(&ci).get(TRACES).await.expect(200);
    retrace.assert_exact().await;
}
