//! After the kills: what REST says, beside what the clients were told.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::load::{Decided, Ledger, Recorded, differs};
use crate::harness::Client;

const AT_ONCE: usize = 6;

/// Adds what is wrong to the ledger.
pub async fn over_rest(client: &Client, ledger: &mut Ledger) {
    let checks = ledger.traces.iter().map(|(id, recorded)| one(client, id, recorded));
    let faults: Vec<Option<String>> = futures::stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
    ledger.violations.extend(faults.into_iter().flatten());
    let checks = ledger.skills.iter().map(|(id, decided)| skill(client, id, decided));
    let faults: Vec<Option<String>> = futures::stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
    ledger.violations.extend(faults.into_iter().flatten());
    list(client, ledger).await;
}

/// Each version that was answered, and no other.
async fn skill(client: &Client, id: &str, decided: &Decided) -> Option<String> {
    let answer = client.get(&format!("/api/v1/skills/{id}/versions")).await;
    if answer.status != 200 {
        return Some(format!("the skill {id}: {} {}", answer.status, answer.text));
    }
    let versions = answer.json();
    let listed = versions["versions"].as_array().into_iter().flatten();
    let mut found: Vec<&str> = listed.filter_map(|version| version["description"].as_str()).collect();
    found.reverse();
    (found != decided.descriptions).then(|| format!("the skill {id}: {versions} instead of {:?}", decided.descriptions))
}

async fn one(client: &Client, id: &str, recorded: &Recorded) -> Option<String> {
    let path = format!("/api/v1/traces/{id}");
    let answer = client.get(&path).await;
    match answer.status.as_u16() {
        404 if recorded.deleted || !recorded.acknowledged => None,
        200 if recorded.deleted => Some(format!("{id} was deleted, and is there")),
        200 => {
            let trace = answer.json();
            let patched = || recorded.output.as_ref().is_some_and(|output| trace["output"] != output.as_str());
            let fault = differs(id, recorded, &trace);
            fault.or_else(|| patched().then(|| format!("{id}: its output is {}", trace["output"])))
        }
        status => Some(format!("{id}: {status} {}", answer.text)),
    }
}

/// Every trace once, and none that is deleted or was never sent.
async fn list(client: &Client, ledger: &mut Ledger) {
    let (mut cursor, mut seen) = (String::new(), BTreeSet::new());
    let mut total;
    loop {
        let page = client.get(&format!("/api/v1/traces?limit=200{cursor}")).await.expect(200).json();
        total = page["total"].as_u64().unwrap();
        for trace in page["traces"].as_array().unwrap() {
            let id = trace["id"].as_str().unwrap().to_owned();
            match ledger.traces.get(&id) {
                None => ledger.violations.push(format!("the list has {id}, which was never sent")),
                Some(recorded) if recorded.deleted => ledger.violations.push(format!("the list has {id}, deleted")),
                Some(_) => {}
            }
            if !seen.insert(id.clone()) {
                ledger.violations.push(format!("the list has {id} twice"));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    if total != seen.len() as u64 {
        ledger.violations.push(format!("the list counts {total} traces and has {}", seen.len()));
    }
    let certain = ledger.traces.iter().filter(|(_, recorded)| recorded.acknowledged && !recorded.deleted);
    let missing: Vec<String> = certain.filter(|(id, _)| !seen.contains(*id)).map(|(id, _)| id.clone()).collect();
    ledger.violations.extend(missing.into_iter().map(|id| format!("the list has not {id}")));
}
