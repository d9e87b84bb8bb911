//! Chat completions on the wire: the body of a request, and the strict parsing of a response body.
//!
//! Unknown fields are ignored; a known field of another type or an incomplete response is invalid. Token counts and
//! version names are optional: invalid ones are dropped.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::http::ServerError;
use promptgate_core::model::{ChatRequest, Completion, FinishReason, ResponseFormat, Usage};

/// Serializes the body of a request.
pub(super) fn body(request: &ChatRequest) -> Result<Vec<u8>, serde_json::Error> {
    let text: usize = request.messages.iter().map(|message| message.content.len()).sum();
    let mut bytes = Vec::with_capacity(text + text / 8 + 512);
    serde_json::to_writer(&mut bytes, &Body(request))?;
    Ok(bytes)
}

/// A request in the form of the API. Its own fields take precedence over parameters of the same name.
struct Body<'a>(&'a ChatRequest);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &request.model)?;
        map.serialize_entry("messages", &request.messages)?;
        for (name, value) in &request.parameters {
            let is_own = match name.as_str() {
                "model" | "messages" => true,
                "response_format" => request.response_format.is_some(),
                _ => false,
            };
            if !is_own {
                map.serialize_entry(name, value)?;
            }
        }
        match &request.response_format {
            Some(ResponseFormat::JsonSchema { name, schema }) => {
                let json_schema = NamedSchema { name, strict: true, schema };
                map.serialize_entry("response_format", &Format { kind: "json_schema", json_schema })?;
            }
            Some(ResponseFormat::JsonObject) => {
                map.serialize_entry("response_format", &json!({"type": "json_object"}))?;
            }
            None => {}
        }
        map.end()
    }
}

/// `response_format` by reference: a schema is larger than most requests, and copying it costs more than serializing it.
#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: NamedSchema<'a>,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'a str,
    strict: bool,
    schema: &'a Value,
}

/// The reason why a 2xx body is not a completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InvalidResponse {
    /// The JSON is not of the expected form.
    Malformed(String),
    /// The body is an error with this message.
    Error(String),
}

#[derive(Deserialize)]
struct ResponseBody {
    choices: Option<Vec<Choice>>,
    error: Option<Value>,
    usage: Option<Value>,
    model: Option<Value>,
    system_fingerprint: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Option<Message>,
    finish_reason: Option<String>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

/// Parses the body of a 2xx response; the latency is left at zero.
pub(super) fn parse(body: &[u8]) -> Result<Completion, InvalidResponse> {
    let malformed = |text: &str| InvalidResponse::Malformed(text.to_owned());
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed("the body is empty"));
    }
    let response: ResponseBody = serde_json::from_slice(body).map_err(|error| {
        InvalidResponse::Malformed(if error.is_eof() {
            "the body is cut off: the JSON does not end".to_owned()
        } else {
            format!("the body is not a chat completion: {error}")
        })
    })?;
    if let Some(error) = response.error {
        return Err(InvalidResponse::Error(ServerError::from_json(&error).summary()));
    }
    let choices = response.choices.ok_or_else(|| malformed("the body has no `choices`"))?;
    let choice = choices.into_iter().next().ok_or_else(|| malformed("`choices` is empty"))?;
    if let Some(error) = choice.error {
        return Err(InvalidResponse::Error(ServerError::from_json(&error).summary()));
    }
    let message = choice.message.ok_or_else(|| malformed("the first of `choices` has no `message`"))?;
    let finish_reason = finish_reason(choice.finish_reason);
    let (text, refusal) = match (message.refusal.filter(|text| !text.is_empty()), message.content) {
        (Some(refusal), _) => (refusal, true),
        (None, Some(content)) => (content, false),
        // Cut before the first token, filtered, or a tool call: a valid, empty completion.
        (None, None) => match finish_reason {
            FinishReason::Length | FinishReason::ContentFilter | FinishReason::ToolCalls => {
                (String::new(), false)
            }
            FinishReason::Stop | FinishReason::Other(_) => {
                return Err(InvalidResponse::Malformed(format!(
                    "`content` is null though the model stopped with `{}`",
                    finish_reason.as_str()
                )));
            }
        },
    };
    if finish_reason.as_str() == "error" {
        return Err(malformed("the model stopped with `error`"));
    }
    Ok(Completion {
        text,
        refusal,
        finish_reason,
        usage: response.usage.as_ref().and_then(usage),
        latency_ms: 0.0,
        attempts: Vec::new(),
        cached_at: None,
        model: response.model.and_then(string),
        system_fingerprint: response.system_fingerprint.and_then(string),
    })
}

fn finish_reason(name: Option<String>) -> FinishReason {
    match name.as_deref() {
        Some("stop") => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        Some("content_filter") => FinishReason::ContentFilter,
        Some("tool_calls" | "function_call") => FinishReason::ToolCalls,
        None => FinishReason::Other("null".to_owned()),
        Some(_) => FinishReason::Other(name.unwrap_or_default()),
    }
}

/// Larger token counts are errors of the server.
const MAX_TOKENS: u64 = 1 << 40;

/// Returns both counts or none: a missing, negative or implausible count is not 0, half a usage has no price, and 0
/// tokens in all means that the server does not count.
fn usage(value: &Value) -> Option<Usage> {
    let count = |name: &str| value.get(name).and_then(Value::as_u64).filter(|count| *count <= MAX_TOKENS);
    let usage =
        Usage { prompt_tokens: count("prompt_tokens")?, completion_tokens: count("completion_tokens")? };
    (usage != Usage::default()).then_some(usage)
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
