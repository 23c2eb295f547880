//! One connection, from its first frame to its close.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use runtime::http::{ClientIp, InflightBytes, RequestNames};
use runtime::metrics::METRICS;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::auth::{self, Caller};
use super::client::Client;
use super::frame::{self, Frame};
use super::inbox::{Inbox, Item, Refusal, Waiting};
use super::rate::Rate;
use super::recorder::Recorder;
use super::replies::{self, Ending, Token};
use crate::state::AppState;

/// Frames that wait to be written.
const MOST_OUTGOING: usize = 2_048;
/// A client that takes nothing for so long has gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// How long the client may take to answer a close: what it has sent meanwhile is read, or its system would forget the acks
/// that it has not read yet.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Frames beyond this make the library's buffer grow.
const LARGE: usize = 16 * 1024;
/// Between two looks whether the client answers.
const LOOK: Duration = Duration::from_millis(500);

const BINARY: &str = "Binary frames are not taken: send text";
const TOO_MUCH: Ending = Ending::Later("More is sent than can be recorded: come back");

/// What is known of a connection before its first frame.
pub struct Arrival {
    pub names: RequestNames,
    pub ip: ClientIp,
    pub inflight: InflightBytes,
}

pub async fn serve(mut socket: WebSocket, state: &AppState, Arrival { names, ip, inflight }: Arrival) {
    let live = &state.live;
    let authenticating = auth::authenticate(&mut socket, &live.gate, &state.settings, (names, ip));
    let ending = match live.stop.run_until_cancelled(authenticating).await {
        None => Ending::Restart,
        Some(Err(why)) => Ending::Unauthorized(why),
        Some(Ok(caller)) => {
            let (out, outgoing) = mpsc::channel(MOST_OUTGOING);
            let client = Arc::new(Client::new(&caller.principal, caller.acks, caller.resumable, out));
            // Before anybody can find the client, so that nothing else is its first frame; written once it is served.
            client.tell_now(replies::auth_ok());
            match live.hub.connect(&client, state.settings.live_connections_per_key) {
                None => Ending::Later("The API key has as many connections as it may"),
                Some(_connected) => {
                    let inbox = Inbox::new(&state.settings);
                    let connection = Connection { state, caller: &caller, client: &client, inbox: &inbox, inflight };
                    return connection.run(socket, outgoing).await;
                }
            }
        }
    };
    count(&ending);
    let _ = tokio::time::timeout(CLOSE_PATIENCE, async {
        let _ = socket.send(ending.frame()).await;
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
}

struct Connection<'a> {
    state: &'a AppState,
    caller: &'a Caller,
    client: &'a Arc<Client>,
    inbox: &'a Inbox,
    inflight: InflightBytes,
}

impl Connection<'_> {
    async fn run(&self, socket: WebSocket, outgoing: mpsc::Receiver<Message>) {
        let (sink, mut stream) = socket.split();
        // The other side has gone, or nothing can be recorded.
        let (gone, failed) = (CancellationToken::new(), CancellationToken::new());
        let mut recorder = Recorder::new(self.state, self.caller, self.client, self.inbox);
        let serving = async {
            let reading = async {
                let ending = tokio::select! {
                    ending = self.read(&mut stream, &gone, &failed) => ending,
                    why = self.caller.until_ended(&self.state.live.gate) => Ending::Unauthorized(why),
                };
                self.inbox.close();
                ending
            };
            let (ending, ()) = tokio::join!(reading, recorder.run(&failed));
            count(&ending);
            self.client.tell(ending.frame()).await;
        };
        tokio::join!(serving, write(sink, outgoing, &gone));
        let _ = tokio::time::timeout(CLOSE_PATIENCE, async { while let Some(Ok(_)) = stream.next().await {} }).await;
    }

    async fn read(
        &self,
        stream: &mut SplitStream<WebSocket>,
        gone: &CancellationToken,
        failed: &CancellationToken,
    ) -> Ending {
        let mut rate = Rate::new(&self.state.settings);
        let mut pulse = Pulse::new(Duration::from_secs(self.state.settings.live_ping_seconds), Instant::now());
        // While its text is held the library reads on into another, small buffer; else it would keep this one for good.
        let mut large: Option<Utf8Bytes> = None;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                biased;
                () = self.state.live.stop.cancelled() => return Ending::Restart,
                () = gone.cancelled() => return Ending::Gone,
                () = failed.cancelled() => return Ending::Later("The log cannot be written at the moment: come back"),
                _ = look.tick() => {
                    large = None;
                    match pulse.beat(Instant::now()) {
                        Beat::Ping if self.client.tell_now(replies::ping()) => {}
                        // Acks are being written: it has its turn after them.
                        Beat::Ping => pulse.put_off(),
                        Beat::Silent if self.client.acks => return Ending::Silent,
                        // A listener of client 0.11 may be dead while it goes on sending.
                        Beat::Silent => pulse.answered(),
                        Beat::Rest => {}
                    }
                    continue;
                }
                message = stream.next() => message,
            };
            let taken = match message {
                Some(Ok(Message::Text(text))) => {
                    let taken = self.take(&text, &mut rate, &mut pulse);
                    large = (text.len() > LARGE).then_some(text).or(large);
                    taken
                }
                Some(Ok(Message::Binary(_))) => {
                    let refusal = Refusal { why: BINARY.to_owned(), outcome: "bad", token: Token::default() };
                    self.inbox.push(Item::Refused(refusal)).map_err(|_| TOO_MUCH)
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                Some(Ok(Message::Close(_))) | None => return Ending::Gone,
                Some(Err(cause)) => return broken(&cause),
            };
            if let Err(ending) = taken {
                return ending;
            }
        }
    }

    /// Never waits.
    fn take(&self, text: &str, rate: &mut Rate, pulse: &mut Pulse) -> Result<(), Ending> {
        let read_at = Instant::now();
        let most = self.state.settings.max_body_bytes;
        let frame = if text.len() > most { frame::too_large(text, most) } else { frame::read(text) };
        let item = match frame {
            Frame::Pong => {
                pulse.answered();
                self.client.ponged();
                return Ok(());
            }
            Frame::Said(_, token) | Frame::Bad(_, token) if !rate.allows(read_at) => {
                Item::Refused(Refusal { why: rate.refusal(), outcome: "rate_limited", token })
            }
            Frame::Bad(why, token) => Item::Refused(Refusal { why, outcome: "bad", token }),
            Frame::Said(said, token) => {
                let share = self.inflight.share(text.len()).ok_or(TOO_MUCH)?;
                Item::Said(Waiting { said, token, bytes: text.len(), read_at, share })
            }
        };
        self.inbox.push(item).map_err(|_| TOO_MUCH)
    }
}

