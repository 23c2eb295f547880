//! The operator's commands.

pub mod dead_letters;
pub mod demo;
pub mod documents;
pub mod keys;
pub mod lag;
pub mod migrate;
pub mod plans;
pub mod prices;
pub mod rebuild;
pub mod reprice;
pub mod verify;
