//! "API keys" and "Members".

use schemas::events::{
    ApiKeyChanged, ApiKeyContent, ApiKeyCreated, ApiKeyIssued, ApiKeyUsed, ApiKeyWithdrawn, MemberSeen,
};

use super::*;
use crate::resources::{ApiKey, Member, Name, Outcome};

const KEY: &str = "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01";
const OTHER: &str = "4a4b9c9f-6f0e-4e51-8f4c-1f6a5f1f7a01";

impl Log {
    fn outcome_of(&mut self, id: Uuid, event: &Event) -> Outcome {
        self.append(id, event);
        self.fold.resources(None).outcomes[&id].clone()
    }

    fn issue(&mut self, key_id: &str, at_most: i64, expires_at: Option<i64>) -> Outcome {
        let id = ids::event_id();
        let content = self.seal(id, "api_key_content", &ApiKeyContent { name: "ci".to_owned() });
        let issued = ApiKeyIssued {
            key_id: key_id.to_owned(),
            user: "ann".to_owned(),
            org: None,
            role: "viewer".to_owned(),
            prefix: "rt_1".to_owned(),
            sha256: ByteArray::new([1; 32]),
            scopes: vec!["read".to_owned()],
            expires_at,
            at_most,
            content,
        };
        self.outcome_of(id, &Event::ApiKeyIssued(issued))
    }

    fn change_key(&mut self, id: Uuid, version: i64, scopes: &[&str], name: Option<&str>) -> Outcome {
        let content = name.map(|name| self.seal(id, "api_key_content", &ApiKeyContent { name: name.to_owned() }));
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (key_id, user) = (KEY.to_owned(), "ann".to_owned());
        let changed = ApiKeyChanged { key_id, user, version, scopes, expires_at: Some(7), content };
        self.outcome_of(id, &Event::ApiKeyChanged(changed))
    }

    fn withdraw(&mut self, key_id: &str, user: &str) -> Outcome {
        let withdrawn = ApiKeyWithdrawn { key_id: key_id.to_owned(), user: user.to_owned() };
        self.outcome_of(ids::event_id(), &Event::ApiKeyWithdrawn(withdrawn))
    }

    fn make_current(&mut self, role: &str) -> ApiKeyCreated {
        let created = ApiKeyCreated {
            user: "ann".to_owned(),
            org: None,
            role: role.to_owned(),
            prefix: "rt_2".to_owned(),
            sha256: ByteArray::new([2; 32]),
        };
        self.append(ids::event_id(), &Event::ApiKeyCreated(created.clone()));
        created
    }

    fn use_key(&mut self, key_id: &str, role: &str) -> i64 {
        let used = ApiKeyUsed { key_id: key_id.to_owned(), user: "ann".to_owned(), role: role.to_owned() };
        at(self.append(ids::event_id(), &Event::ApiKeyUsed(used)))
    }

    fn see(&mut self, role: &str) -> i64 {
        let seen = MemberSeen { user: "ann".to_owned(), role: role.to_owned() };
        at(self.append(ids::event_id(), &Event::MemberSeen(seen)))
    }

    fn api_key(&self, key_id: &str) -> Option<ApiKey> {
        self.fold.resources(None).api_keys.get(&(TENANT.to_owned(), key_id.to_owned())).cloned()
    }

    fn ann(&self) -> Option<Member> {
        self.fold.resources(None).members.get(&(TENANT.to_owned(), "ann".to_owned())).cloned()
    }
}

fn member(role: &str, first_seen_at: i64, last_seen_at: i64) -> Option<Member> {
    Some(Member { role: role.to_owned(), first_seen_at, last_seen_at })
}

