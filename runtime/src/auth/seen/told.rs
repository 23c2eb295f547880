//! What was told already, in bounded memory. Forgetting some of it costs events that change nothing.

use std::collections::HashMap;

use crate::auth::Role;

const MOST: usize = 50_000;
/// Between two changes of one member's role that are told: two sessions of different roles may take turns.
const CHANGES_APART_SECONDS: i64 = 60;

#[derive(Default)]
pub(super) struct Told(HashMap<String, Last>);

struct Last {
    interval: i64,
    role: Role,
    /// When its role was last told to have changed.
    changed_at: Option<i64>,
}

impl Told {
    /// Takes it that what is news is told.
    pub(super) fn is_news(&mut self, who: &str, role: Role, interval: i64, now: i64) -> bool {
        let last = self.0.get(who).filter(|last| last.interval == interval);
        let changed_at = match last {
            Some(last) if last.role == role => return false,
            Some(Last { changed_at: Some(at), .. }) if now - at < CHANGES_APART_SECONDS => return false,
            Some(_) => Some(now),
            None => None,
        };
        if self.0.len() >= MOST {
            self.0.retain(|_, last| last.interval == interval);
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(who.to_owned(), Last { interval, role, changed_at });
        true
    }

    pub(super) fn forget(&mut self, who: &str) {
        self.0.remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_once_an_interval_and_at_a_change_of_role() {
        let mut told = Told::default();
        let mut is_news = |who, role, at: i64| told.is_news(who, role, at / 3600, at);
        assert!(is_news("ann", Role::Member, 0));
        assert!(!is_news("ann", Role::Member, 3599));
        assert!(is_news("bob", Role::Member, 3599));
        assert!(is_news("ann", Role::Member, 3600));
        assert!(is_news("ann", Role::Admin, 3601));
        assert!(!is_news("ann", Role::Admin, 3602));
        // Two sessions take turns.
        assert!(!is_news("ann", Role::Member, 3603));
        assert!(is_news("ann", Role::Member, 3661));
        assert!(!is_news("ann", Role::Admin, 3662));
        assert!(is_news("ann", Role::Admin, 7200));
    }

    #[test]
    fn what_was_not_kept_is_told_again() {
        let mut told = Told::default();
        assert!(told.is_news("ann", Role::Member, 0, 0));
        told.forget("ann");
        assert!(told.is_news("ann", Role::Member, 0, 1));
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut told = Told::default();
        for n in 0..3 * MOST {
            assert!(told.is_news(&n.to_string(), Role::Member, 0, 0));
            assert!(told.0.len() <= MOST);
        }
    }
}
