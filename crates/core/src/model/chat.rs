//! Requests to chat models and their completions.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Attempt, CallFacts, FinishReason, named};
use crate::text::reasoning;

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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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

/// Tokens as reported by the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Tokens")]
pub struct Usage {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Tokens of the request that the endpoint read from its own cache, where it says so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_prompt_tokens: u64,
}

fn is_zero(tokens: &u64) -> bool {
    *tokens == 0
}

impl Usage {
    /// Tokens of requests and answers, none of them from a cache of the endpoint.
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self { prompt_tokens, completion_tokens, cached_prompt_tokens: 0 }
    }

    /// Adds tokens, without overflow.
    pub fn add(&mut self, more: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
        self.cached_prompt_tokens = self.cached_prompt_tokens.saturating_add(more.cached_prompt_tokens);
    }

    /// Returns the tokens without those of a part.
    #[must_use]
    pub fn without(self, part: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_sub(part.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_sub(part.completion_tokens),
            cached_prompt_tokens: self.cached_prompt_tokens.saturating_sub(part.cached_prompt_tokens),
        }
    }
}

/// A call of a tool that an answer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// The name of the tool.
    pub name: String,
    /// The arguments as the model wrote them, usually JSON.
    pub arguments: String,
}

impl fmt::Display for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.arguments)
    }
}

/// A complete response of a model; its JSON is the form of a cached one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The text, also of a refusal.
    pub text: String,
    /// Reasoning that came before the text or in a field of its own; never graded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Calls of tools, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
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
    /// Where it came from; `None` where that is not known.
    #[serde(skip)]
    pub call: Option<CallFacts>,
}

impl Completion {
    /// A completion with a text and no metadata.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            reasoning: None,
            tool_calls: Vec::new(),
            refusal: false,
            finish_reason: FinishReason::Stop,
            usage: None,
            latency_ms: 0.0,
            model: None,
            system_fingerprint: None,
            attempts: Vec::new(),
            cached_at: None,
            call: None,
        }
    }
    /// Moves reasoning in front of the text to `reasoning`. An answer that ends within its reasoning is cut: it has no
    /// text, and ended by length.
    #[must_use]
    pub fn strip_reasoning(mut self) -> Self {
        let Some(split) = reasoning::split(&self.text) else { return self };
        if split.answer.is_none() {
            self.finish_reason = FinishReason::Length;
        }
        self.text = split.answer.unwrap_or_default();
        let parts = [self.reasoning.unwrap_or_default(), split.reasoning];
        let reasoning: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self.reasoning = Some(reasoning.join("\n\n")).filter(|text| !text.is_empty());
        self
    }

    /// Whether the answer is reasoning and nothing else.
    pub fn is_reasoning_alone(&self) -> bool {
        self.text.is_empty() && self.tool_calls.is_empty() && self.reasoning.is_some()
    }
}
