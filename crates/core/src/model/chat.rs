//! Requests to chat models and their completions.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Attempt, CallFacts, Fault, FinishReason, named};
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
        /// A tool, whose result the message is.
        Tool = "tool",
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The role of the author.
    pub role: MessageRole,
    /// The text.
    pub content: String,
    /// Images after the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// Calls of tools by the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The id of the call whose result the message is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

impl Message {
    /// A message of text alone.
    pub fn new(role: MessageRole, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), images: Vec::new(), tool_calls: Vec::new(), tool_call_id: None }
    }
}

/// An image of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// An `https:` address, or a `data:` URL with the bytes in base64; in reports, media type and digest of the bytes.
    // While a suite is loaded, also the path of a file.
    pub url: String,
}

impl Image {
    /// The path of an image whose file is not read yet.
    pub fn path(&self) -> Option<&str> {
        let is_address = self.url.starts_with("https:") || self.url.starts_with("data:");
        (!is_address).then_some(self.url.as_str())
    }

    /// The address, or media type and digest of the bytes: `image/png sha256:9f86d081884c`.
    pub fn describe(&self) -> Cow<'_, str> {
        let data = self.url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
        let Some((kind, base64)) = data else { return Cow::Borrowed(&self.url) };
        let media_type = kind.split(';').next().filter(|kind| !kind.is_empty()).unwrap_or("image");
        let bytes = STANDARD.decode(base64).unwrap_or_else(|_| base64.as_bytes().to_vec());
        let digest = Sha256::digest(bytes);
        let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Cow::Owned(format!("{media_type} sha256:{digits}"))
    }
}

/// An earlier turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// The question.
    pub query: String,
    /// The reply.
    pub reply: Message,
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

/// The purpose of a call. Judgements and embeddings have priority over new completions, and their usage is counted
/// separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A completion of a variant.
    Completion,
    /// A judgement.
    Judgement,
    /// The embeddings of texts, each a message. The text of the completion is a JSON list with a list of numbers for each.
    Embedding,
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
    /// The input of an application, which takes the place of messages; `None` for a model.
    pub input: Option<Arc<Value>>,
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// The id with which a result refers to it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the tool.
    pub name: String,
    /// The arguments as the model wrote them, usually JSON.
    pub arguments: String,
}

impl Message {
    /// The message in the form of chat completions.
    pub fn to_chat(&self) -> Value {
        let text = (!self.content.is_empty()).then(|| json!({"type": "text", "text": self.content}));
        let image = |image: &Image| json!({"type": "image_url", "image_url": {"url": image.url}});
        let content = match self.images.is_empty() {
            true => Value::from(self.content.as_str()),
            false => text.into_iter().chain(self.images.iter().map(image)).collect(),
        };
        let mut message = json!({"role": self.role, "content": content});
        if !self.tool_calls.is_empty() {
            let call = |call: &ToolCall| {
                let function = json!({"name": call.name, "arguments": call.arguments});
                json!({"id": call.id, "type": "function", "function": function})
            };
            message["tool_calls"] = self.tool_calls.iter().map(call).collect();
        }
        if let Some(id) = &self.tool_call_id {
            message["tool_call_id"] = Value::from(id.as_str());
        }
        message
    }

    /// The text as judges and readers see it, with a line for each tool call and each image.
    pub fn text(&self) -> Cow<'_, str> {
        let text = with_tool_calls(&self.content, &self.tool_calls);
        if self.images.is_empty() {
            return text;
        }
        let images: Vec<String> =
            self.images.iter().map(|image| format!("[image {}]", image.describe())).collect();
        let separator = if text.trim().is_empty() { "" } else { "\n\n" };
        Cow::Owned(format!("{}{separator}{}", text.trim_end(), images.join("\n")))
    }
}

/// The text of an answer, and after it a line for each tool call, `[tool call] refund({"order": 7})`, as judges read it.
pub fn with_tool_calls<'a>(text: &'a str, calls: &[ToolCall]) -> Cow<'a, str> {
    if calls.is_empty() {
        return Cow::Borrowed(text);
    }
    let calls: Vec<String> = calls.iter().map(|call| format!("[tool call] {call}")).collect();
    let separator = if text.trim().is_empty() { "" } else { "\n\n" };
    Cow::Owned(format!("{}{separator}{}", text.trim_end(), calls.join("\n")))
}

impl fmt::Display for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.arguments)
    }
}

/// The effect of `transform` on an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transformed {
    /// The answer as it came, after its reasoning; absent where it could not be transformed, and where only its command
    /// failed before anything changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Why it could not be transformed; it then scores 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why its command failed; the answer is then ungraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A complete response of a model; its JSON is the form of a cached one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The text, also of a refusal.
    pub text: String,
    /// Reasoning that came before the text or in a field of its own; never graded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The answer before `transform`, or why that could not be applied; `None` where it changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformed: Option<Transformed>,
    /// Calls of tools, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The turns before this answer, where the case has several; their tokens, time and cost are part of the sums here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// Whether the text came in the `refusal` field.
    pub refusal: bool,
    /// The passages that an application retrieved; `None` where it reports none. They take the place of the case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contexts: Option<Vec<String>>,
    /// The ids of these passages, in their order; empty where none has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context_ids: Vec<Option<String>>,
    /// Why the model stopped.
    pub finish_reason: FinishReason,
    /// Tokens; `None` where the endpoint reported none.
    pub usage: Option<Usage>,
    /// Duration of the successful attempt, from sending to the last byte, in milliseconds.
    pub latency_ms: f64,
    /// Time from sending to the first token of a stream, in milliseconds; `None` without a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Cost in US dollars, as an application reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
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
            transformed: None,
            tool_calls: Vec::new(),
            turns: Vec::new(),
            refusal: false,
            contexts: None,
            context_ids: Vec::new(),
            finish_reason: FinishReason::Stop,
            usage: None,
            latency_ms: 0.0,
            ttft_ms: None,
            cost_usd: None,
            model: None,
            system_fingerprint: None,
            attempts: Vec::new(),
            cached_at: None,
            call: None,
        }
    }

    /// Why the command of `transform` failed on the answer, which must not be graded as it came.
    pub fn transform_fault(&self) -> Option<&Fault> {
        self.transformed.as_ref()?.fault.as_ref()
    }

    /// The cost in US dollars that an application reported; `None` for one that is not a cost.
    pub fn reported_cost(&self) -> Option<f64> {
        self.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0)
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
