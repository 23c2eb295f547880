//! What is done to a run to make the second of a pair. Two edits are never in the same round or in neighbouring ones: to put a
//! step where one of its name was taken away is to change it.

use crate::world::{Node, Random, Tree, call, round, sentence, words};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit {
    Insert,
    Remove,
    Change,
    Reorder,
    Unroll,
}

impl Edit {
    pub const ALL: [Edit; 5] = [Edit::Insert, Edit::Remove, Edit::Change, Edit::Reorder, Edit::Unroll];

    /// Of the round with this number.
    pub fn make(self, random: &mut Random, tree: &mut Tree, at: usize) {
        let nodes = &mut tree.rounds[at];
        match self {
            Edit::Insert if random.chance(30) => tree.rounds.insert(at, round(random)),
            Edit::Insert => {
                let place = random.between(0, nodes.len());
                nodes.insert(place, call(random));
            }
            Edit::Remove if random.chance(30) => nodes.clear(),
            Edit::Remove => {
                let place = random.below(nodes.len());
                nodes.remove(place);
            }
            Edit::Change => {
                let place = random.below(nodes.len());
                change(random, &mut nodes[place]);
            }
            Edit::Reorder => reorder(random, tree, at),
            Edit::Unroll => unroll(random, tree, at),
        }
    }
}

/// Something of it stays: else it would be another.
fn change(random: &mut Random, node: &mut Node) {
    if let Some(child) = (!node.children.is_empty() && random.chance(50)).then(|| random.below(node.children.len())) {
        return change(random, &mut node.children[child]);
    }
    match random.below(4) {
        0 => node.input = Some(sentence(random)),
        1 => node.output = Some(sentence(random)),
        2 if node.input.is_some() && node.output.is_some() => node.name.push_str("_v2"),
        _ => {
            for text in [&mut node.input, &mut node.output].into_iter().flatten() {
                *text = reworded(random, text);
            }
        }
    }
}

/// What a model says is never quite what it said before.
pub fn noise(random: &mut Random, tree: &mut Tree) {
    tree.each_mut(&mut |node| {
        if let Some(output) = node.output.as_mut().filter(|_| random.chance(60)) {
            *output = reworded(random, output);
        }
    });
}

/// Up to half of the words are others.
fn reworded(random: &mut Random, text: &str) -> String {
    let mut kept: Vec<String> = text.trim_matches('"').split(' ').map(str::to_owned).collect();
    for _ in 0..random.between(1, kept.len().div_ceil(2)) {
        let place = random.below(kept.len());
        kept[place] = words(random, 1, 1).remove(0);
    }
    format!("{:?}", kept.join(" "))
}

/// Two calls of the round change places, or one goes to the end of another round.
fn reorder(random: &mut Random, tree: &mut Tree, at: usize) {
    let nodes = &mut tree.rounds[at];
    if nodes.len() >= 2 && random.chance(60) {
        let (one, other) = (random.below(nodes.len()), random.below(nodes.len()));
        nodes.swap(one, other);
        return;
    }
    let place = random.below(nodes.len());
    let node = nodes.remove(place);
    let to = (at + 1).min(tree.rounds.len() - 1);
    tree.rounds[to].push(node);
}

/// The round goes around again, with what comes of that.
fn unroll(random: &mut Random, tree: &mut Tree, at: usize) {
    for _ in 0..random.between(1, 3) {
        let mut again = tree.rounds[at].clone();
        again.iter_mut().for_each(|node| renew(random, node));
        tree.rounds.insert(at + 1, again);
    }
}

fn renew(random: &mut Random, node: &mut Node) {
    node.origin = None;
    let is_alike = random.chance(30);
    for text in [&mut node.input, &mut node.output].into_iter().flatten() {
        *text = if is_alike { reworded(random, text) } else { sentence(random) };
    }
    node.children.iter_mut().for_each(|child| renew(random, child));
}
