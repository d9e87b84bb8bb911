//! The body of a complete response.

use serde::Deserialize;
use serde_json::Value;

use super::super::invalid::{InvalidReply, read, string};
use super::super::tokens::count;
use super::JSON_TOOL;
use promptgate_core::model::{Completion, FinishReason, ToolCall, Usage};

/// The stop reason of a model that declines.
const REFUSAL: &str = "refusal";

/// A message, complete or put together from a stream.
#[derive(Deserialize, Default)]
pub(super) struct Body {
    pub(super) content: Option<Vec<Value>>,
    pub(super) stop_reason: Option<String>,
    pub(super) stop_details: Option<Value>,
    pub(super) usage: Option<Value>,
    pub(super) model: Option<Value>,
    pub(super) error: Option<Value>,
}

/// Parses the body of a 2xx response.
pub(in crate::endpoint::wire) fn parse(body: &[u8]) -> Result<Completion, InvalidReply> {
    completion(read(body, "a message of Anthropic's API")?)
}

/// Builds the completion of a message. One without content is an empty answer, as the API documents.
pub(super) fn completion(body: Body) -> Result<Completion, InvalidReply> {
    if let Some(error) = &body.error {
        return Err(InvalidReply::error(error));
    }
    let blocks = body.content.ok_or_else(|| InvalidReply::malformed("the body has no `content`"))?;
    let mut answer = Answer::default();
    blocks.iter().try_for_each(|block| answer.add(block))?;
    let is_refusal = body.stop_reason.as_deref() == Some(REFUSAL);
    if is_refusal && answer.text.is_empty() {
        let explanation = body.stop_details.as_ref().and_then(|details| details.get("explanation"));
        answer.text.push_str(explanation.and_then(Value::as_str).unwrap_or_default());
    }
    let mut finish_reason = FinishReason::from(body.stop_reason.unwrap_or_default());
    if answer.is_json_reply && answer.tool_calls.is_empty() && finish_reason == FinishReason::ToolCalls {
        finish_reason = FinishReason::Stop;
    }
    Ok(Completion {
        finish_reason,
        refusal: is_refusal,
        reasoning: (!answer.reasoning.is_empty()).then(|| answer.reasoning.join("\n\n")),
        tool_calls: answer.tool_calls,
        usage: body.usage.as_ref().and_then(usage),
        model: body.model.and_then(string),
        ..Completion::from_text(answer.text)
    })
}

/// The parts of the content.
#[derive(Default)]
struct Answer {
    text: String,
    reasoning: Vec<String>,
    tool_calls: Vec<ToolCall>,
    /// Whether the text is the JSON that was asked for.
    is_json_reply: bool,
}

impl Answer {
    fn add(&mut self, block: &Value) -> Result<(), InvalidReply> {
        let field = |name: &str| block.get(name).and_then(Value::as_str);
        match field("type") {
            Some("text") => self.text.push_str(field("text").unwrap_or_default()),
            Some("thinking") => {
                self.reasoning
                    .extend(field("thinking").filter(|text| !text.trim().is_empty()).map(str::to_owned));
            }
            Some("tool_use") if field("name") == Some(JSON_TOOL) => {
                self.text = input(block);
                self.is_json_reply = true;
            }
            Some("tool_use") => self.tool_calls.extend(field("name").map(|name| ToolCall {
                id: field("id").map(str::to_owned),
                name: name.to_owned(),
                arguments: input(block),
            })),
            // Encrypted thinking, and tools that the server runs itself.
            Some(_) => {}
            None => {
                let reason =
                    "the body is not a message of Anthropic's API: a block of `content` has no `type`";
                return Err(InvalidReply::malformed(reason));
            }
        }
        Ok(())
    }
}

/// The arguments of a call as JSON; those from a stream are a text already.
fn input(block: &Value) -> String {
    match block.get("input") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(input) => input.to_string(),
    }
}

/// Returns both counts or none. The tokens of the request are those that were read from the cache, written to it, and
/// neither; those of the answer include thinking.
fn usage(value: &Value) -> Option<Usage> {
    let of = |name: &str| count(value.get(name));
    let cached_prompt_tokens = of("cache_read_input_tokens").unwrap_or_default();
    let written = of("cache_creation_input_tokens").unwrap_or_default();
    let prompt_tokens = of("input_tokens")? + cached_prompt_tokens + written;
    let usage = Usage { cached_prompt_tokens, ..Usage::new(prompt_tokens, of("output_tokens")?) };
    (usage != Usage::default()).then_some(usage)
}
