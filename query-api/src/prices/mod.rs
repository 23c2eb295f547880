//! What models cost: the tables in force for a caller, and an entry as answers show it.

mod in_force;
mod shown;

pub use in_force::{InForce, Prices};
pub use shown::{Found, ModelPrice, PriceTier, found};
