//! The change as a table.

use std::fmt;

use schemas::Money;

use super::change::{Change, ModelChange};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { traces, changed_traces, before, after, models } = self;
        if *changed_traces == 0 {
            return write!(f, "None of {traces} traces with spans changes; they cost {before}.");
        }
        let named = |model: &str| match model {
            "" => "(reported by traces)".to_owned(),
            model => model.to_owned(),
        };
        let head = ["model", "calls", "get a price", "lose it", "before", "after", "change"].map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(models.iter().map(|(model, change)| row(named(model), change)));
        rows.push(row("all".to_owned(), &self.total()));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 7] = std::array::from_fn(width);
        for row in &rows {
            write!(f, "{:<1$}", row[0], widths[0])?;
            for (text, width) in row.iter().zip(widths).skip(1) {
                write!(f, "  {text:>width$}")?;
            }
            writeln!(f)?;
        }
        write!(
            f,
            "\n{changed_traces} of {traces} traces with spans change; together they cost {before} before, {after} after: {}.",
            signed(*after - *before)
        )
    }
}

fn row(model: String, change: &ModelChange) -> [String; 7] {
    let ModelChange { calls, priced, unpriced, before, after } = change;
    [
        model,
        calls.to_string(),
        priced.to_string(),
        unpriced.to_string(),
        before.to_string(),
        after.to_string(),
        signed(*after - *before),
    ]
}

fn signed(money: Money) -> String {
    if money > Money::ZERO { format!("+{money}") } else { money.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_under_each_other() {
        let money = |text| Money::parse(text).unwrap();
        let of = |calls, priced, unpriced, before, after| ModelChange {
            calls,
            priced,
            unpriced,
            before: money(before),
            after: money(after),
        };
        let change = Change {
            traces: 1200,
            changed_traces: 3,
            before: money("12"),
            after: money("11.7500001"),
            models: [
                (String::new(), of(0, 0, 0, "1", "0")),
                ("gpt-4o".to_owned(), of(12, 2, 0, "0.5", "1.2500001")),
                ("mystery".to_owned(), of(1, 0, 1, "0", "0")),
            ]
            .into(),
        };
        let expected = "\
model                 calls  get a price  lose it  before      after      change
(reported by traces)      0            0        0       1          0          -1
gpt-4o                   12            2        0     0.5  1.2500001  +0.7500001
mystery                   1            0        1       0          0           0
all                      13            2        1     1.5  1.2500001  -0.2499999

3 of 1200 traces with spans change; together they cost 12 before, 11.7500001 after: -0.2499999.";
        assert_eq!(change.to_string(), expected);
        let nothing = Change { traces: 2, before: money("3"), after: money("3"), ..Change::default() };
        assert_eq!(nothing.to_string(), "None of 2 traces with spans changes; they cost 3.");
    }
}
