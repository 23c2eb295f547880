//! Two runs, step by step.

use super::align::{CELLS, Op, align};
use super::content::same;
use super::loops::repeated;
use super::run::Run;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Same,
    Changed,
    Added,
    Removed,
}

/// What of a step differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Name,
    /// It is in another step.
    Parent,
    Model,
    Input,
    Error,
    Output,
}

/// A step of either run, by its number in each that has it.
#[derive(Clone, Debug)]
pub struct Pair {
    pub a: Option<usize>,
    pub b: Option<usize>,
    pub status: Status,
    /// Of one that has changed.
    pub differs: Vec<Part>,
    /// It stands elsewhere among the others.
    pub moved: bool,
    /// Only one run has it: it goes around a loop once more.
    pub repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Of the pair.
    pub index: usize,
    pub reason: &'static str,
}

#[derive(Clone, Debug)]
pub struct Comparison {
    pub pairs: Vec<Pair>,
    pub first_divergence: Option<Divergence>,
}

/// In a time that is bounded by the number of steps: see [`align`].
pub fn compare(a: &Run, b: &Run) -> Comparison {
    let pairs = pairs(a, b, CELLS);
    let first_divergence = first_divergence(a, b, &pairs);
    Comparison { pairs, first_divergence }
}

pub(super) fn pairs(a: &Run, b: &Run, cells: usize) -> Vec<Pair> {
    let ops = align(a, b, cells);
    let mut partners = vec![None; a.len()];
    for op in &ops {
        if let Op::Pair(i, j) | Op::Moved(i, j) = op {
            partners[*i] = Some(*j);
        }
    }
    let mut only_a = Rounds::of(a, ops.iter().filter_map(|op| if let Op::Removed(i) = op { Some(*i) } else { None }));
    let mut only_b = Rounds::of(b, ops.iter().filter_map(|op| if let Op::Added(j) = op { Some(*j) } else { None }));
    let one_sided = |status, a, b, repeated| Pair { a, b, status, differs: Vec::new(), moved: false, repeated };
    let of_op = |op| match op {
        Op::Pair(i, j) => both(a, i, b, j, &partners, false),
        Op::Moved(i, j) => both(a, i, b, j, &partners, true),
        Op::Removed(i) => one_sided(Status::Removed, Some(i), None, only_a.next()),
        Op::Added(j) => one_sided(Status::Added, None, Some(j), only_b.next()),
    };
    ops.into_iter().map(of_op).collect()
}

/// Of the steps that one run alone has, in order, whether they are rounds.
struct Rounds(std::vec::IntoIter<bool>);

impl Rounds {
    fn of(run: &Run, steps: impl Iterator<Item = usize>) -> Rounds {
        Rounds(repeated(run, &steps.collect::<Vec<_>>()).into_iter())
    }

    fn next(&mut self) -> bool {
        self.0.next().unwrap_or_default()
    }
}

fn both(a: &Run, i: usize, b: &Run, j: usize, partners: &[Option<usize>], moved: bool) -> Pair {
    let (one, other) = (&a.steps[i], &b.steps[j]);
    let differs = [
        (one.name != other.name, Part::Name),
        (a.parents[i].map(|parent| partners[parent]) != b.parents[j].map(Some), Part::Parent),
        (one.model != other.model, Part::Model),
        (!same(&one.input, &other.input), Part::Input),
        (!same(&one.error, &other.error), Part::Error),
        (!same(&one.output, &other.output), Part::Output),
    ];
    let differs: Vec<Part> = differs.into_iter().filter_map(|(is_so, part)| is_so.then_some(part)).collect();
    let status = if differs.is_empty() { Status::Same } else { Status::Changed };
    Pair { a: Some(i), b: Some(j), status, differs, moved, repeated: false }
}

/// The first step that differs for itself: what a step makes in the end differs with what is done in it.
fn first_divergence(a: &Run, b: &Run, pairs: &[Pair]) -> Option<Divergence> {
    let differing = || pairs.iter().enumerate().filter(|(_, pair)| pair.status != Status::Same || pair.moved);
    let within_a = around(a, differing().filter_map(|(_, pair)| pair.a));
    let within_b = around(b, differing().filter_map(|(_, pair)| pair.b));
    let follows = |pair: &Pair| {
        let holds = pair.a.is_some_and(|i| within_a[i]) || pair.b.is_some_and(|j| within_b[j]);
        let is_result = pair.differs.iter().all(|part| matches!(part, Part::Output | Part::Error));
        holds && is_result && pair.status == Status::Changed && !pair.moved
    };
    let (index, pair) = differing().find(|(_, pair)| !follows(pair)).or_else(|| differing().next())?;
    Some(Divergence { index, reason: pair.reason() })
}

/// Which steps have one of these in them.
fn around(run: &Run, steps: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut around = vec![false; run.len()];
    for step in steps {
        let mut at = run.parents[step];
        while let Some(parent) = at.filter(|parent| !around[*parent]) {
            around[parent] = true;
            at = run.parents[parent];
        }
    }
    around
}

