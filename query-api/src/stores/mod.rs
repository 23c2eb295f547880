//! Handles of the stores. What holds tenants' data cannot be asked without a tenant, but for what is published.

mod as_of;
mod clickhouse;
mod generations;
mod postgres;
mod tapes;
mod workspace;

pub use as_of::{AsOf, is_overtaken};
pub use clickhouse::{ClickHouse, Tenant, down};
pub use generations::Generations;
pub use postgres::{Postgres, PriceTable};
pub use tapes::Tapes;
pub use workspace::Workspace;
