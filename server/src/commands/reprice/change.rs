//! What other price tables change in traces: the sums of the projection (docs/SEMANTICS.md, "Derived values"), before and
//! after.

use std::collections::BTreeMap;

use schemas::Money;
use schemas::prices::{PriceBook, Usage};

/// A span, as far as its cost goes.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub model: Option<String>,
    pub started_at: Option<i64>,
    pub usage: Usage,
    pub reported_cost: Option<Money>,
    /// As it is now.
    pub cost: Option<Money>,
}

/// Of the calls that change, by model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelChange {
    pub calls: u64,
    /// Calls that had no price, and get one.
    pub priced: u64,
    /// Calls that had a price, and lose it.
    pub unpriced: u64,
    pub before: Money,
    pub after: Money,
}

/// Of a trace, or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    pub traces: u64,
    pub changed_traces: u64,
    /// The total costs of all traces.
    pub before: Money,
    pub after: Money,
    /// What changes. `""`: totals that only traces report, which count while no span has a cost.
    pub models: BTreeMap<String, ModelChange>,
}

impl Change {
    /// Of one trace, with the total that it reports.
    pub fn of(reported: Option<Money>, calls: &[Call], tables: &str, book: &PriceBook) -> Change {
        let mut change = Change { traces: 1, ..Change::default() };
        let (mut before, mut after) = (None, None);
        for call in calls {
            let cost = call.reported_cost.or_else(|| call.priced(tables, book));
            plus(&mut before, call.cost);
            plus(&mut after, cost);
            if cost != call.cost {
                let model = change.models.entry(call.model.clone().unwrap_or_default()).or_default();
                *model += ModelChange {
                    calls: 1,
                    priced: u64::from(call.cost.is_none()),
                    unpriced: u64::from(cost.is_none()),
                    before: call.cost.unwrap_or_default(),
                    after: cost.unwrap_or_default(),
                };
            }
        }
        let reported = reported.unwrap_or_default();
        if before.is_some() != after.is_some() && reported != Money::ZERO {
            let of = |sum: Option<Money>| if sum.is_some() { Money::ZERO } else { reported };
            let rest = ModelChange { before: of(before), after: of(after), ..ModelChange::default() };
            *change.models.entry(String::new()).or_default() += rest;
        }
        (change.before, change.after) = (before.unwrap_or(reported), after.unwrap_or(reported));
        change.changed_traces = u64::from(!change.models.is_empty());
        change
    }

    /// Whether a call changes of one of these models; of any, where none is named.
    pub fn is_of(&self, models: &[String]) -> bool {
        let named = |model: &String| models.iter().any(|name| name.to_lowercase() == model.to_lowercase());
        self.models.iter().any(|(model, change)| change.calls > 0 && (models.is_empty() || named(model)))
    }

    /// As if the trace were left as it is.
    pub fn left_alone(self) -> Change {
        Change { changed_traces: 0, after: self.before, models: BTreeMap::new(), ..self }
    }

    /// Of all models.
    pub fn total(&self) -> ModelChange {
        self.models.values().cloned().fold(ModelChange::default(), |mut total, change| {
            total += change;
            total
        })
    }
}

impl Call {
    fn priced(&self, tables: &str, book: &PriceBook) -> Option<Money> {
        book.cost(tables, self.model.as_deref()?, self.started_at?, self.usage)
    }
}

fn plus(sum: &mut Option<Money>, cost: Option<Money>) {
    if let Some(cost) = cost {
        *sum = Some(sum.unwrap_or_default() + cost);
    }
}

impl std::ops::AddAssign for ModelChange {
    fn add_assign(&mut self, other: ModelChange) {
        self.calls += other.calls;
        self.priced += other.priced;
        self.unpriced += other.unpriced;
        self.before += other.before;
        self.after += other.after;
    }
}

impl std::ops::AddAssign for Change {
    fn add_assign(&mut self, other: Change) {
        self.traces += other.traces;
        self.changed_traces += other.changed_traces;
        self.before += other.before;
        self.after += other.after;
        for (model, change) in other.models {
            *self.models.entry(model).or_default() += change;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"version":"t","currency":"USD","unit":"","models":[{"provider":"p","model":"m",
        "prices":[{"valid_from":null,"valid_to":null,"source":"s","input":"2","output":"3"}]}]}"#;

    fn call(model: &str, cost: Option<i128>) -> Call {
        Call {
            model: Some(model.to_owned()),
            started_at: Some(1),
            usage: Usage { input: Some(1), ..Usage::default() },
            cost: cost.map(Money),
            ..Call::default()
        }
    }

    fn change(reported: Option<i128>, calls: &[Call]) -> Change {
        let mut book = PriceBook::default();
        book.add("h", TABLE).unwrap();
        Change::of(reported.map(Money), calls, "h", &book)
    }

    fn figures(change: &ModelChange) -> (u64, u64, u64, i128, i128) {
        (change.calls, change.priced, change.unpriced, change.before.0, change.after.0)
    }

    #[test]
    fn what_gets_loses_and_keeps_its_price_is_told_apart() {
        let reported = Call { reported_cost: Some(Money(5)), ..call("m", Some(5)) };
        let calls = [call("m", None), call("m", Some(1)), call("m", Some(2_000_000)), call("n", Some(7)), reported];
        let change = change(Some(100), &calls);
        assert_eq!(figures(&change.models["m"]), (2, 1, 0, 1, 4_000_000));
        assert_eq!(figures(&change.models["n"]), (1, 0, 1, 7, 0));
        assert_eq!((change.before.0, change.after.0), (2_000_013, 6_000_005));
        assert_eq!(figures(&change.total()), (3, 1, 1, 8, 4_000_000));
        assert_eq!(change.after.0 - change.before.0, change.total().after.0 - change.total().before.0);
        assert!(change.is_of(&[]) && change.is_of(&["M".to_owned()]) && !change.is_of(&["x".to_owned()]));
    }

    #[test]
    fn the_total_that_a_trace_reports_gives_way_to_the_first_cost_of_a_span() {
        let first = change(Some(100), &[call("m", None), call("unheard of", None)]);
        assert_eq!((first.before.0, first.after.0), (100, 2_000_000));
        assert_eq!(figures(&first.models[""]), (0, 0, 0, 100, 0));
        let last = change(Some(100), &[call("unheard of", Some(3))]);
        assert_eq!((last.before.0, last.after.0), (3, 100));
        assert_eq!(figures(&last.models[""]), (0, 0, 0, 0, 100));
    }

    #[test]
    fn a_trace_whose_costs_stay_does_not_change() {
        let same = change(Some(100), &[call("m", Some(2_000_000)), Call::default(), call("unheard of", None)]);
        assert_eq!((same.traces, same.changed_traces, same.is_of(&[])), (1, 0, false));
        assert_eq!((same.before.0, same.after.0), (2_000_000, 2_000_000));
        let nothing = change(Some(100), &[]);
        assert_eq!((nothing.before.0, nothing.after.0, nothing.changed_traces), (100, 100, 0));
    }
}
