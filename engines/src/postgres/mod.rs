//! Postgres as a child process, on the loopback address only and behind a generated password.

mod home;
mod recipe;
mod wire;

pub(crate) use recipe::PostgresRecipe;
