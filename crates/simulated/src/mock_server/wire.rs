//! The wire format of chat completions, seen from the server: requests in, replies and errors out.

use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::Served;
use promptgate_core::model::{ChatRequest, Completion, Message, MessageRole, Purpose, ResponseFormat};

/// Why a request is refused: the message and the parameter at fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) parameter: Option<&'static str>,
}

fn refused(parameter: &'static str, message: impl Into<String>) -> Refused {
    Refused { message: message.into(), parameter: Some(parameter) }
}

/// Reads the body of `POST /v1/chat/completions`.
pub(super) fn read_request(body: &[u8]) -> Result<ChatRequest, Refused> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body).map_err(|error| Refused {
        message: format!("the body is not a JSON object: {error}"),
        parameter: None,
    })?;
    let Some(Value::String(model)) = fields.shift_remove("model") else {
        return Err(refused("model", "you must provide a model parameter"));
    };
    let Some(Value::Array(written)) = fields.shift_remove("messages") else {
        return Err(refused("messages", "you must provide a messages parameter"));
    };
    if written.is_empty() {
        return Err(refused("messages", "messages must hold at least one message"));
    }
    let messages = written.into_iter().map(read_message).collect::<Result<_, _>>()?;
    if fields.shift_remove("stream") == Some(Value::Bool(true)) {
        return Err(refused("stream", "streaming is not simulated"));
    }
    let response_format = match fields.shift_remove("response_format") {
        None | Some(Value::Null) => None,
        Some(format) => read_format(&format)?,
    };
    Ok(ChatRequest {
        model,
        messages,
        parameters: fields,
        response_format,
        repeat: 0,
        purpose: Purpose::Completion,
        refresh: false,
    })
}

fn read_message(mut message: Value) -> Result<Message, Refused> {
    let role = match message.get("role").and_then(Value::as_str) {
        Some("system") => MessageRole::System,
        Some("developer") => MessageRole::Developer,
        Some("user") => MessageRole::User,
        Some("assistant") => MessageRole::Assistant,
        other => return Err(refused("messages", format!("a message has the role {other:?}"))),
    };
    let content = match message.get_mut("content").map(Value::take) {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(parts)) => {
            let texts: Vec<&str> =
                parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        Some(_) => return Err(refused("messages", "the content of a message is neither text nor parts")),
    };
    Ok(Message { role, content })
}

fn read_format(format: &Value) -> Result<Option<ResponseFormat>, Refused> {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(ResponseFormat::JsonObject)),
        Some("json_schema") => {
            let described = format.get("json_schema").unwrap_or(&Value::Null);
            match (described.get("name").and_then(Value::as_str), described.get("schema")) {
                (Some(name), Some(schema)) => Ok(Some(ResponseFormat::JsonSchema {
                    name: name.to_owned(),
                    schema: Arc::new(schema.clone()),
                })),
                _ => Err(refused("response_format", "json_schema needs a name and a schema")),
            }
        }
        other => Err(refused("response_format", format!("response_format has the type {other:?}"))),
    }
}

/// The body of a reply. `created` is 0: the simulation has no clock.
pub(super) fn reply(completion: &Completion, id: &str) -> Value {
    let usage = completion.usage.unwrap_or_default();
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": 0,
        "model": completion.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": completion.text, "refusal": null},
            "logprobs": null,
            "finish_reason": completion.finish_reason.as_str(),
        }],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
        "system_fingerprint": completion.system_fingerprint,
    })
}

/// The body of an error.
pub(super) fn error(message: &str, kind: &str, parameter: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": parameter, "code": code}})
}

/// The list of models.
pub(super) fn models(name: &str) -> Value {
    json!({"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "promptgate"}]})
}

/// What was served so far.
pub(super) fn stats(served: Served) -> Value {
    json!({
        "requests": served.requests,
        "judgements": served.judgements,
        "faults": served.faults,
        "refused": served.refused,
    })
}

/// JSON as bytes.
pub(super) fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_parts_and_unknown_parameters() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],
            "temperature":0,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}"#;
        let request = read_request(body).unwrap();
        assert_eq!(request.messages[0].content, "a");
        assert_eq!(request.parameters.get("temperature"), Some(&Value::from(0)));
        assert!(matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. })));
    }

    #[test]
    fn a_wrong_request_is_refused_by_name() {
        let parameter = |body: &[u8]| read_request(body).map(|_| ()).map_err(|refused| refused.parameter);
        assert_eq!(parameter(b"{"), Err(None));
        assert_eq!(parameter(b"{\"messages\":[]}"), Err(Some("model")));
        assert_eq!(parameter(b"{\"model\":\"m\",\"messages\":[]}"), Err(Some("messages")));
        assert_eq!(parameter(br#"{"model":"m","messages":[{"role":"cat"}]}"#), Err(Some("messages")));
        let format =
            br#"{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"x"}}"#;
        assert_eq!(parameter(format), Err(Some("response_format")));
    }
}
