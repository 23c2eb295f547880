//! The contract between the stages: what is written to the log, and how it is read back. No I/O.
//!
//! The path of an event: a command builds an [`events::Event`], seals its content ([`sealing`]), wraps it in an
//! [`envelope::Envelope`], [`codec`] turns both into a Kafka record on the [`topics`] partition of its aggregate; a
//! projection reads the same record back with [`codec::decode`].

pub mod audit;
pub mod codec;
pub mod envelope;
pub mod events;
pub mod ids;
pub mod money;
pub mod prices;
pub mod sealing;
pub mod tapes;
pub mod topics;

pub use envelope::Envelope;
pub use events::Event;
pub use money::Money;
