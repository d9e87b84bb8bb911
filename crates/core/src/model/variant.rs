//! A prompt with its model and parameters.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Message;

/// Which side of the comparison a variant is on in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The changed prompt that wants to be merged.
    Candidate,
    /// What it is compared with.
    Baseline,
}

/// A variant: message templates, model and parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// What the report says of it.
    pub facts: VariantFacts,
    /// The messages, contents holding `{{name}}` placeholders still.
    pub messages: Vec<Message>,
    /// For each message, the line of `facts.prompt.source` its content starts on (1-based; 0: not from that file).
    pub lines: Vec<usize>,
}

/// Provenance of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantFacts {
    /// The prompt.
    pub prompt: PromptFacts,
    /// The model's name as sent.
    pub model: String,
    /// Request parameters beside messages and model, as sent.
    pub parameters: Map<String, Value>,
}

/// Provenance of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptFacts {
    /// File name without folder and endings, unless the front matter names it.
    pub name: String,
    /// The front matter's version, else the first twelve digits of the digest.
    pub version: String,
    /// `sha256:…` of the file's bytes.
    pub digest: String,
    /// Where it was read: `prompts/support.md`, `git:main:prompts/support.md`.
    pub source: String,
    /// The commit it was read from, in full, where that is known.
    pub commit: Option<String>,
}
