//! Strict parsing of a complete response body.
//!
//! Unknown fields are ignored; a known field of another type or an incomplete response is invalid. Token counts and
//! version names are optional: invalid ones are dropped.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::invalid::{InvalidReply, read, string};
use super::usage::usage;
use promptgate_core::model::{Completion, FinishReason, ToolCall};

/// Finish reasons of a server that failed.
const FAILED: [&str; 6] =
    ["error", "network_error", "insufficient_system_resource", "abort", "aborted", "server_error"];

#[derive(Deserialize)]
struct Body {
    choices: Option<Vec<Choice>>,
    error: Option<Value>,
    usage: Option<Value>,
    model: Option<Value>,
    system_fingerprint: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Option<ReplyMessage>,
    finish_reason: Option<String>,
    error: Option<Value>,
}

/// The message of a choice, complete or put together from a stream.
#[derive(Deserialize, Default)]
pub(super) struct ReplyMessage {
    #[serde(default)]
    pub(super) content: Content,
    pub(super) refusal: Option<String>,
    /// vLLM, DeepSeek and others.
    pub(super) reasoning_content: Option<Value>,
    /// OpenRouter, Ollama, newer vLLM.
    pub(super) reasoning: Option<Value>,
    pub(super) tool_calls: Option<Vec<Value>>,
    /// The older form of one tool call.
    pub(super) function_call: Option<Value>,
}

/// The content of a message: a text, or a list of parts.
#[derive(Default)]
pub(super) enum Content {
    #[default]
    None,
    Text(String),
    Parts(Vec<Value>),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of parts")
            }

            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::None)
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut list = Vec::new();
                while let Some(part) = parts.next_element()? {
                    list.push(part);
                }
                Ok(Content::Parts(list))
            }
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}

/// The facts of a response beside its message.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<Value>,
    pub(super) model: Option<Value>,
    pub(super) system_fingerprint: Option<Value>,
}

/// Parses the body of a 2xx response; the latency is left at zero.
pub(in crate::endpoint::wire) fn parse(body: &[u8]) -> Result<Completion, InvalidReply> {
    let malformed = InvalidReply::malformed;
    let response: Body = read(body, "a chat completion")?;
    if let Some(error) = response.error {
        return Err(InvalidReply::error(&error));
    }
    let choices = response.choices.ok_or_else(|| malformed("the body has no `choices`"))?;
    let choice = choices.into_iter().next().ok_or_else(|| malformed("`choices` is empty"))?;
    if let Some(error) = choice.error {
        return Err(InvalidReply::error(&error));
    }
    let message = choice.message.ok_or_else(|| malformed("the first of `choices` has no `message`"))?;
    completion(
        message,
        Envelope {
            finish_reason: choice.finish_reason,
            usage: response.usage,
            model: response.model,
            system_fingerprint: response.system_fingerprint,
        },
    )
}

/// Builds the completion of a message.
pub(super) fn completion(message: ReplyMessage, envelope: Envelope) -> Result<Completion, InvalidReply> {
    if let Some(name) = envelope.finish_reason.as_deref()
        && FAILED.iter().any(|failed| name.eq_ignore_ascii_case(failed))
    {
        return Err(InvalidReply::Failed(format!("the model stopped with `{name}`")));
    }
    let finish_reason = FinishReason::from(envelope.finish_reason.unwrap_or_default());
    let mut reasoning: Vec<String> = [&message.reasoning_content, &message.reasoning]
        .into_iter()
        .flatten()
        .map(text_of)
        .filter(|text| !text.trim().is_empty())
        .collect();
    // Some servers send the same reasoning under both names.
    reasoning.dedup();
    let mut refusal = message.refusal.filter(|text| !text.is_empty());
    let content = match message.content {
        Content::None => None,
        Content::Text(text) => Some(text),
        Content::Parts(parts) => join(&parts, &mut reasoning, &mut refusal)?,
    };
    let calls = message.tool_calls.iter().flatten().chain(&message.function_call);
    let tool_calls: Vec<ToolCall> = calls.filter_map(tool_call).collect();
    let (text, refusal) = match (refusal, content) {
        (Some(refusal), _) => (refusal, true),
        (None, Some(content)) => (content, false),
        // Cut before the first token, filtered, a tool call, or reasoning alone: a valid, empty completion.
        (None, None) if !tool_calls.is_empty() || !reasoning.is_empty() => (String::new(), false),
        (None, None) => match finish_reason {
            FinishReason::Length | FinishReason::ContentFilter | FinishReason::ToolCalls => {
                (String::new(), false)
            }
            FinishReason::Stop | FinishReason::Other(_) => {
                return Err(InvalidReply::Malformed(format!(
                    "`content` is null though the model stopped with `{}`",
                    finish_reason.as_str()
                )));
            }
        },
    };
    Ok(Completion {
        finish_reason,
        refusal,
        reasoning: (!reasoning.is_empty()).then(|| reasoning.join("\n\n")),
        tool_calls,
        usage: envelope.usage.as_ref().and_then(usage),
        model: envelope.model.and_then(string),
        system_fingerprint: envelope.system_fingerprint.and_then(string),
        ..Completion::from_text(text)
    })
}

/// Joins the texts of a list of parts. Parts of reasoning and of a refusal are kept apart.
fn join(
    parts: &[Value],
    reasoning: &mut Vec<String>,
    refusal: &mut Option<String>,
) -> Result<Option<String>, InvalidReply> {
    let mut text: Option<String> = None;
    for part in parts {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
        let written = part.get("text").and_then(Value::as_str);
        match (kind, written) {
            ("thinking" | "reasoning" | "redacted_thinking", _) => {
                let field =
                    ["thinking", "reasoning", "text", "summary"].iter().find_map(|name| part.get(*name));
                reasoning.extend(field.map(text_of).filter(|text| !text.trim().is_empty()));
            }
            ("refusal", _) => {
                let field = part.get("refusal").or_else(|| part.get("text")).and_then(Value::as_str);
                *refusal = field.filter(|text| !text.is_empty()).map(str::to_owned).or(refusal.take());
            }
            (_, Some(written)) => text.get_or_insert_default().push_str(written),
            // Images, audio and the like.
            (_, None) if part.is_object() => {}
            (_, None) => {
                return Err(InvalidReply::malformed(
                    "the body is not a chat completion: a part of `content` is not a map",
                ));
            }
        }
    }
    Ok(text)
}

/// The text of a value that is a string, a map with a text, or a list of these.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        Value::Object(map) => {
            let field = ["text", "thinking", "summary"].iter().find_map(|name| map.get(*name));
            field.map(text_of).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// A call, or the older form of one, which is its function alone.
fn tool_call(call: &Value) -> Option<ToolCall> {
    let function = call.get("function").unwrap_or(call);
    let name = function.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())?;
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    let id = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    Some(ToolCall { id: id.map(str::to_owned), name: name.to_owned(), arguments })
}
