//! A failing history made short: played again in many copies, with parts left out while it still fails.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::history::{History, What};
use super::installation::Installation;

const COPIES: usize = 30;
const TRIES: usize = 40;
const LONGEST: Duration = Duration::from_secs(180);
const FAULTS: usize = 2;

/// Says what came of it.
pub async fn shrink(mut installation: Installation, history: &History) -> String {
    let started = Instant::now();
    let mut shortest = history.clone();
    let (mut tries, mut reason) = (0, None);
    let mut candidates = vec![shortest.clone()];
    while let Some(candidate) = candidates.pop() {
        if tries == TRIES || started.elapsed() > LONGEST {
            break;
        }
        tries += 1;
        let copies = vec![candidate.clone(); COPIES];
        let (again, failures) = installation.play(&copies, FAULTS).await;
        installation = again;
        match failures.into_iter().next() {
            Some(failure) => {
                reason = Some(failure.text);
                candidates = shorter(&candidate);
                shortest = candidate;
            }
            None if reason.is_none() && tries < 5 => candidates.push(candidate),
            None => {}
        }
    }
    match reason {
        Some(reason) => format!("the shortest found in {tries} tries: {reason}\n{shortest}"),
        None => format!("it did not fail again in {tries} tries of {COPIES} copies each"),
    }
}

/// With something left out; the boldest last, where it is taken first.
fn shorter(history: &History) -> Vec<History> {
    let History(steps) = history;
    let mut shorter = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        for (within, request) in step.iter().enumerate() {
            for field in fields(&request.what) {
                let mut less = history.clone();
                without(&mut less.0[at][within].what, &field);
                shorter.push(less);
            }
            if step.len() > 1 {
                let mut less = history.clone();
                less.0[at].remove(within);
                shorter.push(less);
            }
        }
    }
    for size in [1, 2, 4].into_iter().filter(|size| *size < steps.len()) {
        for from in (0..steps.len()).step_by(size) {
            let mut less = history.clone();
            less.0.drain(from..(from + size).min(steps.len()));
            shorter.push(less);
        }
    }
    shorter
}

fn fields(what: &What) -> Vec<String> {
    match what {
        What::Post(Value::Object(body)) | What::Patch(Value::Object(body)) => body.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn without(what: &mut What, field: &str) {
    if let What::Post(Value::Object(body)) | What::Patch(Value::Object(body)) = what {
        body.remove(field);
    }
}
