//! Prompts that begin alike, shortly after each other, and are paid as new input each time.

use std::collections::{HashMap, HashSet};

use clickhouse::Row;
use runtime::Problem;
use schemas::prices::Usage;
use serde::Deserialize;

use super::Asked;
use super::saving::{More, Saving, quoted};
use super::usage::Use;
use crate::stores::down;

/// Providers keep no shorter beginnings.
const SHORTEST: f64 = 1_024.0;
/// Beginnings; those that save the most.
const MOST: u64 = 100_000;

/// A beginning of prompts.
#[derive(Row, Deserialize)]
struct Head {
    name: String,
    model: String,
    hash: u64,
    calls: u64,
    /// Calls that follow another one of the same beginning within the time that a provider keeps it.
    hits: u64,
    /// The input tokens that it is, over all the calls.
    tokens: i64,
    /// The next shorter beginning, which it includes, and its tokens in these calls.
    inner: u64,
    inner_tokens: i64,
}

#[derive(Default)]
struct Cacheable {
    /// Of the shortest beginning, which has the most.
    hits: i64,
    read: f64,
    written: f64,
}

pub async fn find(asked: &Asked<'_>, uses: &[Use]) -> Result<Vec<Saving>, Problem> {
    let found = heads(asked).await?;
    let key = |head: &Head, hash: u64| (head.name.clone(), head.model.clone(), hash);
    let long: HashSet<(String, String, u64)> = found
        .iter()
        .filter(|head| head.tokens as f64 / head.calls as f64 >= SHORTEST)
        .map(|head| key(head, head.hash))
        .collect();
    let mut cacheable: HashMap<(String, String), Cacheable> = HashMap::new();
    for head in found.iter().filter(|head| long.contains(&key(head, head.hash))) {
        // A longer beginning counts for what it has beyond the shorter one, also where that one is beyond the limit.
        let is_long = head.inner_tokens as f64 / head.calls as f64 >= SHORTEST;
        let inner = if is_long || long.contains(&key(head, head.inner)) { head.inner_tokens } else { 0 };
        let each = (head.tokens - inner) as f64 / head.calls as f64;
        let of = cacheable.entry((head.name.clone(), head.model.clone())).or_default();
        of.read += each * head.hits as f64;
        of.written += each * (head.calls - head.hits) as f64;
        of.hits = of.hits.max(head.hits as i64);
    }
    let of = |used: &Use| saving(asked, used, cacheable.get(&(used.name.clone(), used.model.clone()))?);
    Ok(uses.iter().filter_map(of).collect())
}

async fn heads(asked: &Asked<'_>) -> Result<Vec<Head>, Problem> {
    let keeps = u64::from(asked.bounds.cache_seconds) * 1_000_000;
    // Of a call: each beginning and its tokens, the one before and its tokens, and when.
    let of_call = "arrayFlatten(arrayMap((at, heads, sizes) -> arrayMap((head, size, inner, inner_size) -> \
                   (head, size, inner, inner_size, at), heads, sizes, \
                   arraySlice(arrayPushFront(heads, toUInt64(0)), 1, length(heads)), \
                   arraySlice(arrayPushFront(sizes, toUInt32(0)), 1, length(sizes))), \
                   call_started_at, call_heads, call_head_tokens))";
    let columns = format!("name, toString(model) AS model, arrayJoin({of_call}) AS head");
    let condition = "model != '' AND arrayExists(heads -> notEmpty(heads), call_heads)";
    // A call that comes soon enough after another reads what that one wrote or read.
    let hits = format!(
        "toUInt64(arrayCount(gap -> gap <= {keeps}, arrayPopFront(arrayDifference(arraySort(groupArray(head.5))))))"
    );
    let outer = format!(
        "name, model, head.1 AS hash, count() AS calls, {hits} AS hits, toInt64(sum(head.2)) AS tokens, \
         any(head.3) AS inner, toInt64(sum(head.4)) AS inner_tokens"
    );
    let rest = format!(
        "GROUP BY name, model, hash HAVING hits > 0 \
         ORDER BY hits * (tokens - inner_tokens) / calls DESC, hash LIMIT {MOST}"
    );
    asked.each_call(&outer, &columns, condition, &rest).fetch_all().await.map_err(down)
}

fn saving(asked: &Asked<'_>, used: &Use, cacheable: &Cacheable) -> Option<Saving> {
    let (_, price) = asked.prices.price(&used.model, asked.period.to)?;
    let rates = price.rates(0);
    // What is read from a cache already is no longer to be saved.
    let read = cacheable.read.round() as i64 - used.cache_read_tokens;
    let written = (cacheable.written.round() as i64 - used.cache_write_tokens).max(0);
    if read <= 0 {
        return None;
    }
    let usage = Usage {
        cache_read: Some(used.cache_read_tokens + read),
        cache_write: Some(used.cache_write_tokens + written),
        ..used.usage()
    };
    let share = 100.0 * (cacheable.read + cacheable.written) / used.input_tokens.max(1) as f64;
    Some(Saving {
        current: rates.cost(used.usage())?.0,
        projected: rates.cost(usage)?.0,
        message: format!(
            "{} of {} calls of \"{}\" in {} begin like one shortly before; {share:.0} % of their input could be cached.",
            cacheable.hits,
            used.calls,
            used.model,
            quoted(&used.name)
        ),
        more: More {
            cacheable_read_tokens: Some(read),
            cacheable_write_tokens: Some(written),
            cache_hits: Some(cacheable.hits),
            ..More::default()
        },
        ..Saving::of("prompt_caching", used)
    })
}
