//! `/ws/v1/stream`: clients say what happens while it happens, and are told what to do (docs/adr/0023-live-clients.md).
//!
//! A connection reads ([`connection`]), records ([`recorder`]) and writes side by side: it never stops reading for a write or
//! an append, and what has not been made durable yet is bounded ([`inbox`]). Commands find their client by [`dispatch`].

mod auth;
mod client;
mod connection;
mod dispatch;
mod frame;
mod hub;
mod inbox;
mod nodes;
mod rate;
mod recorder;
mod replies;

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use runtime::http::{ClientIp, Gate, InflightBytes, RequestNames};
use runtime::lifecycle::Tasks;
use runtime::{Problem, Settings};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::connection::Arrival;
use self::hub::Hub;
use self::nodes::Nodes;
use crate::state::AppState;

pub use client::original_name;
pub use dispatch::{Command, Dispatched, deliver, find};

/// Buffers of a connection that are there though nothing is sent.
const READ_BUFFER: usize = 8 * 1024;
const WRITE_BUFFER: usize = 8 * 1024;

pub struct Live {
    gate: Gate,
    hub: Arc<Hub>,
    nodes: Arc<Nodes>,
    /// Connections that this node may still take.
    room: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Live {
    pub fn start(settings: &Settings, pool: &PgPool, gate: Gate, tasks: &mut Tasks) -> anyhow::Result<Live> {
        let nodes = Arc::new(Nodes::new(settings, pool)?);
        tasks.spawn("nodes", Arc::clone(&nodes).announced(tasks.stop.clone()));
        let most = settings.live_connections;
        let room = Arc::new(Semaphore::new(most as usize));
        let (stop, left) = (tasks.stop.clone(), Arc::clone(&room));
        tasks.spawn("live", async move {
            stop.cancelled().await;
            // Every connection has told its client to come back.
            let _all = left.acquire_many(most).await?;
            Ok(())
        });
        Ok(Live { gate, hub: Arc::default(), nodes, room, stop: tasks.stop.clone() })
    }
}

pub async fn stream(
    State(state): State<AppState>,
    names: RequestNames,
    axum::Extension(ip): axum::Extension<ClientIp>,
    axum::Extension(inflight): axum::Extension<InflightBytes>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|refusal| Problem::new(refusal.status(), refusal.body_text()))?;
    if state.live.stop.is_cancelled() {
        return Err(Problem::unavailable("The server restarts", 1));
    }
    let place = Arc::clone(&state.live.room)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("This node has as many connections as it takes", 5))?;
    let most = state.settings.live_frame_bytes;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(most)
        .max_frame_size(most);
    let arrival = Arrival { names, ip, inflight };
    Ok(upgrade.on_upgrade(move |socket| async move {
        connection::serve(socket, &state, arrival).await;
        drop(place);
    }))
}
