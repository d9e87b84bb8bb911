//! Replies that are not a completion.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::ServerError;
use promptgate_core::text::json::half_character;

/// The reason why a 2xx body is not a completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::endpoint) enum InvalidReply {
    /// The body ends too early.
    Truncated(String),
    /// The body is not of a form that can be read.
    Malformed(String),
    /// The body is an error.
    Error(Box<ServerError>),
    /// The model stopped with a finish reason that means a failure of the server.
    Failed(String),
    /// A filter of the endpoint withheld the request from the model.
    Blocked(String),
}

impl InvalidReply {
    pub(super) fn malformed(reason: &str) -> Self {
        Self::Malformed(reason.to_owned())
    }

    pub(super) fn truncated(reason: &str) -> Self {
        Self::Truncated(reason.to_owned())
    }

    /// An error in the form of any server.
    pub(super) fn error(error: &Value) -> Self {
        Self::Error(Box::new(ServerError::from_json(error)))
    }
}

/// Reads a complete JSON body; `form` names what it should be.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], form: &str) -> Result<T, InvalidReply> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(InvalidReply::truncated("the body is empty"));
    }
    serde_json::from_slice(body).map_err(|error| unreadable(body, &error, form))
}

fn unreadable(body: &[u8], error: &serde_json::Error, form: &str) -> InvalidReply {
    if error.is_eof() {
        return InvalidReply::truncated("the body is cut off: the JSON does not end");
    }
    if let Some(half) = half_character(body).filter(|_| error.is_syntax()) {
        return InvalidReply::Malformed(format!(
            "the body is not {form}: {half} is half a character, a surrogate without its partner"
        ));
    }
    // An error in a form of its own.
    let found = if error.is_data() { serde_json::from_slice::<Value>(body).ok() } else { None };
    match found.map(|value| ServerError::from_json(&value)) {
        Some(found) if body.trim_ascii_start().starts_with(b"[") && !found.message.is_empty() => {
            InvalidReply::Error(Box::new(found))
        }
        _ => InvalidReply::Malformed(format!("the body is not {form}: {error}")),
    }
}

/// Reads the data of an event of a stream.
pub(super) fn read_event(data: &str) -> Result<Value, InvalidReply> {
    serde_json::from_str(data)
        .map_err(|error| InvalidReply::Truncated(format!("an event of the stream is not JSON: {error}")))
}

/// A text that is not empty.
pub(super) fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}