/// Writes what there is, in as few packets as it fits, until a close was written or nobody takes it.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<Message>,
    gone: &CancellationToken,
) {
    let mut closed = false;
    while !closed && let Some(first) = outgoing.recv().await {
        let writing = async {
            let mut next = Some(first);
            while let Some(message) = next {
                closed |= matches!(message, Message::Close(_));
                sink.feed(message).await?;
                next = outgoing.try_recv().ok().filter(|_| !closed);
            }
            sink.flush().await
        };
        match tokio::time::timeout(WRITE_PATIENCE, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    gone.cancel();
}

/// When to ping, and whether the last one was answered in time.
struct Pulse {
    every: Duration,
    next: Instant,
    unanswered_since: Option<Instant>,
}

#[derive(Debug, PartialEq)]
enum Beat {
    Rest,
    Ping,
    Silent,
}

impl Pulse {
    fn new(every: Duration, now: Instant) -> Pulse {
        Pulse { every, next: now + every, unanswered_since: None }
    }

    fn beat(&mut self, now: Instant) -> Beat {
        if self.unanswered_since.is_some_and(|since| now >= since + self.every) {
            return Beat::Silent;
        }
        if now < self.next {
            return Beat::Rest;
        }
        self.next = now + self.every;
        self.unanswered_since.get_or_insert(now);
        Beat::Ping
    }

    fn answered(&mut self) {
        self.unanswered_since = None;
    }

    /// The ping could not be sent now.
    fn put_off(&mut self) {
        self.unanswered_since = None;
        self.next -= self.every;
    }
}

fn broken(cause: &axum::Error) -> Ending {
    tracing::debug!(%cause, "a connection broke");
    // What the library says of a frame beyond the largest; it has no other sign for it.
    if cause.to_string().contains("too long") { Ending::TooLarge } else { Ending::Gone }
}

fn count(ending: &Ending) {
    METRICS.live_closed.with_label_values(&[&ending.code().to_string()]).inc();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_that_is_not_answered_in_time_is_silence() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pulse = Pulse::new(Duration::from_secs(30), start);
        assert_eq!([pulse.beat(at(29)), pulse.beat(at(30)), pulse.beat(at(31))], [Beat::Rest, Beat::Ping, Beat::Rest]);
        pulse.put_off();
        assert_eq!(pulse.beat(at(31)), Beat::Ping);
        pulse.answered();
        assert_eq!(
            [pulse.beat(at(61)), pulse.beat(at(90)), pulse.beat(at(91))],
            [Beat::Ping, Beat::Rest, Beat::Silent]
        );
    }
}
