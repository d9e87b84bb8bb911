//! The output of `promptgate approve`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.approval/v1";

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate approval v1")]
pub struct Approval {
    /// Always `promptgate.approval/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The version.
    pub version: String,
    /// The digest of its content.
    pub digest: String,
    /// Who approves.
    pub login: String,
    /// Teams of `approvers` that the login is a member of.
    pub teams: Vec<String>,
    /// How the login is known: `dispatch`, or `unverified`.
    pub source: String,
    /// The result.
    pub result: ApprovalResult,
    /// Why it was refused, one sentence each.
    pub reasons: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The result of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalResult {
    /// The ledger has it.
    Approved,
    /// The ledger had it before.
    Unchanged,
    /// It does not count, and was not recorded.
    Refused,
}

/// The JSON Schema of [`Approval`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Approval>("approval")
}
