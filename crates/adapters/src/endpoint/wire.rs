//! Chat completions on the wire: the body of a request, and the strict reading of an answer's body.
//!
//! Unknown fields are ignored; a known field of another type, or an answer that is not whole, is a complaint.
//! Counts of tokens and names of versions are extras: an answer is not lost over them.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use promptgate_core::model::{ChatRequest, FinishReason, ResponseFormat, Usage};

/// The body of a request, as JSON.
pub(super) fn body(request: &ChatRequest) -> Result<Vec<u8>, serde_json::Error> {
    let text: usize = request.messages.iter().map(|message| message.content.len()).sum();
    let mut bytes = Vec::with_capacity(text + text / 8 + 512);
    serde_json::to_writer(&mut bytes, &Body(request))?;
    Ok(bytes)
}

/// A request in the form of the API. What the request says itself wins over a parameter of the same name.
struct Body<'a>(&'a ChatRequest);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &request.model)?;
        map.serialize_entry("messages", &request.messages)?;
        for (name, value) in &request.parameters {
            let taken = match name.as_str() {
                "model" | "messages" => true,
                "response_format" => request.response_format.is_some(),
                _ => false,
            };
            if !taken {
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

/// `response_format` by reference: a schema is larger than most requests, and copying it costs more than writing it.
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

/// A whole answer, without what only the caller knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) refusal: bool,
    pub(super) finish_reason: FinishReason,
    pub(super) usage: Option<Usage>,
    pub(super) model: Option<String>,
    pub(super) system_fingerprint: Option<String>,
}

/// Why a body is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Complaint {
    /// The body breaks the form; the text says where.
    Malformed(String),
    /// The body is an error of the server, with its message.
    Error(String),
}

#[derive(Deserialize)]
struct Reply {
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

/// Reads the body of a 2xx response.
pub(super) fn parse(body: &[u8]) -> Result<Answer, Complaint> {
    let malformed = |text: &str| Complaint::Malformed(text.to_owned());
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed("the body is empty"));
    }
    let reply: Reply = serde_json::from_slice(body).map_err(|error| {
        Complaint::Malformed(if error.is_eof() {
            "the body is cut off: the JSON does not end".to_owned()
        } else {
            format!("the body is not a chat completion: {error}")
        })
    })?;
    if let Some(error) = reply.error {
        return Err(Complaint::Error(error_message(&error)));
    }
    let Some(choices) = reply.choices else {
        return Err(malformed("the body has no `choices`"));
    };
    let Some(choice) = choices.into_iter().next() else {
        return Err(malformed("`choices` is empty"));
    };
    if let Some(error) = choice.error {
        return Err(Complaint::Error(error_message(&error)));
    }
    let Some(message) = choice.message else {
        return Err(malformed("the first of `choices` has no `message`"));
    };
    let finish_reason = finish_reason(choice.finish_reason);
    let (text, refusal) = match (message.refusal.filter(|text| !text.is_empty()), message.content) {
        (Some(refusal), _) => (refusal, true),
        (None, Some(content)) => (content, false),
        // Cut before the first word, filtered, or a tool called: an answer of the product, and an empty one.
        (None, None) => match finish_reason {
            FinishReason::Length | FinishReason::ContentFilter | FinishReason::ToolCalls => {
                (String::new(), false)
            }
            FinishReason::Stop | FinishReason::Other(_) => {
                return Err(Complaint::Malformed(format!(
                    "`content` is null though the model stopped with `{}`",
                    finish_reason.as_str()
                )));
            }
        },
    };
    if finish_reason.as_str() == "error" {
        return Err(malformed("the model stopped with `error`"));
    }
    Ok(Answer {
        text,
        refusal,
        finish_reason,
        usage: reply.usage.as_ref().and_then(usage),
        model: reply.model.and_then(string),
        system_fingerprint: reply.system_fingerprint.and_then(string),
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

/// More tokens than any call takes; a count beyond it is a mistake of the server.
const MAX_TOKENS: u64 = 1 << 40;

/// Both counts or none: a count that is absent, negative or beyond belief is not 0, half a usage has no price, and
/// a call without a single token says that nobody counted.
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

/// What a server says of an error, in whichever of the usual forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerError {
    /// The message; empty where there was none.
    pub(super) message: String,
    /// `code` and `type`, whichever were given.
    pub(super) codes: Vec<String>,
    /// Which of them is the `type`.
    pub(super) kind: Option<String>,
    /// The parameter that is complained about.
    pub(super) param: Option<String>,
}

/// Reads the body of a response with an error status.
pub(super) fn parse_error(body: &[u8]) -> ServerError {
    let text = String::from_utf8_lossy(body);
    let trimmed = text.trim();
    if let Ok(value) = serde_json::from_str::<Value>(trimmed) {
        return read_error(&value);
    }
    let message = if trimmed.starts_with('<') { page(trimmed) } else { trimmed.to_owned() };
    ServerError { message, ..ServerError::default() }
}

/// An HTML page, by its title: a proxy often says there, and nowhere else, what is wrong.
fn page(text: &str) -> String {
    let title = || {
        // In ASCII lower case every place stays where it was.
        let lower = text.to_ascii_lowercase();
        let opened = lower.find("<title")?;
        let start = opened + lower.get(opened..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        text.get(start..end).map(str::trim).filter(|title| !title.is_empty())
    };
    title().map_or_else(|| "an HTML page".to_owned(), |title| format!("an HTML page titled \"{title}\""))
}

fn error_message(value: &Value) -> String {
    let error = read_error(value);
    if error.message.is_empty() { error.codes.join(", ") } else { error.message }
}

fn read_error(value: &Value) -> ServerError {
    match value {
        Value::String(text) => ServerError { message: text.clone(), ..ServerError::default() },
        Value::Array(items) => items.first().map(read_error).unwrap_or_default(),
        Value::Object(map) => {
            if let Some(inner) = map.get("error").filter(|inner| inner.is_object() || inner.is_array()) {
                return read_error(inner);
            }
            let message = ["message", "detail", "error", "msg", "error_description"]
                .iter()
                .filter_map(|name| map.get(*name))
                .map(|value| match value {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    Value::Array(_) | Value::Object(_) => read_error(value).message,
                    other => other.to_string(),
                })
                .find(|message| !message.is_empty())
                .unwrap_or_default();
            let word = |name: &str| match map.get(name) {
                Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            let inner = map.get("innererror").and_then(|inner| inner.get("code")).and_then(Value::as_str);
            let mut codes: Vec<String> =
                [word("code"), word("type"), inner.map(str::to_owned)].into_iter().flatten().collect();
            codes.dedup();
            let kind = word("type").filter(|kind| word("code").as_ref() != Some(kind));
            ServerError { message, codes, kind, param: word("param") }
        }
        _ => ServerError::default(),
    }
}

#[cfg(test)]
mod tests;
