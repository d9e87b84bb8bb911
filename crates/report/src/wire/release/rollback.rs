//! The output of `promptgate rollback`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.rollback/v1";

/// A rollback that was verified by reading the label back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate rollback v1")]
pub struct Rollback {
    /// Always `promptgate.rollback/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The label.
    pub label: String,
    /// The version that the label pointed at.
    pub from: String,
    /// The version that it points at now.
    pub to: String,
    /// Other effects, and steps that are left.
    pub notes: Vec<String>,
    /// Where the registry is.
    pub registry: String,
    /// Seconds for which the registry's server and an application's SDK may cache the previous version.
    pub cache_seconds: u64,
    /// Whether the SDK returns the previous version once more after that.
    pub stale_read: bool,
    /// The event that the ledger did not take, as a line of JSON; null if it did.
    pub pending: Option<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The JSON Schema of [`Rollback`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Rollback>("rollback")
}
