//! The version that a unit is assigned: `promptgate.assignment/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema` in every assignment of this version.
pub const SCHEMA: &str = "promptgate.assignment/v1";

/// The version that a unit is assigned, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate assignment v1")]
pub struct Assignment {
    /// Always `promptgate.assignment/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The unit: a user, a session or a conversation.
    pub unit: String,
    /// The version.
    pub version: String,
    /// The digest of its content.
    pub digest: String,
    /// `control` or `treatment`.
    pub variant: String,
    /// Why, as a code: `no_rollout` or `empty_unit`.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

/// The JSON Schema of [`Assignment`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Assignment>("assignment")
}
