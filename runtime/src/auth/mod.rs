//! Who is asking: an API key or a bearer token becomes a [`Principal`].

mod authenticate;
mod jwt;
pub mod keyring;
mod principal;
mod role;
mod scope;
pub mod seen;

pub use authenticate::{Authenticator, Credentials};
pub use jwt::JwtVerifier;
pub use keyring::{KeyRing, StoredKey, hash_key, new_key, prefix_of};
pub use principal::{KeyRights, Principal};
pub use role::Role;
pub use scope::{Scope, Scopes};
pub use seen::Seen;
