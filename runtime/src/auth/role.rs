//! Roles in an organisation, and what they allow. Identity providers name them `admin` or `org:admin`.

use crate::http::routes::Needs;

/// The higher ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Owner, Role::Admin, Role::Member, Role::Viewer];

    /// A name that is none of ours may read, and nothing else.
    pub fn of(name: &str) -> Role {
        match name.strip_prefix("org:").unwrap_or(name) {
            "owner" => Role::Owner,
            "admin" => Role::Admin,
            "member" | "basic_member" => Role::Member,
            _ => Role::Viewer,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Member => "member",
            Role::Viewer => "viewer",
        }
    }

    pub fn allows(self, needs: Needs) -> bool {
        match self {
            Role::Owner | Role::Admin => true,
            Role::Member => needs <= Needs::Writing,
            Role::Viewer => needs <= Needs::Reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_identity_providers() {
        for (name, role) in [
            ("owner", Role::Owner),
            ("org:admin", Role::Admin),
            ("member", Role::Member),
            ("org:member", Role::Member),
            ("basic_member", Role::Member),
            ("viewer", Role::Viewer),
            ("org:billing", Role::Viewer),
            ("Admin", Role::Viewer),
            ("", Role::Viewer),
        ] {
            assert_eq!(Role::of(name), role, "{name}");
        }
    }

    #[test]
    fn a_viewer_reads() {
        for needs in [Needs::Nothing, Needs::OwnKeys, Needs::Reading, Needs::Recording, Needs::Writing] {
            assert_eq!(Role::Viewer.allows(needs), needs <= Needs::Reading);
            assert_eq!(Role::Member.allows(needs), needs <= Needs::Writing);
            assert!(Role::Admin.allows(needs) && Role::Owner.allows(needs));
        }
    }

    #[test]
    fn owners_and_admins_administer() {
        let who = Role::ALL.map(|role| role.allows(Needs::Administering));
        assert_eq!(who, [true, true, false, false]);
        assert!(Role::Owner < Role::Admin && Role::Admin < Role::Viewer);
    }
}
