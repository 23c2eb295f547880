//! An installation on which many histories are played at once, while its services are stopped, dropped in mid-work and
//! joined by a second projector.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use runtime::Settings;

use super::check;
use super::commands::Counts;
use super::history::History;
use super::play::Play;
use crate::harness::gemini::Gemini;
use crate::harness::{Projector, Random, Retrace, free_port};

/// Histories in flight; more would only wait for two cores.
const AT_ONCE: usize = 50;
/// So many of a hundred installations have their workspace rebuilt from the log afterwards.
const REBUILDS: usize = 50;
/// Histories that are read again after it.
const SHOWN_AGAIN: usize = 20;

pub struct Installation {
    _gemini: Gemini,
    retrace: Retrace,
    random: Random,
    counts: Counts,
}

/// What a history was answered, and should not have been.
pub struct Failure {
    pub history: usize,
    pub text: String,
}

impl Installation {
    pub async fn start(random: &mut Random) -> Installation {
        let (flush_rows, flush_ms) = (random.between(1, 50), random.between(5, 80) as u64);
        let state_cache_spans = random.between(1, 20);
        let reread_seconds = *random.pick(&[0, 2, 120]);
        let gemini = Gemini::start().await;
        let retrace = Retrace::alone(|settings| {
            settings.gemini_api_key = "a key of tests".into();
            settings.gemini_url = gemini.url.clone();
            settings.listen = format!("127.0.0.1:{}", free_port());
            settings.flush_rows = flush_rows;
            settings.flush_ms = flush_ms;
            settings.state_cache_spans = state_cache_spans;
            settings.reread_seconds = reread_seconds;
            settings.freshness_wait_ms = 2_000;
            settings.known_ids_capacity = 1_000;
            settings.seen_interval_seconds = 2;
            settings.savings_min_calls = 1;
            settings.savings_min_cents_per_month = 0;
        })
        .await;
        Installation { _gemini: gemini, retrace, random: random.clone(), counts: Counts::new() }
    }

    pub fn settings(&self) -> String {
        let Settings { flush_rows, flush_ms, state_cache_spans, reread_seconds, .. } = &*self.retrace.settings;
        format!(
            "flush_rows {flush_rows}, flush_ms {flush_ms}, state_cache_spans {state_cache_spans}, reread_seconds {reread_seconds}"
        )
    }

    /// That it is not only refusals which are played.
    pub fn commands(&self) -> String {
        let counts = self.counts.iter().map(|(route, [accepted, all])| format!("{route} {accepted}/{all}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// Plays all, with so many faults meanwhile, and compares every answer with the fold.
    pub async fn play(mut self, histories: &[History], faults: usize) -> (Installation, Vec<Failure>) {
        let plays = Play::cast(&self.retrace, histories).await;
        let total = histories.iter().map(History::requests).sum();
        let sent = AtomicUsize::new(0);
        let settings = Arc::clone(&self.retrace.settings);
        let playing = each(&plays, |play| play.run(&settings, &sent));
        let ((retrace, random), played) =
            tokio::join!(disturb(self.retrace, self.random, faults, total, &sent), playing);
        (self.retrace, self.random) = (retrace, random);
        plays.iter().for_each(|play| play.answers.count(&mut self.counts));
        let mut failures = failures_of(played);
        self.retrace.settled().await;
        let fold = self.retrace.fold().await;
        let resources = fold.resources(None);
        let seed = self.random.next();
        // Each draws its own questions.
        let drawn = |play: &Play<'_>| Random::new(seed.wrapping_add(play.number as u64));
        let compared =
            each(&plays, |play| async { check::compare(play, &fold, &resources, &mut drawn(play)).await }).await;
        failures.extend(failures_of(compared));
        failures.extend(self.differing_rows(&plays).await);
        if failures.is_empty() && self.random.percent(REBUILDS) {
            self.retrace.rebuild_workspace().await;
            failures.extend(self.differing_rows(&plays).await);
            // The rows are those of before, so that a few tell whether they are shown from where they are now.
            let few = &plays[..plays.len().min(SHOWN_AGAIN)];
            let compared =
                each(few, |play| async { check::compare_workspace(play, &fold, &resources, &mut drawn(play)).await });
            failures.extend(failures_of(compared.await));
        }
        (self, failures)
    }

    /// Every row of every projection, beside the fold.
    async fn differing_rows(&self, plays: &[Play<'_>]) -> Vec<Failure> {
        let report = self.retrace.report().await;
        // Its differences name the tenants.
        let named = |play: &Play<'_>| {
            let of_play = |text: &&String| play.tenants.iter().any(|name| text.contains(name.as_str()));
            report.differences.iter().find(of_play).cloned()
        };
        let rows = plays.iter().enumerate().filter_map(|(history, play)| Some(Failure { history, text: named(play)? }));
        let failures: Vec<Failure> = rows.collect();
        assert!(report.is_exact() || !failures.is_empty(), "{report}");
        failures
    }
}

fn failures_of(outcomes: Vec<Result<(), String>>) -> Vec<Failure> {
    let failed = |(history, outcome): (usize, Result<(), String>)| Some(Failure { history, text: outcome.err()? });
    outcomes.into_iter().enumerate().filter_map(failed).collect()
}

/// The outcomes, in order; a bounded number runs at once.
async fn each<'p, 'h: 'p, F: Future<Output = Result<(), String>>>(
    plays: &'p [Play<'h>],
    task: impl Fn(&'p Play<'h>) -> F,
) -> Vec<Result<(), String>> {
    use futures::StreamExt;
    futures::stream::iter(plays.iter().map(task)).buffered(AT_ONCE).collect().await
}

/// At random points of the play: a restart, an abrupt end, or a second projector that comes and goes.
async fn disturb(
    mut retrace: Retrace,
    mut random: Random,
    faults: usize,
    total: usize,
    sent: &AtomicUsize,
) -> (Retrace, Random) {
    let mut points: Vec<usize> = (0..faults).map(|_| total * random.between(2, 95) / 100).collect();
    points.sort_unstable();
    let mut second = None;
    let deadline = Instant::now() + Duration::from_secs(300);
    for point in points {
        while sent.load(Ordering::Relaxed) < point {
            assert!(Instant::now() < deadline, "the histories do not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match random.below(5) {
            0 | 1 => retrace = retrace.crash().await,
            2 | 3 => retrace = retrace.restart().await,
            _ => {
                second.get_or_insert_with(|| Projector::join(&retrace.settings));
            }
        }
    }
    if let Some(second) = second {
        second.leave().await;
    }
    (retrace, random)
}
