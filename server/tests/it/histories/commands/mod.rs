//! Commands on the workspace: what each is answered is its outcome in the fold, and what is read is what the fold has.
//!
//! [`names`] is how a command is written before it is known who sends it about which trace, [`answers`] what came of it,
//! [`compared`] how what is read is held against the fold; beside them there is a file a noun.

mod answers;
mod api_keys;
mod assignments;
mod comments;
mod compared;
mod datasets;
mod members;
mod memory;
mod names;
mod notifications;
mod prompts;
mod skills;

use reqwest::Method;
use schemas::{ids, sealing};
use serde_json::Value;
use uuid::Uuid;

pub use answers::{Answers, Counts};
pub use compared::Compared;
pub use names::By;
use names::{Creation, Part, derived};

use crate::harness::Random;

/// Of each noun; both tenants have some of the same names.
const RESOURCES: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    Skills,
    Prompts,
    Memory,
    Datasets,
    Comments,
    Assignments,
    ApiKeys,
}

const NOUNS: [Noun; 7] =
    [Noun::Skills, Noun::Prompts, Noun::Memory, Noun::Datasets, Noun::Comments, Noun::Assignments, Noun::ApiKeys];

#[derive(Clone, Debug)]
enum Body {
    Json(Value),
    /// A file of JSON lines.
    Lines(Vec<Value>),
}

#[derive(Clone, Debug)]
pub struct Command {
    /// Of the Idempotency-Key: sent again it is the same command.
    key: String,
    /// `POST /skills/{id}/restore`
    route: &'static str,
    /// What stands for the `{…}` of the route.
    parts: Vec<Part>,
    /// A parameter that has to be one or the other.
    flag: Option<(&'static str, bool)>,
    if_match: Option<i64>,
    body: Option<Body>,
    /// What ingest puts between parts, flag and body to hash them.
    joint: &'static str,
    /// Whose it is is hashed before them.
    is_personal: bool,
    /// Something is read before anything is appended, which may refuse it, and may say another thing when a lost answer makes
    /// the client send it again.
    reads: bool,
}

/// As it goes over the wire.
pub struct Sent {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

impl Noun {
    pub fn draw(random: &mut Random) -> Noun {
        *random.pick(&NOUNS)
    }

    pub fn command(self, random: &mut Random) -> Command {
        match self {
            Noun::Skills => skills::draw(random),
            Noun::Prompts => prompts::draw(random),
            Noun::Memory => memory::draw(random),
            Noun::Datasets => datasets::draw(random),
            Noun::Comments => comments::draw(random),
            Noun::Assignments => assignments::draw(random),
            Noun::ApiKeys => api_keys::draw(random),
        }
    }

    /// Its commands need a trace, or can do with one.
    pub fn is_about_traces(self) -> bool {
        matches!(self, Noun::Datasets | Noun::Comments | Noun::Assignments)
    }

    /// What most others are about.
    pub fn first(self) -> Command {
        match self {
            Noun::Skills => skills::creation(0).into(),
            Noun::Prompts => prompts::creation(0).into(),
            Noun::Memory => memory::creation(0).into(),
            Noun::Datasets => datasets::creation(0).into(),
            Noun::Comments => comments::creation(0).into(),
            Noun::Assignments => assignments::creation(0).into(),
            Noun::ApiKeys => api_keys::creation(0).into(),
        }
    }
}

impl From<Creation> for Command {
    fn from(Creation { route, key, within, body }: Creation) -> Command {
        let parts = within.into_iter().map(|whole| Part::Of(*whole)).collect();
        let reads = names::trace(&body).is_some();
        Command { key, parts, reads, body: Some(Body::Json(body)), ..Command::new(route) }
    }
}

impl Command {
    fn new(route: &'static str) -> Command {
        Command {
            key: String::new(),
            route,
            parts: Vec::new(),
            flag: None,
            if_match: None,
            body: None,
            joint: "",
            is_personal: false,
            reads: false,
        }
    }

    fn about(random: &mut Random, creation: Creation, route: &'static str) -> Command {
        let key = random.next().to_string();
        Command { key, parts: vec![Part::Of(creation)], ..Command::new(route) }
    }

    /// The trace that has to be there.
    pub fn trace(&self) -> Option<usize> {
        let Some(Body::Json(body)) = &self.body else { return None };
        names::trace(body)
    }

    pub fn sent(&self, by: By<'_>) -> Sent {
        let (method, path) = self.route.split_once(' ').unwrap();
        let mut values = self.parts.iter().map(|part| part.text(by));
        let segment = |segment: &str| match segment.starts_with('{') {
            true => values.next().unwrap(),
            false => segment.to_owned(),
        };
        let path: Vec<String> = path.split('/').map(segment).collect();
        let query = self.flag.map(|(name, value)| format!("?{name}={value}")).unwrap_or_default();
        let mut headers = vec![("idempotency-key", self.key.clone())];
        headers.extend(self.if_match.map(|version| ("if-match", format!("\"{version}\""))));
        if let Some(Body::Lines(_)) = self.body {
            headers.push(("content-type", "application/x-ndjson".to_owned()));
        }
        Sent {
            method: method.parse().unwrap(),
            path: format!("/api/v1{}{query}", path.join("/")),
            headers,
            body: self.body.as_ref().map(|body| body.text(by)),
        }
    }

    fn event(&self, by: By<'_>) -> Uuid {
        let mut asked: Vec<String> = self.is_personal.then(|| by.user.to_owned()).into_iter().collect();
        asked.extend(self.parts.iter().map(|part| part.text(by)));
        asked.extend(self.flag.map(|(_, value)| value.to_string()));
        asked.extend(self.body.as_ref().map(|body| body.asked(by)));
        ids::derived(derived(by.tenant, self.route, &self.key, &asked.join(self.joint)), "command")
    }
}

impl Body {
    fn text(&self, by: By<'_>) -> String {
        match self {
            Body::Json(body) => by.resolved(body),
            Body::Lines(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
        }
    }

    /// A file by its hash.
    fn asked(&self, by: By<'_>) -> String {
        match self {
            Body::Json(_) => self.text(by),
            Body::Lines(_) => format!("Json{}", sealing::hex(&sealing::sha256(self.text(by).as_bytes()))),
        }
    }
}

/// What REST says of a tenant's resources, beside the fold.
pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    skills::compare(of, random).await?;
    prompts::compare(of, random).await?;
    memory::compare(of, random).await?;
    datasets::compare(of, random).await?;
    comments::compare(of, random).await?;
    assignments::compare(of, random).await?;
    notifications::compare(of, random).await?;
    api_keys::compare(of, random).await?;
    members::compare(of, random).await
}
