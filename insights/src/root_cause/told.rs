//! What kind of failure a text tells of.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::answer::Kind;
use super::words::status;

/// What words tell, before it is known what kind of step says them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Is(Kind),
    /// A server's failure: a provider's at a model's step, else a dependency's.
    Server,
    /// Something does not have the form that it should: a tool's arguments, or an output.
    Form,
}

impl Sort {
    fn parse(name: &str) -> Option<Sort> {
        match name {
            "server" => Some(Sort::Server),
            "form" => Some(Sort::Form),
            _ => Kind::ALL.into_iter().find(|kind| kind.name() == name).map(Sort::Is),
        }
    }
}

/// What kind of step says it: the same words mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Model,
    Tool,
    Other,
}

impl Role {
    pub fn of(span_type: &str) -> Role {
        match span_type {
            "llm_call" => Role::Model,
            "tool_call" | "tool_result" => Role::Tool,
            _ => Role::Other,
        }
    }

    fn kind(self, sort: Sort) -> Kind {
        match (sort, self) {
            (Sort::Is(kind), _) => kind,
            (Sort::Server, Role::Model) => Kind::ProviderError,
            (Sort::Server, _) => Kind::DependencyError,
            (Sort::Form, Role::Tool) => Kind::BadArguments,
            (Sort::Form, _) => Kind::MalformedOutput,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Told {
    pub kind: Kind,
    /// What speaks for it, less what speaks for the next. 0 where nothing does.
    pub weight: i32,
}

/// Of a text as [`super::words::words`] gives it.
pub(super) fn told(words: &str, role: Role) -> Told {
    let mut weights: Vec<(Kind, i32)> = Vec::new();
    let mut add = |sort: Sort, weight: i32| {
        let kind = role.kind(sort);
        match weights.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, sum)) => *sum += weight,
            None => weights.push((kind, weight)),
        }
    };
    if let Some(matcher) = MATCHER.as_ref() {
        matcher.find(words, &mut add);
    }
    for (sort, weight) in statuses(words) {
        add(sort, weight);
    }
    weights.sort_by_key(|(kind, weight)| (-weight, *kind));
    match weights.as_slice() {
        [] => Told { kind: Kind::Unknown, weight: 0 },
        [(kind, weight)] => Told { kind: *kind, weight: *weight },
        [(kind, weight), (_, next), ..] => Told { kind: *kind, weight: weight - next },
    }
}

/// HTTP statuses where a number is one: beside a word that says so, or first of all.
fn statuses(words: &str) -> Vec<(Sort, i32)> {
    const BEFORE: [&str; 10] =
        ["code", "status", "http", "error", "response", "returned", "got", "failed", "statuscode", "responded"];
    const AFTER: [&str; 12] = [
        "too",
        "unauthorized",
        "client",
        "server",
        "not",
        "internal",
        "bad",
        "service",
        "gateway",
        "forbidden",
        "status",
        "error",
    ];
    let mut found = Vec::new();
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    for (place, word) in words.iter().enumerate() {
        let Some(status) = status(word) else { continue };
        let near = &words[place.saturating_sub(2)..place];
        let is_status = place == 0
            || near.iter().any(|word| BEFORE.contains(word))
            || words.get(place + 1).is_some_and(|word| AFTER.contains(word));
        if is_status
            && let Some(sort) = of_status(status)
            && !found.contains(&sort)
        {
            found.push(sort);
        }
    }
    found
}

fn of_status(status: u16) -> Option<(Sort, i32)> {
    Some(match status {
        401 => (Sort::Is(Kind::Authentication), 4),
        403 => (Sort::Is(Kind::Authentication), 3),
        408 | 504 | 524 => (Sort::Is(Kind::Timeout), 4),
        413 => (Sort::Is(Kind::ContextOverflow), 2),
        422 => (Sort::Form, 2),
        429 => (Sort::Is(Kind::RateLimit), 4),
        529 => (Sort::Is(Kind::ProviderError), 4),
        500..=599 => (Sort::Server, 3),
        400 | 404 => (Sort::Is(Kind::InvalidRequest), 1),
        _ => return None,
    })
}

/// The table, and what finds all of its words in one pass.
struct Matcher {
    automaton: AhoCorasick,
    /// By their first phrase.
    rows: Vec<Vec<Row>>,
}

struct Row {
    sort: Sort,
    weight: i32,
    /// Places in the automaton of what must be there besides the first.
    others: Vec<usize>,
}

static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| Matcher::parse(include_str!("recognisers.txt")));

impl Matcher {
    /// None if a line is not of the table's form.
    fn parse(table: &str) -> Option<Matcher> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut rows: Vec<Vec<Row>> = Vec::new();
        let mut sort = None;
        for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                sort = Some(Sort::parse(name.strip_suffix(']')?)?);
                continue;
            }
            let (weight, alternatives) = line.split_once(' ')?;
            for alternative in alternatives.split('|') {
                let mut phrases = alternative.split('&').map(|phrase| {
                    let next = places.len();
                    *places.entry(format!(" {}", phrase.trim().replace('$', " "))).or_insert(next)
                });
                let first = phrases.next()?;
                let row = Row { sort: sort?, weight: weight.parse().ok()?, others: phrases.collect() };
                rows.resize_with(rows.len().max(places.len()), Vec::new);
                rows[first].push(row);
            }
        }
        let mut phrases: Vec<(String, usize)> = places.into_iter().collect();
        phrases.sort_unstable_by_key(|(_, place)| *place);
        let automaton = AhoCorasick::new(phrases.iter().map(|(phrase, _)| phrase)).ok()?;
        Some(Matcher { automaton, rows })
    }

    fn find(&self, words: &str, add: &mut impl FnMut(Sort, i32)) {
        let mut there = vec![false; self.rows.len()];
        let mut found = Vec::new();
        for phrase in self.automaton.find_overlapping_iter(words).map(|hit| hit.pattern().as_usize()) {
            if !std::mem::replace(&mut there[phrase], true) {
                found.push(phrase);
            }
        }
        for row in found.into_iter().flat_map(|phrase| &self.rows[phrase]) {
            if row.others.iter().all(|phrase| there[*phrase]) {
                add(row.sort, row.weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        assert!(MATCHER.as_ref().is_some_and(|matcher| matcher.rows.iter().flatten().count() > 200));
    }
}
