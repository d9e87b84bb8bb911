//! The output of `promptgate reconcile`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.reconciliation/v1";

/// A comparison of the registry with the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate reconciliation v1")]
pub struct Reconciliation {
    /// Always `promptgate.reconciliation/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// Where the registry is.
    pub registry: String,
    /// Whether both agree now.
    pub agree: bool,
    /// The differences that were found.
    pub differences: Vec<Difference>,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The difference.
    pub message: String,
    /// The repair that was made, or would be; null for a difference that has to be repaired by hand.
    pub repair: Option<String>,
    /// Whether it was done.
    pub done: bool,
}

/// The JSON Schema of [`Reconciliation`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Reconciliation>("reconciliation")
}
