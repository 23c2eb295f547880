//! The services' processes, and who starts them again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::Settings;
use rustix::process::Signal;
use tokio::task::JoinHandle;

use crate::harness::{Client, Process, environment, eventually, free_port};

/// As a service manager pauses before it starts a service again.
const RESTART: Duration = Duration::from_millis(300);

struct Service {
    name: &'static str,
    address: String,
    key: String,
    process: Arc<Mutex<Process>>,
    /// What it said at last when it ended without being killed.
    endings: Arc<Mutex<Vec<String>>>,
    keeper: JoinHandle<()>,
}

pub struct Fleet {
    folder: PathBuf,
    services: Vec<Service>,
}

impl Fleet {
    /// `named`: the projectors keep their place in the group over a restart.
    pub async fn start(folder: &Path, settings: &Settings, named: bool) -> Fleet {
        let mut fleet = Fleet { folder: folder.to_owned(), services: Vec::new() };
        let (query_api, ingest) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
        for (name, role) in [
            ("projector-1", "projector"),
            ("projector-2", "projector"),
            ("query-api", "query-api"),
            ("ingest", "ingest"),
        ] {
            let address = match role {
                "query-api" => query_api.clone(),
                "ingest" => ingest.clone(),
                _ => format!("127.0.0.1:{}", free_port()),
            };
            let mut environment = environment(settings);
            environment.push(("RETRACE_LISTEN".to_owned(), address.clone()));
            if role == "ingest" {
                environment.push(("RETRACE_QUERY_URL".to_owned(), format!("http://{query_api}")));
            }
            if role == "query-api" {
                environment.push(("RETRACE_INGEST_URL".to_owned(), format!("http://{ingest}")));
            }
            if role == "projector" && named {
                environment.push(("RETRACE_INSTANCE".to_owned(), name.to_owned()));
            }
            fleet.services.push(Service::start(folder, name, role, address, &settings.bootstrap_api_key, environment));
        }
        fleet.ready().await;
        fleet
    }

    pub fn services(&self) -> usize {
        self.services.len()
    }

    /// SIGKILL; who it was.
    pub fn kill(&mut self, service: usize) -> String {
        let service = &self.services[service];
        service.process.lock().unwrap().signal(Signal::KILL);
        service.name.to_owned()
    }

    /// Waits until all of them say that they are well.
    pub async fn ready(&self) {
        for service in &self.services {
            let client = service.client();
            eventually(service.name, async || {
                client
                    .try_send(reqwest::Method::GET, "/readyz", &[], None)
                    .await
                    .is_ok_and(|answer| answer.status == 200)
            })
            .await;
        }
    }

    fn of(&self, name: &str) -> Client {
        self.services.iter().find(|service| service.name == name).unwrap().client()
    }

    pub fn ingest(&self) -> Client {
        self.of("ingest")
    }

    pub fn query_api(&self) -> Client {
        self.of("query-api")
    }

    pub fn ended_unasked(&self) -> Vec<String> {
        let endings = |service: &Service| {
            let endings = service.endings.lock().unwrap().clone();
            endings.into_iter().map(|ending| format!("{}: {ending}", service.name)).collect::<Vec<_>>()
        };
        self.services.iter().flat_map(endings).collect()
    }

    /// What any of them said of a panic.
    pub fn panics(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.folder).unwrap().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let lines = text.lines().filter(|line| line.contains("panicked"));
            found.extend(lines.map(|line| format!("{}: {line}", entry.path().display())));
        }
        found
    }
}

impl Service {
    fn start(
        folder: &Path,
        name: &'static str,
        role: &'static str,
        address: String,
        key: &str,
        environment: Vec<(String, String)>,
    ) -> Service {
        let folder = folder.to_owned();
        let start = move || Process::start(&folder, name, &[role], &environment);
        let process = Arc::new(Mutex::new(start()));
        let endings = Arc::new(Mutex::new(Vec::new()));
        let (kept, noted) = (Arc::clone(&process), Arc::clone(&endings));
        let keeper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let status = kept.lock().unwrap().status();
                let Some(status) = status else { continue };
                if std::os::unix::process::ExitStatusExt::signal(&status) != Some(9) {
                    let said = kept.lock().unwrap().stderr();
                    noted.lock().unwrap().push(format!("{status}: {}", said.lines().last().unwrap_or_default()));
                }
                tokio::time::sleep(RESTART).await;
                *kept.lock().unwrap() = start();
            }
        });
        Service { name, address, key: key.to_owned(), process, endings, keeper }
    }

    fn client(&self) -> Client {
        Client::new(&format!("http://{}", self.address), &self.key)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Before its process ends with it.
        self.keeper.abort();
        self.process.lock().unwrap().signal(Signal::KILL);
    }
}
