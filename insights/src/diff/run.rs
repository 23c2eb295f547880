//! The steps of a run, with what the alignment asks of them found once.

use std::collections::HashMap;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::content::Content;
use super::mix;
use super::sketch::BINS;

/// A span, as far as runs are compared by it.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub id: String,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    pub input: Option<Content>,
    pub output: Option<Content>,
    pub error: Option<Content>,
}

/// Pairs that say how alike steps are.
const FEWEST: i32 = 2;

/// Steps in the order of their starts.
#[derive(Clone, Debug)]
pub struct Run {
    pub(super) steps: Vec<Step>,
    pub(super) known: Vec<Known>,
    /// Of each step whose parent is in the run. Circles are not cut.
    pub(super) parents: Vec<Option<usize>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Of the span type.
    pub kind: u64,
    /// Of span type and name.
    pub label: u64,
    /// Of the labels of all steps that it is in.
    pub place: u64,
    /// Of all that is compared: where it is the same, the steps are.
    pub key: u64,
    /// In thousandths, how alike steps of this label are in the run: what they have in common says nothing of any two.
    pub usual_input: i32,
    pub usual_output: i32,
}

impl Run {
    pub fn new(steps: Vec<Step>) -> Run {
        let labels: Vec<u64> = steps.iter().map(label).collect();
        let at: HashMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let parents: Vec<Option<usize>> =
            steps.iter().map(|step| at.get(step.parent_id.as_deref()?).copied()).collect();
        let places = places(&labels, &parents);
        let (inputs, outputs) =
            (usual(&steps, &labels, |step| &step.input), usual(&steps, &labels, |step| &step.output));
        let known = steps.iter().enumerate().map(|(at, step)| Known {
            kind: xxh3_64(step.span_type.as_bytes()),
            label: labels[at],
            place: places[at],
            key: key(step, mix(labels[at], places[at])),
            usual_input: inputs[at],
            usual_output: outputs[at],
        });
        Run { known: known.collect(), parents, steps }
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }
}

/// Of each step, how alike those of its label are, by what is no more than chance: each beside the one before it, if they are not
/// the same. Where a label has too few, it is as of all.
fn usual(steps: &[Step], labels: &[u64], of: fn(&Step) -> &Option<Content>) -> Vec<i32> {
    let all = averages(steps.iter().filter_map(|step| Some((0, of(step).as_ref()?)))).remove(&0);
    let of_label = averages(steps.iter().zip(labels).filter_map(|(step, label)| Some((*label, of(step).as_ref()?))));
    let usual = |label: &u64| of_label.get(label).copied().or(all).map_or(0, by_chance);
    labels.iter().map(usual).collect()
}

/// By group, how alike each is to the one before it.
fn averages<'t>(contents: impl Iterator<Item = (u64, &'t Content)>) -> HashMap<u64, i32> {
    let mut before: HashMap<u64, &Content> = HashMap::new();
    let mut sums: HashMap<u64, (i32, i32)> = HashMap::new();
    for (group, content) in contents {
        if let Some(before) = before.insert(group, content).filter(|before| before.hash() != content.hash()) {
            let (sum, count) = sums.entry(group).or_default();
            *sum += before.likeness(content, 0);
            *count += 1;
        }
    }
    let known = sums.into_iter().filter(|(_, (_, count))| *count >= FEWEST);
    known.map(|(group, (sum, count))| (group, sum / count)).collect()
}

/// In thousandths: two standard deviations above, of an estimate from the bins of a sketch.
fn by_chance(usual: i32) -> i32 {
    let share = f64::from(usual) / 1_000.0;
    usual + (2_000.0 * (share * (1.0 - share) / BINS as f64).sqrt()) as i32
}

fn label(step: &Step) -> u64 {
    mix(xxh3_64(step.span_type.as_bytes()), xxh3_64(step.name.as_bytes()))
}

fn key(step: &Step, what: u64) -> u64 {
    let mut hasher = Xxh3::with_seed(what);
    let mut put = |part: Option<u64>| {
        hasher.update(&[u8::from(part.is_some())]);
        hasher.update(&part.unwrap_or_default().to_le_bytes());
    };
    put(step.model.as_deref().map(|model| xxh3_64(model.as_bytes())));
    for content in [&step.input, &step.output, &step.error] {
        put(content.as_ref().map(Content::hash));
    }
    hasher.digest()
}

fn places(labels: &[u64], parents: &[Option<usize>]) -> Vec<u64> {
    let mut places: Vec<Option<u64>> = vec![None; labels.len()];
    let mut chain = Vec::new();
    for start in 0..labels.len() {
        let mut at = Some(start);
        while let Some(step) = at.filter(|step| places[*step].is_none()) {
            // As of a root, until those that it is in are known: a circle ends here.
            places[step] = Some(0);
            chain.push(step);
            at = parents[step];
        }
        while let Some(step) = chain.pop() {
            if let Some(parent) = parents[step] {
                places[step] = Some(mix(places[parent].unwrap_or_default(), labels[parent]));
            }
        }
    }
    places.into_iter().map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, parent: Option<&str>) -> Step {
        Step { id: id.to_owned(), parent_id: parent.map(str::to_owned), name: id.to_owned(), ..Step::default() }
    }

    #[test]
    fn a_place_is_what_a_step_is_in_whatever_came_first_and_circles_end() {
        let a = Run::new(vec![step("root", None), step("agent", Some("root")), step("tool", Some("agent"))]);
        let b = Run::new(vec![step("tool", Some("agent")), step("agent", Some("root")), step("root", None)]);
        let places = |run: &Run| run.known.iter().map(|known| known.place).collect::<Vec<_>>();
        let mut reversed = places(&b);
        reversed.reverse();
        assert_eq!(places(&a), reversed);
        assert!(places(&a)[0] == 0 && places(&a)[1] != places(&a)[2]);
        let circle = Run::new(vec![step("a", Some("b")), step("b", Some("a")), step("c", Some("c"))]);
        assert_eq!(circle.len(), 3);
        let lost = Run::new(vec![step("a", Some("gone"))]);
        assert_eq!(places(&lost), [0]);
    }
}