impl Pair {
    /// In a word, why it is not the same.
    fn reason(&self) -> &'static str {
        match (self.status, self.differs.first()) {
            (Status::Added, _) if self.repeated => "added_repetition",
            (Status::Added, _) => "added",
            (Status::Removed, _) if self.repeated => "removed_repetition",
            (Status::Removed, _) => "removed",
            _ if self.moved => "moved",
            (_, Some(Part::Name)) => "name_changed",
            (_, Some(Part::Parent)) => "parent_changed",
            (_, Some(Part::Model)) => "model_changed",
            (_, Some(Part::Input)) => "input_changed",
            (_, Some(Part::Error)) => "error_changed",
            (_, Some(Part::Output) | None) => "output_changed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Step};
    use super::*;

    fn step(id: &str, parent: &str, kind: &str, name: &str, input: &str, output: &str) -> Step {
        Step {
            id: id.to_owned(),
            parent_id: (!parent.is_empty()).then(|| parent.to_owned()),
            span_type: kind.to_owned(),
            name: name.to_owned(),
            input: Some(Content::json(input)),
            output: Some(Content::json(output)),
            ..Step::default()
        }
    }

    /// An agent that asks a model and a tool in turns.
    fn run(prefix: &str, answers: &[&str]) -> Run {
        let id = |n: usize| format!("{prefix}{n}");
        let mut steps = vec![step(&id(0), "", "action", "agent", "\"go\"", &format!("{:?}", answers.concat()))];
        for (n, answer) in answers.iter().enumerate() {
            let call = format!("{{\"step\":{n}}}");
            steps.push(step(&id(2 * n + 1), &id(0), "llm_call", "chat", &call, &format!("\"use {answer}\"")));
            steps.push(step(&id(2 * n + 2), &id(0), "tool_call", "search", &format!("{answer:?}"), "\"found\""));
        }
        Run::new(steps)
    }

    fn shown(comparison: &Comparison) -> Vec<String> {
        let place = |at: Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
        let line = |pair: &Pair| format!("{} {} {:?}", place(pair.a), place(pair.b), pair.status);
        comparison.pairs.iter().map(line).collect()
    }

    #[test]
    fn the_same_run_does_not_diverge_whatever_its_ids() {
        let comparison = compare(&run("a", &["x", "y"]), &run("b", &["x", "y"]));
        assert_eq!(comparison.first_divergence, None);
        assert_eq!(comparison.pairs.len(), 5);
    }

    #[test]
    fn what_an_agent_makes_of_a_step_that_differs_is_not_where_runs_part() {
        let comparison = compare(&run("a", &["x", "y", "z"]), &run("b", &["x", "q", "z"]));
        assert_eq!(
            shown(&comparison),
            ["0 0 Changed", "1 1 Same", "2 2 Same", "3 3 Changed", "4 4 Changed", "5 5 Same", "6 6 Same"]
        );
        assert_eq!(comparison.first_divergence, Some(Divergence { index: 3, reason: "output_changed" }));
    }

    #[test]
    fn a_loop_that_goes_on_is_said_to() {
        let comparison = compare(&run("a", &["x", "y"]), &run("b", &["x", "y", "z"]));
        assert_eq!(shown(&comparison)[4..], ["4 4 Same", "- 5 Added", "- 6 Added"]);
        assert_eq!(comparison.first_divergence, Some(Divergence { index: 5, reason: "added_repetition" }));
        let back = compare(&run("a", &["x", "y", "z"]), &run("b", &["x", "y"]));
        assert_eq!(back.first_divergence.map(|first| first.reason), Some("removed_repetition"));
    }

    #[test]
    fn a_step_around_others_changes_their_parent_and_no_more() {
        let inner = [("1", "llm_call", "chat"), ("2", "tool_call", "search")];
        let a = Run::new(inner.map(|(id, kind, name)| step(id, "", kind, name, "1", "2")).into());
        let mut steps = vec![step("0", "", "action", "agent", "3", "4")];
        steps.extend(inner.map(|(id, kind, name)| step(id, "0", kind, name, "1", "2")));
        steps.push(step("3", "2", "tool_result", "found", "5", "6"));
        let comparison = compare(&a, &Run::new(steps));
        assert_eq!(shown(&comparison), ["- 0 Added", "0 1 Changed", "1 2 Changed", "- 3 Added"]);
        assert_eq!(comparison.pairs[1].differs, [Part::Parent]);
    }

    #[test]
    fn steps_in_another_order_are_moved_and_a_circle_of_parents_ends() {
        let named = |names: &[&str]| {
            let named = |name: &&str| step(name, name, "tool_call", name, &format!("{name:?}"), "1");
            Run::new(names.iter().map(named).collect())
        };
        let comparison = compare(&named(&["a", "b", "c", "d"]), &named(&["b", "c", "d", "a"]));
        assert_eq!(shown(&comparison), ["1 0 Same", "2 1 Same", "3 2 Same", "0 3 Same"]);
        assert_eq!(comparison.first_divergence, Some(Divergence { index: 3, reason: "moved" }));
    }

    #[test]
    fn nothing_beside_something() {
        let nothing = Run::new(Vec::new());
        assert_eq!(compare(&nothing, &nothing).first_divergence, None);
        let all = compare(&run("a", &["x"]), &nothing);
        assert!(all.pairs.iter().all(|pair| pair.status == Status::Removed));
        assert_eq!(compare(&nothing, &run("a", &["x"])).pairs.len(), 3);
    }
}