#[test]
fn a_named_key_stands_beside_the_current_one() {
    let mut log = Log::new();
    let current = log.make_current("member").key_id().to_string();
    assert_eq!((log.issue(KEY, 9, None).status, log.issue(KEY, 9, None).status), (201, 409));
    log.make_current("member");
    let key = log.api_key(KEY).unwrap();
    assert_eq!((key.version, key.name, key.is_current), (1, Name::Is("ci".to_owned()), false));
    let current_key = log.api_key(&current).unwrap();
    assert_eq!(
        (current_key.scopes, current_key.name, current_key.is_current),
        (vec!["admin".to_owned()], Name::None, true)
    );
    // Either ends by its id, if it is its user's.
    assert_eq!((log.withdraw(KEY, "bob").status, log.withdraw(KEY, "ann").status), (404, 204));
    assert_eq!((log.withdraw(KEY, "ann").status, log.withdraw(&current, "ann").status), (404, 204));
    assert_eq!((log.api_key(KEY), log.api_key(&current)), (None, None));
}

#[test]
fn keys_in_force_are_counted_at_the_time_of_the_event() {
    let mut log = Log::new();
    log.make_current("member");
    let next = at(log.next);
    // It ends as the next is asked for.
    assert_eq!(log.issue(KEY, 1, Some(next + 1_000_000)).status, 201);
    assert_eq!(log.issue(OTHER, 1, None).status, 201);
    let refused = log.issue(TRACE, 1, None);
    let reason = "There are 1 named API keys of this user, the most there may be: revoke one first";
    assert_eq!((refused.status, refused.reason.as_deref()), (409, Some(reason)));
    log.withdraw(OTHER, "ann");
    assert_eq!(log.issue(TRACE, 1, None).status, 201);
}

#[test]
fn a_change_is_one_of_the_version_that_it_names() {
    let mut log = Log::new();
    assert_eq!(log.change_key(ids::event_id(), 1, &[], None).status, 404);
    log.issue(KEY, 9, None);
    let first = ids::event_id();
    assert_eq!(log.change_key(first, 1, &["write"], None).version, Some(2));
    assert_eq!(log.change_key(ids::event_id(), 1, &["admin"], None).status, 409);
    assert_eq!(log.change_key(ids::event_id(), 2, &["read"], Some("x")).version, Some(3));
    let key = log.api_key(KEY).unwrap();
    assert_eq!((key.scopes, key.expires_at, key.name), (vec!["read".to_owned()], Some(7), Name::Is("x".to_owned())));
    // Again: it has its outcome.
    assert_eq!(log.change_key(first, 1, &["write"], None).version, Some(2));
    assert_eq!(log.api_key(KEY).unwrap().version, 3);
    log.erase();
    assert_eq!(log.api_key(KEY).map(|key| (key.version, key.name)), Some((3, Name::Lost)));
}

#[test]
fn whoever_had_a_token_or_a_key_is_a_member() {
    let mut log = Log::new();
    let made = at(log.next);
    let current = log.make_current("member").key_id().to_string();
    assert_eq!(log.ann(), member("member", made, made));
    // A key may be of a lower role than its user.
    log.issue(KEY, 9, None);
    let used = log.use_key(KEY, "viewer");
    assert_eq!((log.ann(), log.api_key(KEY).unwrap().last_used_at), (member("member", made, used), Some(used)));
    let seen = log.see("admin");
    assert_eq!(log.ann(), member("admin", made, seen));
    // By an operator: nobody was here.
    log.make_current("viewer");
    assert_eq!((log.ann(), log.api_key(&current).unwrap().last_used_at), (member("viewer", made, seen), None));
    // One that has ended makes its user no less of a member.
    log.withdraw(KEY, "ann");
    let used = log.use_key(KEY, "viewer");
    assert_eq!((log.ann(), log.api_key(KEY)), (member("viewer", made, used), None));
}

#[test]
fn a_key_that_is_not_made_makes_a_member_all_the_same() {
    let mut log = Log::new();
    let asked = at(log.next);
    assert_eq!(log.issue(KEY, 0, None).status, 409);
    assert_eq!(log.ann(), member("viewer", asked, asked));
}
