//! Prompts as files for an image: `promptgate.prompt/v1`, and their manifest `promptgate.bundle/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Message;

/// The value of `schema` in every prompt of this version.
pub const PROMPT_SCHEMA: &str = "promptgate.prompt/v1";
/// The value of `schema` in every manifest of this version.
pub const SCHEMA: &str = "promptgate.bundle/v1";
/// The file name of the manifest.
pub const MANIFEST_FILE: &str = "bundle.json";

/// A prompt at a version, with placeholders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate prompt v1")]
pub struct BundledPrompt {
    /// Always `promptgate.prompt/v1`.
    #[schemars(extend("const" = PROMPT_SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The version.
    pub version: String,
    /// SHA-256 over the canonical JSON (RFC 8785) of `content`.
    pub digest: String,
    /// The content.
    pub content: PromptContent,
}

/// Everything that an application needs to call the model, with placeholders: what a digest covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromptContent {
    /// `text` or `chat`.
    pub kind: String,
    /// Message templates with `{{name}}` placeholders.
    pub messages: Vec<Message>,
    /// The model's name.
    pub model: String,
    /// Request parameters beside messages and model; left out if there are none.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// The JSON Schema of answers; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_schema: Option<Value>,
}

/// The manifest: the prompts of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate bundle v1")]
pub struct Bundle {
    /// Always `promptgate.bundle/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompts, sorted by name. During a rollout, the version that is rolled out follows that of production.
    pub prompts: Vec<BundleEntry>,
    /// The assignments of the prompts.
    pub releases: BundledReleases,
}

/// The file of the assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundledReleases {
    /// The file, relative to the manifest.
    pub file: String,
    /// SHA-256 of the bytes of the file.
    pub file_digest: String,
    /// The `seq` of the ledger's.
    pub seq: u64,
}

/// A prompt of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleEntry {
    /// The prompt.
    pub name: String,
    /// The version.
    pub version: String,
    /// `control`, which production served, or `treatment`, which was rolled out.
    pub variant: String,
    /// The digest of its content.
    pub digest: String,
    /// The file, relative to the manifest.
    pub file: String,
    /// SHA-256 of the bytes of the file.
    pub file_digest: String,
    /// The position in the ledger that the version was read at; null where there is none.
    pub ledger_position: Option<String>,
}

/// The JSON Schema of [`Bundle`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Bundle>("bundle")
}

/// The JSON Schema of [`BundledPrompt`], draft 2020-12.
pub fn prompt_schema() -> Value {
    crate::wire::schema_of::<BundledPrompt>("prompt")
}
