//! `GET /insights/anomalies`: the [`windows`] of a moment, the traces in them, what the method makes of them, and what it
//! rests on ([`evidence`]). The [`backtest`] asks the same of every moment of a period.

mod backtest;
mod detect;
pub mod documents;
mod evidence;
mod windows;

pub use backtest::backtest;
pub use detect::anomalies;
