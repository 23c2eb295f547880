//! Random histories through the real pipeline: requests of several users in any order, at random flush sizes, while the
//! services stop, crash and rebalance. At the end every REST answer equals the fold over the log.
//! `RETRACE_TEST_HISTORIES` says how many, `RETRACE_TEST_SEED` which ones.

mod bodies;
mod check;
mod commands;
mod costs;
mod current_key;
mod export;
mod failures;
mod history;
mod installation;
mod models;
mod plans;
mod play;
mod savings;
mod shrink;
mod usage;

use std::time::Instant;

use history::History;
use installation::Installation;

use crate::harness::{Random, number, sharing};

/// Of one installation; a long campaign takes larger ones, since each has its topics.
const TOGETHER: usize = 100;
const MANY_TOGETHER: usize = 400;
const FAULTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_that_of_the_fold() {
    let count = number("RETRACE_TEST_HISTORIES").unwrap_or(300) as usize;
    let seed = number("RETRACE_TEST_SEED").unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
    let together = if count > 10 * TOGETHER { MANY_TOGETHER } else { TOGETHER };
    let _shared = sharing().await;
    let random = &mut Random::new(seed);
    let mut left = count;
    while left > 0 {
        let histories: Vec<History> = (0..left.min(together)).map(|_| History::draw(random)).collect();
        left -= histories.len();
        let started = Instant::now();
        let installation = Installation::start(random).await;
        random.next();
        let (installation, failures) = installation.play(&histories, FAULTS * histories.len().div_ceil(TOGETHER)).await;
        eprintln!(
            "{} histories, {} requests, seed {seed}: {} failed ({}; {:.1} s)",
            histories.len(),
            histories.iter().map(History::requests).sum::<usize>(),
            failures.len(),
            installation.settings(),
            started.elapsed().as_secs_f64()
        );
        eprintln!("commands accepted: {}", installation.commands());
        if let Some(first) = failures.first() {
            let shortest = shrink::shrink(installation, &histories[first.history]).await;
            panic!("seed {seed}: {}\n\nin this history:\n{}\n{shortest}", first.text, histories[first.history]);
        }
    }
}
