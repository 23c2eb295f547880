//! The one binary: all in one (`up`), each service by itself, and the operator's commands.

pub mod banner;
pub mod cli;
pub mod commands;
pub mod local;
pub mod services;
pub mod up;
