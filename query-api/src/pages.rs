//! Pages of a list in Postgres, mostly the newest first: by cursor or by offset, with a count that is bounded.

use runtime::Problem;
use runtime::position::Signer;
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::params::Params;
use crate::stores::Workspace;

/// Lists are counted this far unless an exact count is asked for.
const COUNTED: u64 = 10_000;

/// What a list is sorted by: when its rows were made, then their ids.
#[derive(Clone, Copy)]
pub struct Place {
    pub created_at: OffsetDateTime,
    pub id: Uuid,
}

pub struct Page {
    pub limit: u64,
    pub offset: u64,
    exact: bool,
    after: Option<Place>,
    /// The list with its filters, which cursors are bound to.
    purpose: String,
}

impl Page {
    pub fn read(params: &mut Params, signer: &Signer, purpose: String) -> Page {
        let limit = params.whole("limit");
        let offset = params.whole("offset");
        let exact = params.one_of("count").is_some();
        let cursor = Cursor::asked(params, signer, &purpose);
        if cursor.is_some() && offset > 0 {
            params.fault("offset and cursor exclude each other".to_owned());
        }
        Page { limit, offset, exact, after: cursor.as_ref().and_then(Place::of), purpose }
    }

    /// Ends a query: what is behind the cursor, in order, one row more than the page has.
    pub fn end(&self, query: &mut QueryBuilder<Postgres>, created_at: &str, id: &str) {
        if let Some(after) = self.after {
            query.push(format!(" AND ({created_at}, {id}) < ("));
            query.push_bind(after.created_at).push(", ").push_bind(after.id).push(")");
        }
        query.push(format!(" ORDER BY {created_at} DESC, {id} DESC LIMIT {} OFFSET {}", self.limit + 1, self.offset));
    }

    /// As [`Self::end`], of a list that has the oldest first.
    pub fn end_oldest_first(&self, query: &mut QueryBuilder<Postgres>, created_at: &str, id: &str) {
        if let Some(after) = self.after {
            query.push(format!(" AND ({created_at}, {id}) > ("));
            query.push_bind(after.created_at).push(", ").push_bind(after.id).push(")");
        }
        query.push(format!(" ORDER BY {created_at}, {id} LIMIT {} OFFSET {}", self.limit + 1, self.offset));
    }

    /// Takes the row beyond the page off, and says where the next one begins.
    pub fn next_cursor<R>(&self, signer: &Signer, rows: &mut Vec<R>, place: impl Fn(&R) -> Place) -> Option<String> {
        let is_more = rows.len() as u64 > self.limit;
        rows.truncate(self.limit as usize);
        let last = rows.last().filter(|_| is_more)?;
        Some(place(last).cursor().write(signer, &self.purpose))
    }

    pub async fn total(
        &self,
        rows: &Workspace,
        counted: QueryBuilder<Postgres>,
    ) -> Result<(u64, Option<&'static str>), Problem> {
        total(rows, counted, self.exact).await
    }
}

/// The count, and what it is where it is not exact.
pub async fn total(
    rows: &Workspace,
    counted: QueryBuilder<Postgres>,
    exact: bool,
) -> Result<(u64, Option<&'static str>), Problem> {
    let at_most = if exact { i64::MAX as u64 } else { COUNTED + 1 };
    let count = rows.count(counted, at_most).await?;
    Ok(if !exact && count > COUNTED { (COUNTED, Some("at_least")) } else { (count, None) })
}

impl Place {
    fn cursor(self) -> Cursor {
        let micros = self.created_at.unix_timestamp_nanos() / 1000;
        Cursor { value: micros.to_string(), id: self.id.to_string() }
    }

    /// Of a cursor that is signed, so that it can only be one of ours.
    fn of(cursor: &Cursor) -> Option<Place> {
        let micros: i128 = cursor.value.parse().ok()?;
        let created_at = OffsetDateTime::from_unix_timestamp_nanos(micros * 1000).ok()?;
        Some(Place { created_at, id: Uuid::try_parse(&cursor.id).ok()? })
    }
}
