//! The commands of operators and users.

pub mod dead_letters;
pub mod demo;
pub mod diff;
pub mod documents;
mod door;
mod figures;
pub mod keys;
pub mod lag;
pub mod migrate;
pub mod plans;
pub mod prices;
pub mod rebuild;
pub mod reprice;
pub mod tape;
mod terminal;
pub mod trace;
pub mod verify;
