//! What the traces say about themselves, by the methods of the crate `insights`.

pub mod drift;
