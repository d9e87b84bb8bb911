//! The content of a prompt version, which its digest covers.

use promptgate_core::model::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, canonical};

/// The form in which applications receive a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptKind {
    /// One system text; the user message is the application's.
    Text,
    /// A list of messages.
    Chat,
}

impl PromptKind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Chat => "chat",
        }
    }
}

/// Everything that an application needs to call the model, unrendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The form.
    pub kind: PromptKind,
    /// Message templates with `{{name}}` placeholders; a text prompt is one system message, followed by the template
    /// of its user message.
    pub messages: Vec<Message>,
    /// The model's name as sent.
    pub model: String,
    /// Request parameters beside messages and model, as sent.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// The JSON Schema of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_schema: Option<Value>,
}

impl Content {
    /// The SHA-256 of the canonical JSON of this content.
    pub fn digest(&self) -> Digest {
        canonical::digest(self)
    }
}
