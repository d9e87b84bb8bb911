//! The body of a complete response.

use serde::Deserialize;
use serde_json::Value;

use super::super::invalid::{InvalidReply, read, string};
use super::super::tokens::count;
use promptgate_core::model::{Completion, FinishReason, ToolCall, Usage};

/// Finish reasons of a model that failed to call a tool: an answer of the product, though without content.
const FAILED_CALLS: [&str; 4] =
    ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"];

/// A response, complete or put together from a stream.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub(super) candidates: Option<Vec<Candidate>>,
    pub(super) prompt_feedback: Option<Value>,
    pub(super) usage_metadata: Option<Value>,
    pub(super) model_version: Option<Value>,
    pub(super) error: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    pub(super) content: Option<Content>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
pub(super) struct Content {
    #[serde(default)]
    pub(super) parts: Vec<Value>,
}

/// Parses the body of a 2xx response.
pub(in crate::endpoint::wire) fn parse(body: &[u8]) -> Result<Completion, InvalidReply> {
    completion(read(body, "a response of Gemini's API")?)
}

/// Builds the completion of a response.
pub(super) fn completion(body: Body) -> Result<Completion, InvalidReply> {
    if let Some(error) = &body.error {
        return Err(InvalidReply::error(error));
    }
    let Some(candidate) = body.candidates.and_then(|candidates| candidates.into_iter().next()) else {
        return Err(blocked(body.prompt_feedback.as_ref()));
    };
    let parts = candidate.content.unwrap_or_default().parts;
    let mut answer = Answer::default();
    parts.iter().try_for_each(|part| answer.add(part))?;
    let name = candidate.finish_reason.unwrap_or_default();
    let mut finish_reason = FinishReason::from(name.as_str());
    let may_be_empty = !matches!(finish_reason, FinishReason::Stop | FinishReason::Other(_));
    if parts.is_empty() && !may_be_empty && !FAILED_CALLS.contains(&name.as_str()) {
        let reason =
            format!("there is no content though the model stopped with `{}`", finish_reason.as_str());
        return Err(InvalidReply::Malformed(reason));
    }
    // The API has no finish reason of its own for calls.
    if finish_reason == FinishReason::Stop && !answer.tool_calls.is_empty() {
        finish_reason = FinishReason::ToolCalls;
    }
    Ok(Completion {
        finish_reason,
        reasoning: (!answer.reasoning.trim().is_empty()).then_some(answer.reasoning),
        tool_calls: answer.tool_calls,
        usage: body.usage_metadata.as_ref().and_then(usage),
        model: body.model_version.and_then(string),
        ..Completion::from_text(answer.text)
    })
}

/// The reason of a response without an answer: usually a filter that blocked the prompt.
fn blocked(feedback: Option<&Value>) -> InvalidReply {
    let field = |name: &str| feedback.and_then(|feedback| feedback.get(name)).and_then(Value::as_str);
    let Some(reason) = field("blockReason") else {
        return InvalidReply::malformed("the body has no `candidates`");
    };
    let message = field("blockReasonMessage").map(|message| format!(": {message}")).unwrap_or_default();
    InvalidReply::Blocked(format!("the prompt was blocked with `{reason}`{message}"))
}

/// The parts of the content.
#[derive(Default)]
struct Answer {
    text: String,
    reasoning: String,
    tool_calls: Vec<ToolCall>,
}

impl Answer {
    fn add(&mut self, part: &Value) -> Result<(), InvalidReply> {
        if !part.is_object() {
            let reason = "the body is not a response of Gemini's API: a part of the content is not a map";
            return Err(InvalidReply::malformed(reason));
        }
        let text = part.get("text").and_then(Value::as_str).unwrap_or_default();
        let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
        if is_thought {
            self.reasoning.push_str(text)
        } else {
            self.text.push_str(text)
        }
        self.tool_calls.extend(part.get("functionCall").and_then(tool_call));
        Ok(())
    }
}

fn tool_call(call: &Value) -> Option<ToolCall> {
    let field = |name: &str| call.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let arguments = call.get("args").filter(|arguments| !arguments.is_null());
    Some(ToolCall {
        id: field("id").map(str::to_owned),
        name: field("name")?.to_owned(),
        arguments: arguments.map_or_else(|| "{}".to_owned(), Value::to_string),
    })
}

/// Returns both counts or none. Thoughts are of the answer; a count that is absent beside others is 0.
fn usage(value: &Value) -> Option<Usage> {
    let of = |name: &str| count(value.get(name));
    let prompt_tokens = of("promptTokenCount")? + of("toolUsePromptTokenCount").unwrap_or_default();
    let answer = of("candidatesTokenCount");
    let thoughts = of("thoughtsTokenCount");
    let total = of("totalTokenCount");
    let named = answer.unwrap_or_default() + thoughts.unwrap_or_default();
    answer.or(thoughts).or(total)?;
    let completion_tokens = named.max(total.unwrap_or_default().saturating_sub(prompt_tokens));
    let cached_prompt_tokens = of("cachedContentTokenCount").unwrap_or_default().min(prompt_tokens);
    let usage = Usage { cached_prompt_tokens, ..Usage::new(prompt_tokens, completion_tokens) };
    (usage != Usage::default()).then_some(usage)
}
