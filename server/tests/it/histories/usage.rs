//! What `/usage` says of the month, beside what the events in the log have added.

use std::collections::BTreeMap;

use serde_json::json;
use verify::{Fold, Usage, usage_of};

use crate::harness::{Client, same};

/// All that a history has sent is of the last of them.
const DAYS: usize = 30;

/// The one answer or the other: both are sums over the same rows.
pub async fn compare(
    client: &Client,
    fold: &Fold,
    (tenant, traces): (&str, &[String]),
    by_day: bool,
) -> Result<(), String> {
    let mut days: BTreeMap<i64, Usage> = BTreeMap::new();
    for id in traces {
        for (day, used) in usage_of(fold, tenant, id, None) {
            let total = days.entry(day).or_default();
            total.traces += used.traces;
            total.spans += used.spans;
            total.tokens += used.tokens;
            total.cost.0 += used.cost.0;
            total.ai_requests += used.ai_requests;
        }
    }
    if by_day { daily(client, &days).await } else { month(client, &days).await }
}

async fn month(client: &Client, days: &BTreeMap<i64, Usage>) -> Result<(), String> {
    let answer = client.get("/api/v1/usage").await;
    let month = answer.json();
    let since = month["period_start"].as_str().unwrap_or_default().to_owned();
    let of_month = || days.iter().filter(|(day, _)| *date(**day) >= since[..10]).map(|(_, used)| used);
    for (name, expected) in [
        ("traces", of_month().map(|used| used.traces).sum::<i128>()),
        ("spans", of_month().map(|used| used.spans).sum()),
        ("ai_requests", of_month().map(|used| used.ai_requests).sum()),
    ] {
        same(&json!(expected as i64), &month[name]["used"], &format!("GET /api/v1/usage .{name}.used"))?;
    }
    Ok(())
}

async fn daily(client: &Client, days: &BTreeMap<i64, Usage>) -> Result<(), String> {
    let answer = client.get("/api/v1/usage/daily").await;
    let found = answer.json();
    let found = found["days"].as_array().map_or(&[][..], Vec::as_slice);
    if found.len() != DAYS {
        return Err(format!("GET /api/v1/usage/daily: {}", answer.text));
    }
    for shown in found {
        let used = days.iter().find(|(day, _)| shown["date"] == date(**day)).map(|(_, used)| used.clone());
        let used = used.unwrap_or_default();
        let cost: serde_json::Value =
            serde_json::from_str(&used.cost.to_string()).map_err(|fault| fault.to_string())?;
        let expected = json!({"date": shown["date"], "traces": used.traces as i64, "spans": used.spans as i64,
            "tokens": used.tokens as i64, "cost": cost});
        same(&expected, shown, "GET /api/v1/usage/daily")?;
    }
    Ok(())
}

fn date(day: i64) -> String {
    (time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(day)).date().to_string()
}
