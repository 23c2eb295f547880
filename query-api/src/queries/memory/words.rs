//! Entries that have any of a query's words. How many of them an entry has comes first, then how often.

use runtime::Problem;
use sqlx::QueryBuilder;

use super::documents::{COLUMNS, MemoryHit, MemoryRow};
use super::search::Search;
use crate::stores::Workspace;

/// Of a query: more only cost.
const MOST_WORDS: usize = 100;

#[derive(sqlx::FromRow)]
struct Found {
    #[sqlx(flatten)]
    row: MemoryRow,
    score: f64,
}

pub async fn find(workspace: &Workspace, search: &Search) -> Result<Vec<MemoryHit>, Problem> {
    let mut words = words(workspace, &search.query).await?;
    words.truncate(MOST_WORDS);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let any = words.join(" | ");
    let mut columns = QueryBuilder::new(format!("SELECT {COLUMNS}, ((SELECT count(*) FROM unnest("));
    columns.push_bind(words.clone()).push("::text[]) AS word WHERE words @@ word::tsquery) - 1 + ts_rank_cd(words, ");
    columns.push_bind(any.clone()).push("::tsquery, 32)) / ").push_bind(words.len() as f64).push(" AS score");
    let mut query = workspace.select_by(columns, "@memory");
    // The tenant as a word of its entries: the index then finds no other's.
    query.push(" AND words @@ (").push_bind(any).push("::tsquery && quote_literal('tenant ' || md5(");
    query.push_bind(workspace.tenant().to_owned()).push("))::tsquery)");
    search.filters.narrow(&mut query);
    query.push(" ORDER BY score DESC, updated_at DESC, memory_id DESC LIMIT ").push_bind(search.limit);
    let found: Vec<Found> = workspace.all(query).await?;
    Ok(found.into_iter().map(|found| MemoryHit { entry: found.row.into(), score: found.score }).collect())
}

/// The distinct words of a query as the index has them, each quoted for a `tsquery`.
async fn words(workspace: &Workspace, query: &str) -> Result<Vec<String>, Problem> {
    let mut parsed = QueryBuilder::new("SELECT tsvector_to_array(to_tsvector('simple', ");
    parsed.push_bind(query.to_owned()).push("))");
    let (words,): (Vec<String>,) = workspace.one(parsed).await?.unwrap_or_default();
    Ok(words.iter().map(|word| quoted(word)).collect())
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_an_operator() {
        assert_eq!(quoted(r"it's | a\b"), r"'it''s | a\\b'");
    }
}
