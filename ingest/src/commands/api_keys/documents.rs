//! The bodies as the OpenAPI document shows them, and the two answers that show a key.

use runtime::auth::Scope;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Type};

use super::parse::{MOST_SCOPES, ROLES};
use crate::documents::{one_of, one_of_or_null};

#[derive(Serialize, ToSchema)]
pub struct ApiKeyCreatedOut {
    /// The only time the key is shown.
    pub key: String,
    pub prefix: String,
    pub created_at: String,
}

/// A key beside the user's current one.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct NamedApiKeyIn {
    /// Several keys may have one name
    #[schema(max_length = 256, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub name: String,
    #[schema(schema_with = scopes)]
    pub scopes: Vec<String>,
    /// Within the next ten years; default: it does not expire
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    #[schema(schema_with = role)]
    pub role: Option<String>,
}

/// What of a named key changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct NamedApiKeyPatch {
    #[schema(max_length = 256, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub name: Option<String>,
    #[schema(schema_with = changed_scopes)]
    pub scopes: Option<Vec<String>>,
    /// Within the next ten years; `null`: it does not expire any more
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

fn scopes() -> ArrayBuilder {
    let description = "`ingest` records traces, `write` is for this, reading and all other changes, `admin` for whatever the \
                       role allows";
    let scopes = ArrayBuilder::new().items(one_of(Scope::NAMES)).min_items(Some(1)).max_items(Some(MOST_SCOPES));
    scopes.description(Some(description))
}

fn changed_scopes() -> ArrayBuilder {
    let types = SchemaType::from_iter([Type::Array, Type::Null]);
    scopes().schema_type(types).description(Some("As a whole. Only owners and admins add to what they allow"))
}

fn role() -> ObjectBuilder {
    one_of_or_null(ROLES).description(Some("None above yours, which is the default"))
}

#[derive(Serialize, ToSchema)]
pub struct NamedApiKeyCreatedOut {
    pub id: String,
    /// The only time the key is shown.
    pub key: String,
    pub prefix: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub role: String,
    pub created_at: String,
    pub expires_at: Option<String>,
}
