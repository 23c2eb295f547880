//! Made-up runs of agents: a root, in it rounds of calls of a model and of tools, some of which are agents themselves.

use retrace_insights::diff::{Content, Run, Step};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

#[derive(Clone)]
pub struct Node {
    /// Which step of the first run it is.
    pub origin: Option<usize>,
    pub kind: &'static str,
    pub name: String,
    pub input: Option<String>,
    pub output: Option<String>,
    pub children: Vec<Node>,
}

/// A root and the rounds in it.
#[derive(Clone)]
pub struct Tree {
    pub root: Node,
    pub rounds: Vec<Vec<Node>>,
}

const TOOLS: [&str; 6] = ["search", "fetch", "calculator", "read_file", "write_file", "now"];
const WORDS: usize = 300;

pub fn words(random: &mut Random, least: usize, most: usize) -> Vec<String> {
    (0..random.between(least, most)).map(|_| format!("word{}", random.below(WORDS))).collect()
}

pub fn sentence(random: &mut Random) -> String {
    format!("{:?}", words(random, 3, 30).join(" "))
}

pub fn call(random: &mut Random) -> Node {
    let (kind, name) = match random.below(10) {
        0..=2 => ("llm_call", "chat"),
        3 => ("reasoning", "think"),
        _ => ("tool_call", random.pick(&TOOLS)),
    };
    // Some are recorded without what they were given, or without what came of it.
    let input = (!random.chance(10)).then(|| sentence(random));
    let output = (!random.chance(15)).then(|| sentence(random));
    Node { origin: None, kind, name: name.to_owned(), input, output, children: Vec::new() }
}

/// One that waits for something is as the one before it.
fn poll() -> Vec<Node> {
    let output = Some("{\"state\":\"pending\"}".to_owned());
    let input = Some("{}".to_owned());
    vec![Node { origin: None, kind: "tool_call", name: "status".to_owned(), input, output, children: Vec::new() }]
}

pub fn round(random: &mut Random) -> Vec<Node> {
    if random.chance(10) {
        return poll();
    }
    let mut chat = call(random);
    (chat.kind, chat.name) = ("llm_call", "chat".to_owned());
    let mut nodes = vec![chat];
    nodes.extend((0..random.between(1, 3)).map(|_| call(random)));
    if random.chance(20) {
        let mut agent = call(random);
        (agent.kind, agent.name) = ("action", "helper".to_owned());
        agent.children = (0..random.between(1, 4)).map(|_| call(random)).collect();
        nodes.push(agent);
    }
    nodes
}

impl Tree {
    pub fn new(random: &mut Random, rounds: usize) -> Tree {
        let mut root = call(random);
        (root.kind, root.name) = ("action", "agent".to_owned());
        let mut tree = Tree { root, rounds: (0..rounds).map(|_| round(random)).collect() };
        let mut number = 0;
        tree.each_mut(&mut |node| {
            node.origin = Some(number);
            number += 1;
        });
        tree
    }

    /// Every text begins with the same words, as those with a system prompt do.
    pub fn preface(&mut self, preface: &str) {
        self.each_mut(&mut |node| {
            for text in [&mut node.input, &mut node.output].into_iter().flatten() {
                text.insert_str(1, preface);
            }
        });
    }

    pub fn each_mut(&mut self, each: &mut impl FnMut(&mut Node)) {
        fn below(node: &mut Node, each: &mut impl FnMut(&mut Node)) {
            each(node);
            node.children.iter_mut().for_each(|child| below(child, each));
        }
        below(&mut self.root, each);
        self.rounds.iter_mut().flatten().for_each(|node| below(node, each));
    }

    /// As it is recorded, with the origin of each step and what tells it from others.
    pub fn record(&self, ids: &str) -> Recorded {
        let mut recorded = Recorded { steps: Vec::new(), origins: Vec::new(), classes: Vec::new() };
        recorded.add(ids, None, "", &self.root);
        for node in self.rounds.iter().flatten() {
            recorded.add(ids, Some(0), "agent", node);
        }
        recorded
    }
}

pub struct Recorded {
    steps: Vec<Step>,
    pub origins: Vec<Option<usize>>,
    /// Steps of one class are the same.
    pub classes: Vec<String>,
}

impl Recorded {
    fn add(&mut self, ids: &str, parent: Option<usize>, path: &str, node: &Node) {
        let number = self.steps.len();
        self.steps.push(Step {
            id: format!("{ids}{number}"),
            parent_id: parent.map(|parent| format!("{ids}{parent}")),
            span_type: node.kind.to_owned(),
            name: node.name.clone(),
            input: node.input.as_deref().map(Content::json),
            output: node.output.as_deref().map(Content::json),
            ..Step::default()
        });
        self.origins.push(node.origin);
        self.classes.push(format!("{path} {} {} {:?} {:?}", node.kind, node.name, node.input, node.output));
        let path = format!("{path}/{}", node.name);
        node.children.iter().for_each(|child| self.add(ids, Some(number), &path, child));
    }

    pub fn run(&self) -> Run {
        Run::new(self.steps.clone())
    }
}
