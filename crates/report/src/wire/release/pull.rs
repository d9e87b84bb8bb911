//! The output of `promptgate pull`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.pull/v1";

/// The newest version of a registry, pulled into the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate pull v1")]
pub struct Pull {
    /// Always `promptgate.pull/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The registry's identifier of the version.
    pub id: String,
    /// Who wrote it; null where the registry does not know.
    pub author: Option<String>,
    /// Why; null where the registry has no message.
    pub reason: Option<String>,
    /// Where it went.
    pub result: PullResult,
    /// The version, if it was published from git; else null.
    pub version: Option<String>,
    /// The prompt's file, if it was written or has the content; else null.
    pub file: Option<String>,
    /// The new branch; null without one.
    pub branch: Option<String>,
    /// The commit on it; null without one.
    pub commit: Option<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// Where a version went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullResult {
    /// Nowhere: it was published from git.
    Published,
    /// Nowhere: the file has its content.
    Unchanged,
    /// Into the prompt's file.
    File,
    /// Onto a new branch.
    Branch,
}

/// The JSON Schema of [`Pull`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Pull>("pull")
}
