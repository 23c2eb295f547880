//! What an agent does when all goes well: models' steps, tools, parsers, wrappers and parallel branches.

use super::random::Random;

#[derive(Clone, Debug)]
pub enum Plan {
    Model,
    Tool(String),
    Parser,
    Wrapper(String, Vec<Plan>),
    Parallel(Vec<Vec<Plan>>),
}

const TOOLS: [&str; 14] = [
    "search_web",
    "fetch_page",
    "run_query",
    "read_file",
    "send_email",
    "get_weather",
    "book_flight",
    "execute_code",
    "lookup_customer",
    "vector_search",
    "translate",
    "create_ticket",
    "calculator",
    "geocode",
];

/// What is alike in all runs of an agent.
pub struct Agent {
    pub name: String,
    pub model: &'static str,
    pub plan: Vec<Plan>,
    /// How its wrappers tell of what failed in them.
    pub telling: Telling,
    pub records_input: bool,
    pub records_output: bool,
    /// Steps take from so many milliseconds.
    pub pace: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    Same,
    Named,
    Generic,
    Cut,
    /// Only the trace says that it failed.
    Silent,
}

impl Agent {
    pub fn random(random: &mut Random) -> Agent {
        let mut tools = TOOLS.to_vec();
        random.shuffle(&mut tools);
        let mut plan = Vec::new();
        for _ in 0..2 + random.below(3) {
            stretch(random, &mut tools, &mut plan, 0);
        }
        plan.push(Plan::Model);
        if random.chance(0.4) {
            plan.push(Plan::Parser);
        }
        const TELLING: [Telling; 5] = [Telling::Same, Telling::Named, Telling::Generic, Telling::Cut, Telling::Silent];
        Agent {
            name: format!("{}-agent", random.pick(&["research", "support", "travel", "billing"])),
            model: random.pick(&["gpt-4o", "claude-sonnet-4", "gemini-2.5-pro", "mistral-large"]),
            plan,
            telling: TELLING[random.below(5)],
            records_input: random.chance(0.85),
            records_output: random.chance(0.85),
            pace: random.between(50, 2000),
        }
    }
}

fn stretch(random: &mut Random, tools: &mut Vec<&str>, plan: &mut Vec<Plan>, depth: usize) {
    let Some(tool) = tools.pop() else { return };
    let tool = Plan::Tool(tool.to_owned());
    match random.below(if depth > 1 { 2 } else { 5 }) {
        0 | 1 => plan.extend([Plan::Model, tool]),
        2 => plan.push(Plan::Wrapper(format!("step_{}", tools.len()), vec![Plan::Model, tool])),
        3 => {
            let mut inner = vec![Plan::Model, tool];
            stretch(random, tools, &mut inner, depth + 1);
            inner.push(Plan::Model);
            plan.push(Plan::Wrapper(format!("sub_agent_{}", tools.len()), inner));
        }
        _ => {
            let mut branches = vec![vec![tool]];
            for _ in 0..1 + random.below(4) {
                let mut branch = Vec::new();
                match tools.pop() {
                    Some(tool) if random.chance(0.5) => branch.push(Plan::Tool(tool.to_owned())),
                    Some(tool) => branch.extend([Plan::Model, Plan::Tool(tool.to_owned()), Plan::Model]),
                    None => branch.push(Plan::Model),
                }
                branches.push(branch);
            }
            plan.extend([Plan::Model, Plan::Parallel(branches)]);
        }
    }
}

/// A step without parts, in the order of a plan.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub what: What,
    /// Steps before it in the same sequence.
    pub before: usize,
    pub after: usize,
    /// The kind of the step before it in the same sequence.
    pub follows_model: bool,
    pub parallel: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Model,
    Tool(String),
    Parser,
}

pub fn leaves(plan: &[Plan]) -> Vec<Leaf> {
    let mut found = Vec::new();
    gather(plan, false, &mut found);
    found
}

fn gather(plan: &[Plan], parallel: bool, found: &mut Vec<Leaf>) {
    for (place, step) in plan.iter().enumerate() {
        let what = match step {
            Plan::Model => What::Model,
            Plan::Tool(name) => What::Tool(name.clone()),
            Plan::Parser => What::Parser,
            Plan::Wrapper(_, inner) => {
                gather(inner, parallel, found);
                continue;
            }
            Plan::Parallel(branches) => {
                branches.iter().for_each(|branch| gather(branch, true, found));
                continue;
            }
        };
        let follows_model = place > 0 && matches!(plan[place - 1], Plan::Model);
        found.push(Leaf { what, before: place, after: plan.len() - 1 - place, follows_model, parallel });
    }
}
