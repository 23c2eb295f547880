//! How many answers are right, and how sure they were.

use std::collections::BTreeMap;

use retrace_insights::root_cause::Analysis;

use super::faults::Fault;
use super::world::Case;

#[derive(Debug, Default)]
pub struct Tally {
    pub cases: usize,
    /// The planted span is named.
    pub cause: usize,
    /// So is the step that failed of it.
    pub failed: usize,
    pub kind: usize,
    confidence: f64,
    /// By tenths of confidence: answers, right ones, and the sum of their confidence.
    bins: BTreeMap<u8, (usize, usize, f64)>,
    wrong: usize,
}

impl Tally {
    pub fn add(&mut self, case: &Case, answer: &Analysis) {
        let right = is_right(case, answer);
        self.cases += 1;
        self.cause += usize::from(right);
        self.failed += usize::from(case.failed.is_none() || case.failed == answer.evidence.failed);
        self.kind += usize::from(answer.evidence.kind == case.kind);
        self.confidence += answer.confidence;
        let bin = self.bins.entry((answer.confidence * 10.0) as u8).or_default();
        *bin = (bin.0 + 1, bin.1 + usize::from(right), bin.2 + answer.confidence);
        self.wrong += usize::from(self.is_wrong(case, answer));
    }

    pub fn is_wrong(&self, case: &Case, answer: &Analysis) -> bool {
        !is_right(case, answer) || answer.evidence.kind != case.kind
    }

    pub fn wrong(&self) -> usize {
        self.wrong
    }

    pub fn share(&self, part: usize) -> f64 {
        part as f64 / self.cases as f64
    }

    /// Nowhere are fewer right than was said, but for chance; and of those that are sure nine in ten are.
    pub fn assert_calibrated(&self) {
        for (bin, (cases, right, confidence)) in &self.bins {
            let (share, said) = (*right as f64 / *cases as f64, confidence / *cases as f64);
            let chance = 2.0 * (said * (1.0 - said) / *cases as f64).sqrt();
            assert!(share >= said - chance, "confidence 0.{bin}: {share} right, {said} said, {cases} answers");
        }
        let sure = self.bins.iter().filter(|(bin, _)| **bin >= 8);
        let (cases, right) = sure.fold((0, 0), |sum, (_, bin)| (sum.0 + bin.0, sum.1 + bin.1));
        assert!(right as f64 >= cases as f64 * 0.9, "{right} of {cases} sure answers");
    }
}

fn is_right(case: &Case, answer: &Analysis) -> bool {
    answer.evidence.cause.as_deref() == Some(&case.cause)
}

pub fn print(name: &str, by_fault: &BTreeMap<Fault, Tally>, all: &Tally) {
    println!("\n{name:<18} {:>6} {:>8} {:>8} {:>8} {:>11}", "traces", "cause %", "failed %", "kind %", "confidence");
    let row = |name: String, tally: &Tally| {
        let percent = |part: usize| 100.0 * tally.share(part);
        println!(
            "{name:<18} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>11.2}",
            tally.cases,
            percent(tally.cause),
            percent(tally.failed),
            percent(tally.kind),
            tally.confidence / tally.cases as f64
        );
    };
    by_fault.iter().for_each(|(fault, tally)| row(format!("{fault:?}"), tally));
    row("all".to_owned(), all);
    for (bin, (cases, right, confidence)) in &all.bins {
        let (said, share) = (confidence / *cases as f64, 100.0 * *right as f64 / *cases as f64);
        println!("confidence 0.{bin}: {cases} answers, {said:.2} on average, {share:.1} % right");
    }
}

pub fn show(seed: u64, case: &Case, answer: &Analysis) {
    println!("--- {:?} {seed}: planted {:?} at {}; runs {}", case.fault, case.kind, case.cause, case.runs.len());
    println!("    trace says {:?}", case.trace.error);
    let begin = case.trace.started_at.unwrap();
    let mut spans: Vec<_> = case.trace.spans.iter().collect();
    spans.sort_by_key(|span| span.started_at);
    for span in spans {
        let named = answer.evidence.cause.as_ref() == Some(&span.id);
        let mark = if span.id == case.cause { '*' } else { [' ', '!'][usize::from(named)] };
        println!(
            "  {mark} {} < {} {} {} {:?}..{:?} in {:?} out {:?} error {:?}",
            &span.id[..6],
            span.parent_id.as_deref().map_or("-", |id| &id[..6]),
            span.span_type,
            span.name,
            span.started_at.map(|at| (at - begin) / 1000),
            span.ended_at.map(|at| (at - begin) / 1000),
            span.input.as_deref().map(|text| text.chars().take(30).collect::<String>()),
            span.output.as_deref().map(|text| text.chars().take(50).collect::<String>()),
            span.error
        );
    }
    println!("    {answer:?}");
}
