//! Members and their roles, from the tokens that speak for them.

use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Bearer, KEYS, Provider, TRACES, claims, trusting, with};
use crate::harness::eventually;

const MEMBERS: &str = "/api/v1/members";
const ALL_KEYS: &str = "/api/v1/api-keys/all";

/// (user, role), in the order of the list.
fn roles(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list["members"].as_array().unwrap().iter().map(|member| (text(&member["user_id"]), text(&member["role"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(user, role)| ((*user).to_owned(), (*role).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_token_is_a_member_with_the_role_of_the_last_one() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    let bearer = |user, role| {
        let changes = json!({"org_role": role});
        Bearer::new(&retrace, &KEYS[0].token("k1", &with(claims(user, Some("acme")), changes)))
    };
    let (ann, bob) = (bearer("ann", "org:member"), bearer("bob", "org:viewer"));
    // One asks query-api, the other one ingest.
    ann.get(TRACES).await.expect(200);
    bob.post(TRACES, json!({})).await.expect(403);
    eventually("the members", async || {
        roles(&ann.get(MEMBERS).await.expect(200).json()) == pairs(&[("ann", "member"), ("bob", "viewer")])
    })
    .await;
    let before = ann.get(MEMBERS).await.expect(200).json();
    assert_eq!((&before["total"], &before["next_cursor"]), (&json!(2), &Value::Null));
    assert_eq!(before["members"][0]["first_seen_at"], before["members"][0]["last_seen_at"]);

    // A change of role is told at once.
    let admin = bearer("ann", "org:admin");
    admin.post(TRACES, json!({})).await.expect(201);
    eventually("the role", async || {
        roles(&bob.get(MEMBERS).await.expect(200).json())[0] == ("ann".to_owned(), "admin".to_owned())
    })
    .await;
    // A key of a lower role is no change of it.
    let key = json!({"name": "reads", "scopes": ["read"], "role": "viewer"});
    let key = admin.post(ALL_KEYS, key).await.expect(201).json()["key"].as_str().unwrap().to_owned();
    let key = retrace.client.with_key(&key);
    key.get(TRACES).await.expect(200);
    eventually("the use of the key", async || {
        let keys = admin.get(ALL_KEYS).await.expect(200).json();
        !keys["api_keys"][0]["last_used_at"].is_null()
    })
    .await;
    let members = key.get(MEMBERS).await.expect(200).json();
    assert_eq!(roles(&members), pairs(&[("ann", "admin"), ("bob", "viewer")]));
    assert_eq!(members["members"][0]["first_seen_at"], before["members"][0]["first_seen_at"]);

    // Other tenants have their own.
    let carl = Bearer::new(&retrace, &KEYS[0].token("k1", &claims("carl", None)));
    eventually("a tenant of one", async || {
        roles(&carl.get(MEMBERS).await.expect(200).json()) == pairs(&[("carl", "owner")])
    })
    .await;
    retrace.assert_exact().await;
    let before = admin.get(MEMBERS).await.expect(200).text;
    retrace.rebuild_workspace().await;
    assert_eq!(admin.get(MEMBERS).await.expect(200).text, before);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_by_cursor() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    for user in ["a", "b", "c", "d", "e"] {
        retrace.key_of("acme", user).await;
    }
    let ann = Bearer::new(&retrace, &KEYS[0].token("k1", &claims("a", Some("acme"))));
    let (mut path, mut users) = (format!("{MEMBERS}?limit=2"), Vec::new());
    loop {
        let page = ann.send(Method::GET, &path, None, None).await.expect(200).json();
        assert_eq!(page["total"], 5);
        users.extend(roles(&page).into_iter().map(|(user, _)| user));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{MEMBERS}?limit=2&cursor={cursor}");
    }
    assert_eq!(users, ["a", "b", "c", "d", "e"]);
    assert_eq!(roles(&ann.get(&format!("{MEMBERS}?offset=4")).await.expect(200).json()).len(), 1);
    for query in ["limit=0", "offset=10001", "cursor=AAAA", "count=all", "role=admin"] {
        ann.get(&format!("{MEMBERS}?{query}")).await.expect(400);
    }
    retrace.assert_exact().await;
}
