//! A request to a chat model and what came back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Instructions.
    System,
    /// Instructions, in the newer dialect.
    Developer,
    /// The user.
    User,
    /// An earlier answer of the model.
    Assistant,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Speaker,
    /// The text.
    pub content: String,
}

/// The structured-output request of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    /// `json_schema`, strict, with a name and a schema.
    JsonSchema {
        /// Name of the schema: letters, digits, `_`.
        name: String,
        /// The JSON Schema; its property order is the order of generation.
        schema: Arc<Value>,
    },
    /// `json_object`.
    JsonObject,
}

/// Why a call is made; judges go before new completions, and usage is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// An answer of a variant.
    Completion,
    /// A judgement.
    Judgement,
}

/// One logical request. Equal requests with equal `repeat` are the same request.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The model's name.
    pub model: String,
    /// The messages.
    pub messages: Vec<Message>,
    /// Parameters passed on as they are.
    pub parameters: Map<String, Value>,
    /// Structured output, if asked for.
    pub response_format: Option<ResponseFormat>,
    /// Which repeat this is, from 0; never sent.
    pub repeat: u32,
    /// Why the call is made; never sent.
    pub purpose: Purpose,
    /// Whether an answer from the cache must be of this session; never sent.
    pub refresh: bool,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done.
    Stop,
    /// It ran into the token limit.
    Length,
    /// A filter cut it.
    ContentFilter,
    /// It wanted to call a tool.
    ToolCalls,
    /// Anything else, as the server said it; `null` is `Other("null")`.
    #[serde(untagged)]
    Other(String),
}

impl FinishReason {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::ToolCalls => "tool_calls",
            Self::Other(other) => other,
        }
    }
}

/// Tokens as the endpoint reported them; 0 where it reported none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

impl Usage {
    /// Adds tokens.
    pub fn add(&mut self, more: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text; of a refusal, its text.
    pub text: String,
    /// Whether the text came in the `refusal` field.
    pub refusal: bool,
    /// Why the model stopped.
    pub finish_reason: FinishReason,
    /// Tokens; `None` where the endpoint did not say.
    pub usage: Option<Usage>,
    /// The attempt that succeeded, send to last byte, in milliseconds.
    pub latency_ms: f64,
    /// The model that answered, as it said.
    pub model: Option<String>,
    /// `system_fingerprint`, as it said.
    pub system_fingerprint: Option<String>,
    /// When it was cached, in seconds since 1970 (UTC), where it came from a cache.
    pub cached_at: Option<u64>,
}

impl Completion {
    /// A whole answer of which nothing is known but its text.
    pub fn said(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            refusal: false,
            finish_reason: FinishReason::Stop,
            usage: None,
            latency_ms: 0.0,
            model: None,
            system_fingerprint: None,
            cached_at: None,
        }
    }
}
