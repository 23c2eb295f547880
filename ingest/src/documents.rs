//! Schemas that several bodies have in common and no type says.

use serde_json::{Value, json};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, Type};

/// A text of these.
pub fn one_of(names: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.iter().copied()))
}

/// Null says that the field is not there.
pub fn one_of_or_null(names: &[&str]) -> ObjectBuilder {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    let names = names.iter().map(|name| json!(name)).chain([Value::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(names))
}

/// Null says that the field is not there.
pub fn any_but_null() -> ObjectBuilder {
    let types = [Type::Array, Type::Boolean, Type::Number, Type::Object, Type::String];
    ObjectBuilder::new().schema_type(SchemaType::from_iter(types))
}
