//! The output of `promptgate publish`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::promotion::Obstacle;

/// The value of `schema`.
pub const SCHEMA: &str = "promptgate.publication/v1";

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate publication v1")]
pub struct Publication {
    /// Always `promptgate.publication/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The version; null where none was published.
    pub version: Option<String>,
    /// The digest of the content.
    pub digest: String,
    /// Its level; null where none was published.
    pub level: Option<String>,
    /// Why that level.
    pub level_reasons: Vec<String>,
    /// The result.
    pub result: PublicationResult,
    /// Why it was refused.
    pub obstacles: Vec<Obstacle>,
    /// The identifier in the registry; null with the embedded one.
    pub registry_id: Option<String>,
    /// Remarks, such as approvals that count or do not.
    pub notes: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The result of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicationResult {
    /// A new version.
    Published,
    /// The content was published before, and the evaluation is new.
    Evaluated,
    /// The content was published before, with a newer evaluation than this one, which was not recorded.
    Outdated,
    /// Content and evaluation were published before, and approvals are new.
    Approved,
    /// Nothing is new.
    Unchanged,
    /// The evaluation is no evidence for it.
    Refused,
}

/// The JSON Schema of [`Publication`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Publication>("publication")
}
