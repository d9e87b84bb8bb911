//! The events of a ledger: `promptgate.log/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Actor;

/// The value of `schema` in every log of this version.
pub const SCHEMA: &str = "promptgate.log/v1";

/// Events in the order of their time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate log v1")]
pub struct Log {
    /// Always `promptgate.log/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Where the ledger is.
    pub ledger: String,
    /// The events.
    pub events: Vec<LogEntry>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// The prompt.
    pub name: String,
    /// The position among the events of the prompt, from 1.
    pub position: usize,
    /// When it was appended.
    pub at: String,
    /// Who appended it.
    pub actor: Actor,
    /// A sentence about it.
    pub text: String,
    /// The event as it is in the ledger.
    pub event: Value,
}

/// The JSON Schema of [`Log`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Log>("log")
}
