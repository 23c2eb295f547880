//! Plays a history over HTTP, through whatever happens to the services meanwhile.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ingest::commands::api_keys::created_event;
use ingest::publish::{Outgoing, Publisher};
use ingest::system::System;
use reqwest::Method;
use retrace_server::commands::reprice::Repricing;
use runtime::Settings;
use runtime::auth::{Principal, new_key};
use schemas::{Envelope, Event, ids, topics};
use serde_json::json;
use uuid::Uuid;

use super::commands::{Answers, By};
use super::history::{History, Request, TENANTS, TRACES, USERS, What};
use super::plans;
use crate::harness::{Answer, Client, Retrace};
use crate::reprice::options;

/// One history on its own tenants, users and ids.
pub struct Play<'a> {
    pub history: &'a History,
    /// Among those that are played together.
    pub number: usize,
    pub tenants: [String; TENANTS],
    pub traces: [String; TRACES],
    /// Of each user, with the key that he has by now.
    pub clients: Vec<Mutex<Client>>,
    /// Users who have gone over to one.
    pub named_keys: Mutex<BTreeSet<usize>>,
    /// To commands.
    pub answers: Answers,
}

/// What is known of a tenant's trace without looking.
#[derive(Default)]
struct Known {
    /// It was acknowledged.
    recorded: bool,
    /// Its deletion was asked for.
    unsure: bool,
    position: Option<String>,
}

