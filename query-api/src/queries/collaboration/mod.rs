//! Comments, assignments and notifications.

pub mod assignments;
pub mod comments;
pub mod documents;
pub mod notifications;

use runtime::Problem;
use schemas::ids;
use uuid::Uuid;

use crate::params::Params;

/// No other text can name a resource.
fn path_id(id: &str, what: &str) -> Result<Uuid, Problem> {
    ids::resource_id(id).and_then(|id| Uuid::try_parse(&id).ok()).ok_or_else(|| Problem::not_found(what))
}

/// A trace or span id, lower-cased.
fn id_of(params: &mut Params, name: &str, accept: fn(&str) -> Result<String, &'static str>) -> Option<String> {
    match accept(&params.text(name)?) {
        Ok(id) => Some(id),
        Err(fault) => {
            params.fault(format!("{name} {fault}"));
            None
        }
    }
}
