//! Which entries are meant: those that have not expired, of a scope, a category, a project, a session.

use sqlx::{Postgres, QueryBuilder};

use crate::params::Params;

/// Time is judged here, when it is read: a fold has no clock.
pub const IS_ALIVE: &str = " AND (expires_at IS NULL OR expires_at > now())";

#[derive(Debug, Default)]
pub struct Filters {
    pub scope: Option<String>,
    pub category: Option<String>,
    pub project_id: Option<String>,
    pub session_id: Option<String>,
    pub key: Option<String>,
}

impl Filters {
    pub fn read(params: &mut Params) -> Filters {
        Filters {
            scope: params.one_of("scope"),
            category: params.one_of("category"),
            project_id: params.text("project_id"),
            session_id: params.text("session_id"),
            key: params.text("key"),
        }
    }

    pub fn narrow(&self, query: &mut QueryBuilder<Postgres>) {
        query.push(IS_ALIVE);
        for (column, value) in [
            ("scope", &self.scope),
            ("category", &self.category),
            ("project_id", &self.project_id),
            ("session_id", &self.session_id),
            ("key", &self.key),
        ] {
            if let Some(value) = value {
                query.push(format!(" AND {column} = ")).push_bind(value.clone());
            }
        }
    }
}
