//! Who makes the traffic: projects, their agents, and what each of them is like.

use crate::clock::HOUR;
use crate::domains::{DOMAINS, Domain};
use crate::models::{self, Model};
use crate::random::{Random, mix, zipf};
use crate::{Purpose, Shape};

#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) projects: Vec<Project>,
}

#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: String,
    /// Share of the traffic, relative to others.
    pub(crate) weight: f64,
    /// Microseconds that the local time is ahead of UTC.
    pub(crate) east: i64,
    /// What is left of the traffic on Saturdays and Sundays.
    pub(crate) weekend: f64,
    pub(crate) users: usize,
    /// The most used first.
    pub(crate) agents: Vec<Agent>,
    /// Cumulative weights of the agents.
    pub(crate) shares: Vec<f64>,
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) domain: &'static Domain,
    pub(crate) model: &'static Model,
    /// For small questions on the way.
    pub(crate) small: &'static Model,
    /// Median number of turns.
    pub(crate) turns: f64,
    /// Median tokens of the first call's input.
    pub(crate) context: f64,
    pub(crate) answer: f64,
    pub(crate) failure_rate: f64,
    /// Its client also records what tools return as spans of their own.
    pub(crate) tool_results: bool,
}

const PROJECTS: &[&str] = &[
    "support-desk",
    "sales-copilot",
    "code-review",
    "research-lab",
    "finance-ops",
    "travel-planner",
    "hr-helper",
    "data-quality",
    "legal-intake",
    "incident-room",
    "marketing-studio",
    "store-assistant",
    "claims-desk",
    "dev-portal",
    "tutoring",
    "field-service",
    "procurement",
    "news-desk",
    "clinic-intake",
    "logistics",
];
const OBJECTS: &[&str] = &[
    "ticket",
    "refund",
    "order",
    "invoice",
    "contract",
    "lead",
    "release",
    "incident",
    "report",
    "booking",
    "survey",
    "claim",
    "shipment",
    "profile",
    "catalogue",
    "payment",
    "schedule",
    "document",
    "campaign",
    "query",
];
const ROLES: &[&str] = &[
    "agent",
    "triage",
    "summariser",
    "router",
    "extractor",
    "reviewer",
    "planner",
    "writer",
    "checker",
    "analyst",
    "translator",
    "classifier",
    "researcher",
    "scheduler",
    "responder",
];
const ZONES: &[f64] = &[-5.0, 1.0, -8.0, 0.0, 5.5, 9.0, 2.0, -3.0];

impl Cast {
    pub(crate) fn new(shape: &Shape) -> Cast {
        let count = shape.projects.max(1);
        let mut projects: Vec<Project> = (0..count).map(|place| project(shape.seed, place)).collect();
        let models = &models::all()[..shape.models.clamp(1, models::all().len())];
        // Everybody has an agent, whatever was asked for.
        for place in 0..shape.names.max(count) {
            projects[place % count].agents.push(agent(shape.seed, place, models));
        }
        for project in &mut projects {
            project.shares = zipf(project.agents.len());
        }
        Cast { projects }
    }
}

fn project(seed: u64, place: usize) -> Project {
    let mut random = Random::new(mix(seed, Purpose::Projects as u64), place as u64);
    Project {
        id: numbered(PROJECTS[place % PROJECTS.len()].to_owned(), place / PROJECTS.len()),
        weight: 1.0 / (place + 1) as f64,
        east: (ZONES[place % ZONES.len()] * HOUR as f64) as i64,
        weekend: random.between(0.2, 0.7),
        users: 20 + random.below(280),
        agents: Vec::new(),
        shares: Vec::new(),
    }
}

fn agent(seed: u64, place: usize, models: &'static [Model]) -> Agent {
    let mut random = Random::new(mix(seed, Purpose::Agents as u64), place as u64);
    // Neighbours differ in both words, and all pairs come up before one comes again.
    let pairs = OBJECTS.len() * ROLES.len();
    let (object, round) = (place % OBJECTS.len(), place / OBJECTS.len());
    let role = (object + round) % ROLES.len();
    let small = random.weighted(&zipf(models.len()));
    Agent {
        name: numbered(format!("{}-{}", OBJECTS[object], ROLES[role]), place / pairs),
        domain: &DOMAINS[place % DOMAINS.len()],
        // Each model is somebody's.
        model: &models[place % models.len()],
        small: &models[small],
        turns: random.between(1.6, 4.0),
        context: random.lognormal(1_100.0, 0.5),
        answer: random.lognormal(160.0, 0.4),
        failure_rate: random.between(0.015, 0.045),
        tool_results: random.chance(0.3),
    }
}

fn numbered(name: String, round: usize) -> String {
    if round == 0 { name } else { format!("{name}-{}", round + 1) }
}
