//! Where a step's bar stands on a card: the twin of `assets/player/outline.js` and `lanes.js`.

use crate::tape::Step;

const FASTEST: f64 = 400.0;
const SLOWEST: f64 = 1500.0;
const KNEE_MICROS: f64 = 2_000_000.0;
const LAST: f64 = 600.0;

/// A bar from `left` to `right`, both between 0 and 1.
pub(crate) struct Bar {
    pub left: f64,
    pub right: f64,
    pub lane: usize,
}

/// How long the tape stays on a step when `gap` microseconds pass until the next: idle time is shortened.
fn dwell(gap: u64) -> f64 {
    FASTEST + (SLOWEST - FASTEST) * (1.0 - (-(gap as f64) / KNEE_MICROS).exp())
}

/// The bars of all steps, in at most `most_lanes` lanes: below its parent, and below what runs at the same time.
pub(crate) fn bars(steps: &[Step<'_>], most_lanes: usize) -> Vec<Bar> {
    let end = |step: &Step<'_>| step.start_micros + step.duration_micros.unwrap_or(0);
    let last_end = steps.iter().map(end).max().unwrap_or(0);
    let next = |i: usize| steps.get(i + 1).map_or(last_end, |step| step.start_micros);
    let gap = |i: usize| next(i).saturating_sub(steps[i].start_micros);
    let mut moments = Vec::with_capacity(steps.len() + 1);
    let mut moment = 0.0;
    for i in 0..steps.len() {
        moments.push(moment);
        moment += dwell(gap(i)) + if i + 1 == steps.len() { LAST } else { 0.0 };
    }
    moments.push(moment);
    let on_tape = |micros: u64| {
        let i = steps.partition_point(|step| step.start_micros <= micros).saturating_sub(1);
        let share = if gap(i) == 0 { 0.0 } else { micros.saturating_sub(steps[i].start_micros) as f64 / gap(i) as f64 };
        moments[i] + share.min(1.0) * (moments[i + 1] - moments[i])
    };
    let mut busy_until: Vec<f64> = Vec::new();
    let mut bars: Vec<Bar> = Vec::with_capacity(steps.len());
    for (i, step) in steps.iter().enumerate() {
        let (left, right) = (moments[i], on_tape(end(step)).max(moments[i]));
        let above = step.parent.and_then(|parent| bars.get(parent)).map_or(0, |parent| parent.lane + 1);
        let mut lane = above.min(most_lanes - 1);
        while lane < most_lanes - 1 && busy_until.get(lane).is_some_and(|until| *until > left) {
            lane += 1;
        }
        busy_until.resize(busy_until.len().max(lane + 1), 0.0);
        busy_until[lane] = busy_until[lane].max(right);
        bars.push(Bar { left, right, lane });
    }
    for bar in &mut bars {
        bar.left /= moment;
        bar.right /= moment;
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(parent: Option<usize>, start_micros: u64, duration_micros: u64) -> Step<'static> {
        Step {
            span_type: "action",
            name: "",
            model: None,
            parent,
            start_micros,
            duration_micros: Some(duration_micros),
            input_tokens: 0,
            output_tokens: 0,
            cost_micros: 0,
            failed: false,
        }
    }

    #[test]
    fn children_stand_below_and_what_runs_at_once_side_by_side() {
        let steps = [step(None, 0, 9_000), step(Some(0), 10, 500), step(Some(0), 20, 500), step(Some(0), 600, 100)];
        let bars = bars(&steps, 8);
        assert_eq!(bars.iter().map(|bar| bar.lane).collect::<Vec<_>>(), [0, 1, 2, 1]);
        assert!(bars.iter().all(|bar| 0.0 <= bar.left && bar.left <= bar.right && bar.right <= 1.0));
        assert!(bars[1].right > bars[2].left && bars[1].right <= bars[3].left);
    }

    #[test]
    fn lanes_are_bounded_and_no_steps_are_no_bars() {
        let steps: Vec<_> = (0..50).map(|i| step(None, i, 1_000_000)).collect();
        assert!(bars(&steps, 8).iter().all(|bar| bar.lane < 8));
        assert!(bars(&[], 8).is_empty());
    }
}
