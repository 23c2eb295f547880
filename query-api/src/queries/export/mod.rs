//! `GET /traces/export` and `GET /spans/export`: everything that the list's filters select, in one file, at one position.
//!
//! [`asked`] reads the request, [`columns`] say what is in the file, [`statement`] is the one `SELECT` that it comes from,
//! [`lines`] are its rows, [`csv`] writes them as such, [`file`](mod@file) makes pieces of the file of the rows, and
//! [`answer`] is all of it.

mod answer;
mod asked;
mod columns;
mod csv;
mod file;
mod lines;
mod statement;
mod values;

pub use answer::{spans, traces};
