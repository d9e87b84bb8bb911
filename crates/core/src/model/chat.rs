//! Requests to chat models and their completions.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Attempt, named};

named! {
    /// The role of a message's author.
    pub enum MessageRole {
        /// Instructions.
        System = "system",
        /// Instructions, in newer APIs.
        Developer = "developer",
        /// The user.
        User = "user",
        /// The model.
        Assistant = "assistant",
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// The role of the author.
    pub role: MessageRole,
    /// The text.
    pub content: String,
}

/// The requested form of structured output.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    /// `json_schema`, strict.
    JsonSchema {
        /// Name of the schema: letters, digits, `_`.
        name: String,
        /// The JSON Schema; its property order is the order of generation.
        schema: Arc<Value>,
    },
    /// `json_object`.
    JsonObject,
}

/// The purpose of a call. Judgements have priority over new completions, and their usage is counted separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A completion of a variant.
    Completion,
    /// A judgement.
    Judgement,
}

/// A request. Requests are the same if all fields are equal, including `repeat`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The model's name.
    pub model: String,
    /// The messages.
    pub messages: Vec<Message>,
    /// Parameters, sent as they are.
    pub parameters: Map<String, Value>,
    /// Structured output, if requested.
    pub response_format: Option<ResponseFormat>,
    /// The repeat, from 0; never sent.
    pub repeat: u32,
    /// The purpose; never sent.
    pub purpose: Purpose,
    /// Whether only completions of this session may come from the cache; never sent.
    pub refresh: bool,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The answer is complete.
    Stop,
    /// Token limit.
    Length,
    /// Content filter.
    ContentFilter,
    /// The model called a tool.
    ToolCalls,
    /// Any other value of the server; `null` is `Other("null")`.
    #[serde(untagged)]
    Other(String),
}

impl FinishReason {
    /// The name in JSON.
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

/// Tokens as reported by the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Tokens")]
pub struct Usage {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

impl Usage {
    /// Adds tokens, without overflow.
    pub fn add(&mut self, more: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
    }
}

/// A complete response of a model; its JSON is the form of a cached one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The text, also of a refusal.
    pub text: String,
    /// Whether the text came in the `refusal` field.
    pub refusal: bool,
    /// Why the model stopped.
    pub finish_reason: FinishReason,
    /// Tokens; `None` where the endpoint reported none.
    pub usage: Option<Usage>,
    /// Duration of the successful attempt, from sending to the last byte, in milliseconds.
    pub latency_ms: f64,
    /// The model that the response named.
    pub model: Option<String>,
    /// The `system_fingerprint` of the response.
    pub system_fingerprint: Option<String>,
    /// The failed attempts before it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Time of caching in seconds since 1970 (UTC); `None` for a new completion.
    #[serde(skip)]
    pub cached_at: Option<u64>,
}

impl Completion {
    /// A completion with a text and no metadata.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            refusal: false,
            finish_reason: FinishReason::Stop,
            usage: None,
            latency_ms: 0.0,
            model: None,
            system_fingerprint: None,
            attempts: Vec::new(),
            cached_at: None,
        }
    }
}
