//! The outline: all that the player knows of the steps before one is opened, in columns. Its reader is `assets/player/outline.js`.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::{
    Error,
    tape::{SPAN_TYPES, Step},
    text::in_page,
};

/// The bytes that all names may take, so that a long tape is there as soon as a short one.
const NAMES_BUDGET: usize = 160_000;
const LONGEST_NAME: usize = 200;
/// A tape of more steps is told in milliseconds.
const FINE_UP_TO: usize = 2_000;

/// A column of zeros only is left out.
#[derive(Serialize)]
struct Columns<'a> {
    v: u8,
    n: usize,
    /// The microseconds that `start` and `took` count in.
    unit: u64,
    /// Those that occur; a digit a step in `type` says which.
    types: Vec<&'a str>,
    r#type: String,
    names: Vec<String>,
    name: Vec<u64>,
    models: Vec<String>,
    /// 0, or one more than the place among `models`.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<Vec<u64>>,
    /// How many steps before it the parent is (after it, if negative); 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Vec<i64>>,
    /// Since the step before.
    start: Vec<u64>,
    /// −1 for a step that never ended.
    took: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#in: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<Vec<u64>>,
    /// Millionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Vec<u64>>,
    /// A digit a step: 1 if it failed.
    state: String,
}

/// Texts that are told once and named by their place.
struct Dictionary {
    longest: usize,
    texts: Vec<String>,
    places: HashMap<String, u64>,
}

impl Dictionary {
    fn new(longest: usize) -> Self {
        Self { longest, texts: Vec::new(), places: HashMap::new() }
    }

    fn place(&mut self, text: &str) -> u64 {
        let cut = text[..text.floor_char_boundary(self.longest)].to_owned();
        *self.places.entry(cut).or_insert_with_key(|cut| {
            self.texts.push(cut.clone());
            self.texts.len() as u64 - 1
        })
    }
}

/// The outline as JSON that may stand within a `<script>` element.
pub fn outline(steps: &[Step<'_>]) -> Result<String, Error> {
    let types: Vec<&str> =
        SPAN_TYPES.into_iter().filter(|name| steps.iter().any(|step| step.span_type == *name)).collect();
    let type_of = |step: &Step<'_>| types.iter().position(|name| *name == step.span_type).unwrap_or(0);
    let different = steps.iter().map(|step| step.name).collect::<HashSet<_>>().len();
    let mut names = Dictionary::new((NAMES_BUDGET / different.max(1)).min(LONGEST_NAME));
    let mut models = Dictionary::new(LONGEST_NAME);
    let unit = if steps.len() > FINE_UP_TO { 1_000 } else { 1 };
    let starts = || steps.iter().map(|step| step.start_micros / unit);
    let columns = Columns {
        v: 1,
        n: steps.len(),
        unit,
        r#type: steps.iter().filter_map(|step| char::from_digit(type_of(step) as u32, 36)).collect(),
        name: steps.iter().map(|step| names.place(step.name)).collect(),
        model: column(steps, |step| step.model.map_or(0, |model| models.place(model) + 1)),
        parent: unless_zero(steps.iter().enumerate().map(|(i, step)| back(i, step.parent)).collect()),
        start: starts().zip(std::iter::once(0).chain(starts())).map(|(at, before)| at.saturating_sub(before)).collect(),
        took: steps.iter().map(|step| step.duration_micros.map_or(-1, |micros| (micros / unit) as i64)).collect(),
        r#in: column(steps, |step| step.input_tokens),
        out: column(steps, |step| step.output_tokens),
        cost: column(steps, |step| step.cost_micros),
        state: steps.iter().map(|step| if step.failed { '1' } else { '0' }).collect(),
        names: names.texts,
        models: models.texts,
        types,
    };
    Ok(in_page(&serde_json::to_string(&columns)?))
}

fn back(i: usize, parent: Option<usize>) -> i64 {
    parent.map_or(0, |parent| i as i64 - parent as i64)
}

fn column(steps: &[Step<'_>], of: impl FnMut(&Step<'_>) -> u64) -> Option<Vec<u64>> {
    unless_zero(steps.iter().map(of).collect())
}

fn unless_zero<T: PartialEq + Default>(values: Vec<T>) -> Option<Vec<T>> {
    values.iter().any(|value| *value != T::default()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, start_micros: u64) -> Step<'_> {
        Step {
            span_type: "tool_call",
            name,
            model: None,
            parent: None,
            start_micros,
            duration_micros: Some(1_234_567),
            input_tokens: 0,
            output_tokens: 0,
            cost_micros: 0,
            failed: false,
        }
    }

    #[test]
    fn columns_name_what_repeats_once() {
        let mut steps = [step("<b>", 5), step("two", 7), step("<b>", 7)];
        steps[2].span_type = "llm_call";
        steps[2].model = Some("gpt-4o");
        steps[2].parent = Some(0);
        steps[2].duration_micros = None;
        steps[1].failed = true;
        assert_eq!(
            outline(&steps).unwrap(),
            "{\"v\":1,\"n\":3,\"unit\":1,\"types\":[\"llm_call\",\"tool_call\"],\"type\":\"110\",\
             \"names\":[\"\\u003cb>\",\"two\"],\"name\":[0,1,0],\"models\":[\"gpt-4o\"],\"model\":[0,0,1],\
             \"parent\":[0,0,2],\"start\":[5,2,0],\"took\":[1234567,1234567,-1],\
             \"state\":\"010\"}"
        );
    }

    #[test]
    fn ten_thousand_calls_with_a_name_each_stay_small() {
        let names: Vec<String> = (0..10_000).map(|i| format!("a rather long name of a step, number {i}")).collect();
        let steps: Vec<Step<'_>> = (0..10_000)
            .map(|i: usize| Step {
                model: Some("a-model"),
                parent: i.checked_sub(3),
                input_tokens: 4_321,
                output_tokens: 321,
                cost_micros: 12_345,
                ..step(&names[i], i as u64 * 345_678)
            })
            .collect();
        let bytes = outline(&steps).unwrap().len();
        assert!(bytes < 570_000, "{bytes}");
    }
}
