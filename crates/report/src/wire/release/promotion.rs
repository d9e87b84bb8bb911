//! The output of `promptgate promote`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.promotion/v1";

/// A promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate promotion v1")]
pub struct Promotion {
    /// Always `promptgate.promotion/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The version.
    pub version: String,
    /// The label: `staging` or `production`.
    pub label: String,
    /// The version that the label pointed at; null for a new label.
    pub from: Option<String>,
    /// The result.
    pub result: PromotionResult,
    /// The level whose controls were passed; null if they were not.
    pub level: Option<String>,
    /// The controls that are not met.
    pub obstacles: Vec<Obstacle>,
    /// Earlier moves that were finished or recorded on the way.
    pub notes: Vec<String>,
    /// Where the registry is.
    pub registry: String,
    /// Seconds for which the registry's server and an application's SDK may cache the previous version.
    pub cache_seconds: u64,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The result of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromotionResult {
    /// The label points at the version.
    Promoted,
    /// It pointed there before.
    Unchanged,
    /// Waiting does not help.
    Refused,
    /// Evidence, approvals or time are missing.
    Waiting,
    /// A rollback came between.
    RolledBack,
}

/// Something that a promotion or a publication lacks, or that rules it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Obstacle {
    /// The code.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// The next step; null where there is none.
    pub help: Option<String>,
}

/// The JSON Schema of [`Promotion`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Promotion>("promotion")
}
