//! Members: whoever has had a key.

use serde_json::json;

use super::Compared;
use super::compared::{LIMIT, is_all, read, time};
use crate::harness::{Random, without};

/// Now and then: what a history does to keys makes nobody a member who was none.
pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    if !random.percent(20) {
        return Ok(());
    }
    let path = format!("/api/v1/members?{LIMIT}");
    let members = of.all(|resources| &resources.members).map(
        |(user, member)| json!({"user_id": user, "role": member.role, "first_seen_at": time(member.first_seen_at)}),
    );
    let mut found = read(of.client(), &path, true).await?.unwrap_or_default();
    for member in found["members"].as_array_mut().into_iter().flatten() {
        // They are seen meanwhile.
        *member = without(member.take(), &["last_seen_at"]);
    }
    is_all(&path, "members", &members.collect::<Vec<_>>(), &found)
}