impl<'a> Play<'a> {
    /// Gives each history its users; their keys are in force when this returns.
    pub async fn cast(retrace: &Retrace, histories: &'a [History]) -> Vec<Play<'a>> {
        let run = Uuid::new_v4().simple().to_string();
        let mut events = Vec::new();
        let mut plays = Vec::new();
        for (number, history) in histories.iter().enumerate() {
            let tenants = ["a", "b"].map(|tenant| format!("h{number}{tenant}-{}", &run[..8]));
            let clients = USERS.map(|(tenant, name)| {
                let key = new_key("rt_").unwrap();
                events.push(key_event(&tenants[tenant], name, &key));
                Mutex::new(retrace.client.with_key(&key).patient())
            });
            // One as OpenTelemetry writes it.
            let traces = [Uuid::new_v4().to_string(), Uuid::new_v4().simple().to_string()];
            let (named_keys, answers) = (Mutex::default(), Answers::default());
            plays.push(Play { history, number, tenants, traces, clients: clients.into(), named_keys, answers });
        }
        Publisher::new(&retrace.settings).unwrap().append(events).await.unwrap();
        retrace.settled().await;
        plays
    }

    pub fn client(&self, user: usize) -> Client {
        self.clients[user].lock().unwrap().clone()
    }

    /// Counts the requests it has sent. The error is an answer that no state of the log explains.
    pub async fn run(&self, settings: &Settings, sent: &AtomicUsize) -> Result<(), String> {
        let mut known: [[Known; TRACES]; TENANTS] = Default::default();
        for (at, step) in self.history.0.iter().enumerate() {
            for request in step.iter().filter(|_| step.len() > 1) {
                // The other request may come after it.
                known[USERS[request.user].0][request.trace].unsure |= matches!(request.what, What::Delete);
            }
            let answers = futures::future::join_all(step.iter().map(|request| async {
                let known = &known[USERS[request.user].0][request.trace];
                self.send(settings, request, known).await
            }))
            .await;
            sent.fetch_add(step.len(), Ordering::Relaxed);
            for (request, answer) in step.iter().zip(&answers) {
                let (answer, tries) = answer.as_ref().map_err(Clone::clone)?;
                let known = &known[USERS[request.user].0][request.trace];
                expected(request, known, answer.as_ref(), *tries).map_err(|text| format!("step {at}: {text}"))?;
            }
            for (request, answer) in step.iter().zip(&answers) {
                known[USERS[request.user].0][request.trace].learn(request, answer);
            }
        }
        Ok(())
    }

    async fn send(&self, settings: &Settings, Request { user, trace, what }: &Request, known: &Known) -> Answered {
        let id = &self.traces[*trace];
        let path = format!("/api/v1/traces/{id}");
        let (method, path, body) = match what {
            What::Post(body) => {
                let mut body = body.clone();
                body["id"] = json!(id.to_uppercase());
                (Method::POST, "/api/v1/traces".to_owned(), Some(body))
            }
            What::Patch(body) => (Method::PATCH, path, Some(body.clone())),
            What::Delete => (Method::DELETE, path, None),
            What::Golden(golden) => (Method::POST, format!("{path}/golden"), Some(json!({"golden": golden}))),
            What::Feedback(value, note) => {
                (Method::POST, format!("{path}/feedback"), Some(json!({"value": value, "note": note})))
            }
            What::Look => (Method::GET, path, None),
            What::Command(command) => {
                let (tenant, name) = USERS[*user];
                let by = By { tenant: &self.tenants[tenant], user: name, traces: &self.traces };
                let sent = command.sent(by);
                let headers: Vec<(&str, &str)> =
                    sent.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let (answer, tries) =
                    self.until_answered(*user, sent.method, &sent.path, &headers, sent.body.as_deref()).await?;
                let is_first = self.answers.learn(by, command, &answer)?;
                let is_there = known.recorded && !known.unsure;
                if is_first && is_there && answer.status == 404 && answer.text.contains("Trace not found") {
                    return Err(format!("{what:?} of a trace that is there was answered {}", answer.text));
                }
                return Ok((Some(answer), tries));
            }
            What::CurrentKey(is_made) => return self.change_current_key(*user, *is_made).await,
            What::RootCause(refresh) => {
                let body = json!({"traceId": id, "refresh": refresh});
                (Method::POST, "/api/v1/insights/root-cause".to_owned(), Some(body))
            }
            What::Plan(said) => {
                plans::say(settings, &self.tenants[USERS[*user].0], said).await?;
                return Ok((None, 1));
            }
            What::Prices(price) | What::Reprice(price) => {
                let tenant = &self.tenants[USERS[*user].0];
                publish_prices(settings, tenant, *price).await?;
                if matches!(what, What::Reprice(_)) {
                    reprice(settings, tenant).await.map_err(|cause| format!("{cause:#}"))?;
                }
                return Ok((None, 1));
            }
        };
        let position = matches!(what, What::Look).then(|| known.position.clone()).flatten();
        let headers: Vec<(&str, &str)> =
            position.iter().map(|position| ("x-retrace-after", position.as_str())).collect();
        let body = body.map(|body| body.to_string());
        let (answer, tries) = self.until_answered(*user, method, &path, &headers, body.as_deref()).await?;
        Ok((Some(answer), tries))
    }

    /// As a client that sends again until it is told what came of it.
    pub async fn until_answered(
        &self,
        user: usize,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<(Answer, u32), String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        for tries in 1.. {
            let client = self.client(user);
            let sent = body.map(|body| body.as_bytes().to_vec());
            let last = match client.try_send(method.clone(), path, headers, sent).await {
                // Of the same command, sent twice at once.
                Ok(answer) if answer.text.contains("with this Idempotency-Key is in progress") => answer.text,
                // The key was replaced meanwhile, by what he does at the same time.
                Ok(answer) if answer.status == 401 && self.client(user).key != client.key => answer.text,
                Ok(answer) if answer.status != 503 => return Ok((answer, tries)),
                Ok(answer) => answer.text,
                Err(cause) => format!("{cause:?}"),
            };
            if Instant::now() > deadline {
                return Err(format!("{method} {path} had no answer within a minute: {last}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("the deadline ends the loop")
    }
}

pub type Answered = Result<(Option<Answer>, u32), String>;

impl Known {
    fn learn(&mut self, request: &Request, answer: &Answered) {
        self.unsure |= matches!(request.what, What::Delete);
        self.recorded |= request.what.writes();
        let Ok((Some(answer), _)) = answer else { return };
        if let Some(position) = answer.headers.get("x-retrace-position") {
            self.position = Some(position.to_str().unwrap().to_owned());
        }
    }
}

/// Whether the answer is one that the request can have.
fn expected(request: &Request, known: &Known, answer: Option<&Answer>, tries: u32) -> Result<(), String> {
    let Some(answer) = answer else { return Ok(()) };
    let is_deletion = matches!(request.what, What::Delete);
    let may_be_absent = !request.what.writes() && (!known.recorded || known.unsure || (is_deletion && tries > 1));
    let status = answer.status.as_u16();
    let right = match &request.what {
        // The fold says which.
        What::Command(_) if matches!(status, 200 | 201 | 204 | 403 | 404 | 409 | 412) => status,
        // A snapshot of a trace that says more than an item may.
        What::Command(_) if status == 400 && answer.text.contains(" is longer than ") => status,
        What::CurrentKey(false) if status == 404 => status,
        What::Post(_) | What::Feedback(..) | What::CurrentKey(true) => 201,
        What::Patch(_) | What::Golden(_) | What::Look | What::RootCause(_) => 200,
        What::Prices(_) | What::Reprice(_) | What::Plan(_) => 200,
        What::Delete | What::Command(_) | What::CurrentKey(false) => 204,
    };
    let has_not_failed = matches!(request.what, What::RootCause(_)) && answer.text.contains("the trace has not failed");
    if status == right || (status == 404 && may_be_absent) || (status == 400 && has_not_failed) {
        return Ok(());
    }
    Err(format!("{:?} was answered {status}: {}", request.what, answer.text))
}

fn key_event(tenant: &str, user: &str, key: &str) -> Outgoing {
    let (tenant, user) = (tenant.to_owned(), user.to_owned());
    let principal = Principal { org: Some(tenant.clone()), tenant, user, role: "member".to_owned(), key: None };
    let event = created_event(&principal, key, "rt_");
    outgoing(&principal.tenant, &principal.user, ids::event_id(), event)
}

/// An event of the workspace that no client asks for.
pub fn outgoing(tenant: &str, subject: &str, id: Uuid, event: Event) -> Outgoing {
    let envelope = Envelope {
        id,
        kind: event.kind().to_owned(),
        source: "/test".to_owned(),
        time: time::OffsetDateTime::now_utc(),
        subject: subject.to_owned(),
        tenant: tenant.to_owned(),
        actor: String::new(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    };
    Outgoing { envelope, event, partition: topics::tenant_partition(tenant, topics::PARTITIONS) }
}

/// A table of one model; two prices make two tables.
async fn publish_prices(settings: &Settings, tenant: &str, price: u8) -> Result<(), String> {
    let table = json!({"version": "1", "currency": "USD", "unit": "million tokens", "models": [{
        "provider": "test", "model": "a model of nobody",
        "prices": [{"valid_from": null, "valid_to": null, "source": "test", "input": format!("0.{price}"), "output": "3"}]
    }]});
    let pool = runtime::postgres::pool(settings).unwrap();
    let system = System { settings, pool: &pool };
    system.publish_prices(&table.to_string(), tenant).await.map(drop).map_err(|cause| format!("{cause:#}"))
}

/// As the command does it, whatever happens to the services meanwhile.
async fn reprice(settings: &Settings, tenant: &str) -> anyhow::Result<()> {
    let repricing = Repricing::start(settings, options(&["--tenant", tenant, "--rate", "100000", "--yes"])).await?;
    repricing.append().await.map(drop)
}
