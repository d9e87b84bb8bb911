//! A prompt with its variables inserted: `promptgate.compiled/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Message;

/// The value of `schema` in every compiled prompt of this version.
pub const SCHEMA: &str = "promptgate.compiled/v1";

/// A prompt at a version, with its variables inserted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate compiled v1")]
pub struct Compiled {
    /// Always `promptgate.compiled/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The prompt.
    pub name: String,
    /// The version.
    pub version: String,
    /// The label that was asked for; null for a version.
    pub label: Option<String>,
    /// The digest of the content, before variables are inserted.
    pub digest: String,
    /// `text` or `chat`.
    pub kind: String,
    /// The messages; the system message alone for a text prompt, whose user message is the application's.
    pub messages: Vec<Message>,
    /// The model's name.
    pub model: String,
    /// Request parameters beside messages and model.
    pub parameters: Map<String, Value>,
    /// The JSON Schema of answers; null without one.
    pub answer_schema: Option<Value>,
}

/// The JSON Schema of [`Compiled`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Compiled>("compiled")
}
