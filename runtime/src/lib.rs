//! What every service shares: settings, errors, authentication, the HTTP frame, Kafka clients, telemetry, lifecycle.

pub mod auth;
pub mod flushes;
pub mod http;
pub mod kafka;
pub mod lifecycle;
pub mod metrics;
pub mod month;
pub mod plans;
pub mod position;
pub mod postgres;
pub mod problem;
pub mod progress;
pub mod settings;
pub mod tapes;
pub mod telemetry;

pub use problem::Problem;
pub use settings::Settings;
