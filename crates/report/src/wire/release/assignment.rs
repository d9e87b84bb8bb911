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
    /// Why, as a code: `split` by its bucket, `no_rollout` or `empty_unit`.
    pub code: String,
    /// Why, for people.
    pub reason: String,
    /// The bucket of the unit, in basis points; null unless it decided.
    pub bucket: Option<u32>,
    /// Units that are treated, in basis points; null without a rollout.
    pub basis_points: Option<u32>,
    /// The number of the rollout; null without one.
    pub rollout: Option<u64>,
    /// Its step, from 1; null without one.
    pub step: Option<u64>,
}

/// The JSON Schema of [`Assignment`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Assignment>("assignment")
}
