//! API keys: whether the caller has a current one, the list, and one. Never a hash.

mod current;
pub mod documents;
mod list;
mod one;

use runtime::auth::Principal;
use runtime::http::routes::Needs;
use sqlx::{Postgres, QueryBuilder};

pub use current::get;
pub use list::list;
pub use one::get as get_one;

/// Owners and admins see everybody's keys; others, and keys that may not administer, their user's.
fn visible(principal: &Principal, query: &mut QueryBuilder<Postgres>) {
    if !principal.may(Needs::Administering) {
        query.push(" AND user_id = ").push_bind(principal.user.clone());
    }
}
