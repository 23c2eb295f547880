//! Who is asking: an API key or a bearer token becomes a [`Principal`].

mod authenticate;
mod jwt;
pub mod keyring;
mod principal;
mod role;

pub use authenticate::{Authenticator, Credentials};
pub use jwt::JwtVerifier;
pub use keyring::{KeyRing, StoredKey, hash_key, new_key};
pub use principal::Principal;
pub use role::Role;
