//! The HTTP frame around every handler: routes, gate, limits, bodies, errors.

pub mod body;
mod client_ip;
mod frame;
mod gate;
pub mod health;
mod limits;
pub mod openapi;
pub mod parameters;
mod rooms;
pub mod routes;
mod times;
mod whole;

pub use body::{FileBody, InflightBytes, RequestBody};
pub use client_ip::ClientIp;
pub use frame::{RequestNames, compose, serve};
pub use gate::{Gate, Internal};
pub use limits::Limits;
pub use rooms::Rooms;
pub use routes::Service;
pub use times::{micros_rfc3339, rfc3339};
pub use whole::whole;
