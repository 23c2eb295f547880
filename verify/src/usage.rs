//! What a trace's events have added to its tenant's usage: docs/SEMANTICS.md, "Usage", sentence by sentence.

use std::collections::BTreeMap;

use schemas::{Event, Money};

use crate::fold::Fold;
use crate::view::{TraceState, TraceView};

const DAY_US: i64 = 86_400_000_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    pub traces: i128,
    pub spans: i128,
    pub tokens: i128,
    pub cost: Money,
    pub ai_requests: i128,
}

impl Usage {
    fn of(view: &TraceView) -> Usage {
        let spans = view.spans.len() as i128;
        Usage { traces: 1, spans, tokens: view.total_tokens, cost: view.total_cost, ai_requests: 0 }
    }

    fn grow(&mut self, from: &Usage, to: &Usage) {
        self.traces += to.traces - from.traces;
        self.spans += to.spans - from.spans;
        self.tokens += to.tokens - from.tokens;
        self.cost.0 += to.cost.0 - from.cost.0;
    }

    pub fn totals(&self) -> Vec<i128> {
        vec![self.traces, self.spans, self.tokens, self.cost.0, self.ai_requests]
    }
}

/// By UTC day, counted from 1970; of the events up to and including an offset of the trace's partition, or of all.
pub fn usage_of(fold: &Fold, tenant: &str, trace_id: &str, upto: Option<i64>) -> BTreeMap<i64, Usage> {
    let mut days: BTreeMap<i64, Usage> = BTreeMap::new();
    let mut before = Usage::default();
    fold.each_state(tenant, trace_id, upto, |event, time, state| {
        let TraceState::Visible(view) = state else { return };
        let after = Usage::of(view);
        let day = time.div_euclid(DAY_US);
        match event {
            Event::TraceRecorded(_) => days.entry(day).or_default().grow(&before, &after),
            Event::RootCauseFound(_) => days.entry(day).or_default().ai_requests += 1,
            _ => {}
        }
        before = after;
    });
    days
}
