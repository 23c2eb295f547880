//! `GET /tapes/explore`: what everybody has listed.
//!
//! Trending: the views of each of the last 30 days (UTC, today included), half as much for each three days that have passed
//! since; then the newest. Weights are whole numbers, so that sums do not depend on their order.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use lru::LruCache;
use runtime::http::parameters::EXPLORE_QUERY;
use runtime::{Problem, Settings};
use schemas::tapes::LONGEST_TAG;
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::documents::{TapeRow, TapesExplored};
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Tapes;

const DAYS: i64 = 30;
const HALF_LIFE_DAYS: f64 = 3.0;
/// Of a view of today.
const FULL_WEIGHT: f64 = 1_048_576.0;
/// Counted so far.
const COUNTED: u64 = 10_000;
/// Tapes of a ranking that are kept: pages of these are of one ranking.
const KEPT: u64 = 400;
/// Rankings that are kept.
const RANKINGS: usize = 64;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Asked {
    sort: String,
    tag: Option<String>,
    featured: Option<bool>,
}

struct Ranking {
    made: Instant,
    /// The first ones, and how many there are in all.
    tapes: Vec<TapeRow>,
    total: (u64, Option<&'static str>),
}

/// What was ranked in the last seconds.
pub struct Rankings {
    fresh: Duration,
    kept: Mutex<LruCache<Asked, Arc<Ranking>>>,
}

impl Rankings {
    pub fn new(settings: &Settings) -> Rankings {
        let fresh = Duration::from_secs(settings.explore_cache_seconds);
        let size = NonZeroUsize::new(RANKINGS).unwrap_or(NonZeroUsize::MIN);
        Rankings { fresh, kept: Mutex::new(LruCache::new(size)) }
    }

    /// Whoever asks while it is made waits for it.
    async fn of(&self, tapes: &Tapes, asked: &Asked) -> Result<Arc<Ranking>, Problem> {
        let mut kept = self.kept.lock().await;
        if let Some(ranking) = kept.get(asked).filter(|ranking| ranking.made.elapsed() < self.fresh) {
            return Ok(Arc::clone(ranking));
        }
        let first = tapes.all(asked.ranked(tapes, (KEPT, 0))).await?;
        let mut counted = tapes.counted();
        asked.narrow(&mut counted);
        let count = tapes.count(counted, COUNTED + 1).await?;
        let total = if count > COUNTED { (COUNTED, Some("at_least")) } else { (count, None) };
        let ranking = Arc::new(Ranking { made: Instant::now(), tapes: first, total });
        kept.put(asked.clone(), Arc::clone(&ranking));
        Ok(ranking)
    }
}

impl Asked {
    fn read(params: &mut Params) -> Asked {
        let tag = params.text("tag");
        let is_tag = |tag: &String| (1..=LONGEST_TAG).contains(&tag.chars().count()) && !tag.contains('\0');
        if tag.as_ref().is_some_and(|tag| !is_tag(tag)) {
            params.fault(format!("tag is not 1 to {LONGEST_TAG} characters without NUL"));
        }
        let sort = params.one_of("sort").unwrap_or_else(|| "trending".to_owned());
        Asked { sort, tag, featured: params.one_of("featured").map(|featured| featured == "true") }
    }

    fn narrow(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(tag) = &self.tag {
            query.push(" AND tapes.tags @> ").push_bind(vec![tag.clone()]);
        }
        if let Some(featured) = self.featured {
            query.push(" AND tapes.featured = ").push_bind(featured);
        }
    }

    fn ranked(&self, tapes: &Tapes, (limit, offset): (u64, u64)) -> QueryBuilder<Postgres> {
        let (mut query, first) = match self.sort.as_str() {
            "newest" => (tapes.listed(), ""),
            "popular" => (tapes.listed(), "tapes.views DESC, "),
            _ => {
                let (days, weights) = weights(OffsetDateTime::now_utc().unix_timestamp().div_euclid(86_400));
                (tapes.listed_by_trend(days, weights), "coalesce(trend, 0) DESC, ")
            }
        };
        self.narrow(&mut query);
        query.push(format!(" ORDER BY {first}tapes.created_at DESC, tapes.tape_id DESC LIMIT {limit} OFFSET {offset}"));
        query
    }
}

/// Days, and what a view of each weighs.
fn weights(today: i64) -> (Vec<i64>, Vec<i64>) {
    let weight = |age: i64| (FULL_WEIGHT * 0.5_f64.powf(age as f64 / HALF_LIFE_DAYS)).round() as i64;
    (0..DAYS).map(|age| (today - age, weight(age))).unzip()
}

pub async fn explore(
    State(state): State<AppState>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let mut params = Params::new(pairs, EXPLORE_QUERY);
    let (limit, offset) = (params.whole("limit"), params.whole("offset"));
    let asked = Asked::read(&mut params);
    params.finish()?;
    let tapes = state.postgres.tapes().await?;
    let ranking = state.rankings.of(&tapes, &asked).await?;
    let rows: Vec<TapeRow> = if offset + limit <= KEPT {
        ranking.tapes.iter().skip(offset as usize).take(limit as usize).cloned().collect()
    } else {
        tapes.all(asked.ranked(&tapes, (limit, offset))).await?
    };
    let (total, total_is) = ranking.total;
    let tapes = rows.into_iter().map(|row| row.shown(&state.base_url)).collect();
    let max_age = format!("public, max-age={}", state.rankings.fresh.as_secs());
    Ok(([(header::CACHE_CONTROL, max_age)], Json(TapesExplored { tapes, total, total_is, limit, offset }))
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_weighs_half_as_much_after_three_days() {
        let (days, weights) = weights(20_000);
        assert_eq!((days[0], days[29], days.len()), (20_000, 19_971, 30));
        assert_eq!((weights[0], weights[3], weights[6], weights[29]), (1_048_576, 524_288, 262_144, 1290));
    }
}
