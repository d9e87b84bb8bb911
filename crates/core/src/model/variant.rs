//! A prompt with its model and parameters.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Message, MessageRole, Protocol, PublishedVersion, named};

named! {
    /// The role of a variant in the comparison.
    pub enum Role {
        /// The changed prompt.
        Candidate = "candidate",
        /// The prompt that the candidate is compared with.
        Baseline = "baseline",
    }
}

/// A variant: message templates, model and parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its provenance.
    pub facts: VariantFacts,
    /// The messages, whose contents hold `{{name}}` placeholders.
    pub messages: Vec<Message>,
    /// For each message, the line of `facts.prompt.source` where its content starts, from 1; 0 for a message from
    /// elsewhere.
    pub lines: Vec<usize>,
    /// The application that answers in place of a model; the messages are then only passed to it.
    pub application: Option<Application>,
}

/// An application that answers for a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// The digest of its code and settings. Equal identities give equal answers, apart from noise.
    pub identity: String,
    /// The prompt that it is given with each case: name, version, text and path.
    pub prompt: Option<Arc<Value>>,
    /// Whether its answers are recorded, so that only the last turn of a conversation has one.
    pub is_recorded: bool,
}

/// A prompt with its model and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Variant")]
pub struct VariantFacts {
    /// The prompt.
    pub prompt: PromptFacts,
    /// The model's name as sent.
    pub model: String,
    /// Request parameters beside messages and model, as sent.
    pub parameters: Map<String, Value>,
    /// The API of its endpoint; absent for openai.
    #[serde(default, skip_serializing_if = "Protocol::is_default")]
    pub protocol: Protocol,
    /// `sha256:…` of what is published of it: messages, model, parameters and answer schema as canonical JSON (RFC 8785);
    /// absent in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<String>,
    /// The published version that it was read from; absent for files and commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedVersion>,
    /// The application that answers; absent for a prompt with a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationFacts>,
    /// The messages of the prompt as written, those of the configuration included, with placeholders; absent in reports of
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<PromptMessage>,
}

/// Provenance of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Application")]
pub struct ApplicationFacts {
    /// Its command, its address, or the path of its recorded answers.
    pub source: String,
    /// `sha256:…` of its files and of how it is called.
    pub digest: String,
    /// The full hash of the commit that it was run from; null for the work tree.
    pub commit: Option<String>,
    /// Whether its configuration says that the same case always gets the same answer; absent if it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deterministic: bool,
}

/// A message of a prompt as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromptMessage {
    /// The role of the author.
    pub role: MessageRole,
    /// The text, with `{{name}}` placeholders.
    pub content: String,
    /// Characters that are left out at the end of a very long text; absent where it is whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: usize,
}

fn is_zero(characters: &usize) -> bool {
    *characters == 0
}

impl Variant {
    /// The facts, with the messages as written.
    pub fn facts_with_messages(&self) -> VariantFacts {
        let messages = self.messages.iter().map(PromptMessage::from).collect();
        VariantFacts { messages, ..self.facts.clone() }
    }
}

impl From<&Message> for PromptMessage {
    fn from(message: &Message) -> Self {
        Self { role: message.role, content: message.text().into_owned(), omitted: 0 }
    }
}

/// Provenance of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Prompt")]
pub struct PromptFacts {
    /// Its name: from the front matter, else the file name without folder and extensions.
    pub name: String,
    /// Its version: from the front matter, else the first twelve digits of the digest.
    pub version: String,
    /// `sha256:…` of the file's bytes; of a published version, that of its content.
    pub digest: String,
    /// Its path, with a commit where it was read from one, or the version of a ledger: `prompts/support.md`,
    /// `git:main:prompts/support.md`, `registry:support/reply@2.4.0`.
    pub source: String,
    /// The full hash of the commit it was read from; null where that is not known.
    pub commit: Option<String>,
}
