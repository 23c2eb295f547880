//! What an API key may be used for, within what its role allows.

use crate::http::routes::Needs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Ingest,
    Read,
    Write,
    Admin,
}

impl Scope {
    /// From the least to the most that they allow.
    pub const ALL: [Scope; 4] = [Scope::Ingest, Scope::Read, Scope::Write, Scope::Admin];
    pub const NAMES: &[&str] = &["ingest", "read", "write", "admin"];

    pub fn of(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Ingest => "ingest",
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
        }
    }

    pub fn allows(self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing | Needs::Credentials => true,
            Needs::Recording => self != Scope::Read,
            Needs::Reading => self != Scope::Ingest,
            Needs::Writing => matches!(self, Scope::Write | Scope::Admin),
            // A key that could make keys could make one that may do more than it.
            Needs::OwnKeys | Needs::Administering => self == Scope::Admin,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Those of a key; what one of them allows it may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

/// What scopes tell apart.
const RIGHTS: [Needs; 5] = [Needs::OwnKeys, Needs::Reading, Needs::Recording, Needs::Writing, Needs::Administering];

impl Scopes {
    /// Whatever the role allows.
    pub const FULL: Scopes = Scopes(Scope::Admin.bit());

    /// A name of another version allows nothing.
    pub fn of<S: AsRef<str>>(names: &[S]) -> Scopes {
        let known = names.iter().filter_map(|name| Scope::of(name.as_ref()));
        Scopes(known.fold(0, |scopes, scope| scopes | scope.bit()))
    }

    pub fn names(self) -> Vec<String> {
        self.each().map(|scope| scope.as_str().to_owned()).collect()
    }

    pub fn allows(self, needs: Needs) -> bool {
        matches!(needs, Needs::Nothing | Needs::Credentials) || self.each().any(|scope| scope.allows(needs))
    }

    /// Whether the others allow all that these do.
    pub fn are_within(self, others: Scopes) -> bool {
        RIGHTS.into_iter().all(|right| others.allows(right) || !self.allows(right))
    }

    /// The least that is needed.
    pub fn for_what(needs: Needs) -> &'static str {
        Scope::ALL.into_iter().find(|scope| scope.allows(needs)).map_or("", Scope::as_str)
    }

    fn each(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_used_for_what_one_of_its_scopes_allows() {
        use Needs::{Administering, Credentials, Nothing, OwnKeys, Reading, Recording, Writing};
        for (names, allowed) in [
            (&["ingest"][..], &[Recording][..]),
            (&["read"], &[Reading]),
            (&["ingest", "read"], &[Reading, Recording]),
            (&["write"], &[Reading, Recording, Writing]),
            (&["admin"], &RIGHTS),
            (&["later"], &[]),
            (&[], &[]),
        ] {
            let scopes = Scopes::of(names);
            for needs in [OwnKeys, Reading, Recording, Writing, Administering] {
                assert_eq!(scopes.allows(needs), allowed.contains(&needs), "{names:?} {needs:?}");
            }
            assert!(scopes.allows(Nothing) && scopes.allows(Credentials));
        }
        for (needs, scope) in [(Reading, "read"), (Recording, "ingest"), (Writing, "write"), (OwnKeys, "admin")] {
            assert_eq!(Scopes::for_what(needs), scope);
        }
    }

    #[test]
    fn scopes_are_narrower_by_what_they_allow() {
        let of = |names: &[&str]| Scopes::of(names);
        assert!(of(&["read", "ingest"]).are_within(of(&["write"])));
        assert!(of(&["write", "read"]).are_within(of(&["write"])));
        assert!(of(&["ingest", "read", "write"]).are_within(Scopes::FULL));
        assert!(!of(&["write"]).are_within(of(&["read", "ingest"])));
        assert!(!Scopes::FULL.are_within(of(&["ingest", "read", "write"])));
        assert_eq!(of(&["write", "ingest", "write"]).names(), ["ingest", "write"]);
    }
}
