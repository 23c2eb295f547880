//! Plays a history over HTTP, through whatever happens to the services meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ingest::commands::api_keys::created_event;
use ingest::publish::{Outgoing, Publisher};
use ingest::system::System;
use reqwest::Method;
use retrace_server::commands::reprice::Repricing;
use runtime::Settings;
use runtime::auth::{Principal, new_key};
use schemas::{Envelope, ids, topics};
use serde_json::{Value, json};
use uuid::Uuid;

use super::commands::Answers;
use super::history::{History, Request, TENANTS, TRACES, USERS, What};
use crate::harness::{Answer, Client, Retrace};
use crate::reprice::options;

/// One history on its own tenants, users and ids.
pub struct Play<'a> {
    pub history: &'a History,
    pub tenants: [String; TENANTS],
    pub traces: [String; TRACES],
    pub clients: Vec<Client>,
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
        for (n, history) in histories.iter().enumerate() {
            let tenants = ["a", "b"].map(|tenant| format!("h{n}{tenant}-{}", &run[..8]));
            let clients = USERS.map(|(tenant, name)| {
                let key = new_key("rt_").unwrap();
                events.push(key_event(&tenants[tenant], name, &key));
                retrace.client.with_key(&key).patient()
            });
            // One as OpenTelemetry writes it.
            let traces = [Uuid::new_v4().to_string(), Uuid::new_v4().simple().to_string()];
            plays.push(Play { history, tenants, traces, clients: clients.into(), answers: Answers::default() });
        }
        Publisher::new(&retrace.settings).unwrap().append(events).await.unwrap();
        retrace.settled().await;
        plays
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
                let tenant = &self.tenants[USERS[*user].0];
                let (method, path, headers, body) = command.request(tenant);
                let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let (answer, tries) =
                    until_answered(&self.clients[*user], method, &path, &headers, body.as_ref()).await?;
                self.answers.learn(tenant, command, answer.status.as_u16(), &answer.text)?;
                return Ok((Some(answer), tries));
            }
            What::RootCause(refresh) => {
                let body = json!({"traceId": id, "refresh": refresh});
                (Method::POST, "/api/v1/insights/root-cause".to_owned(), Some(body))
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
        let (answer, tries) = until_answered(&self.clients[*user], method, &path, &headers, body.as_ref()).await?;
        Ok((Some(answer), tries))
    }
}

/// As a client that sends again until it is told what came of it.
async fn until_answered(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(Answer, u32), String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    for tries in 1.. {
        let body = body.map(|body| body.to_string().into_bytes());
        let last = match client.try_send(method.clone(), path, headers, body).await {
            // Of the same command, sent twice at once.
            Ok(answer) if answer.text.contains("with this Idempotency-Key is in progress") => answer.text,
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

type Answered = Result<(Option<Answer>, u32), String>;

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
    if let What::Command(_) = request.what {
        // The fold says which.
        let may_be = matches!(answer.status.as_u16(), 200 | 201 | 204 | 404 | 409 | 412);
        return if may_be { Ok(()) } else { Err(format!("{:?} was answered {}", request.what, answer.text)) };
    }
    let right = match request.what {
        What::Post(_) | What::Feedback(..) => 201,
        What::Patch(_) | What::Golden(_) | What::Look | What::Prices(_) | What::Reprice(_) | What::RootCause(_) => 200,
        What::Delete | What::Command(_) => 204,
    };
    let is_deletion = matches!(request.what, What::Delete);
    let may_be_absent = !request.what.writes() && (!known.recorded || known.unsure || (is_deletion && tries > 1));
    let status = answer.status.as_u16();
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
    let envelope = Envelope {
        id: ids::event_id(),
        kind: event.kind().to_owned(),
        source: "/test".to_owned(),
        time: time::OffsetDateTime::now_utc(),
        subject: principal.user,
        tenant: principal.tenant.clone(),
        actor: String::new(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    };
    Outgoing { envelope, event, partition: topics::tenant_partition(&principal.tenant, topics::PARTITIONS) }
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
