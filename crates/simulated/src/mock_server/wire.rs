//! The server side of the chat completions format: parses requests, builds replies and errors.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::route::{halves, map};

use promptgate_core::model::{
    ChatRequest, Completion, Image, Message, MessageRole, Purpose, ResponseFormat, ToolCall,
};

/// An invalid request: the message and the parameter at fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidRequest {
    pub(super) message: String,
    pub(super) parameter: Option<&'static str>,
}

fn invalid(parameter: &'static str, message: impl Into<String>) -> InvalidRequest {
    InvalidRequest { message: message.into(), parameter: Some(parameter) }
}

/// Parses the body of `POST /v1/chat/completions`. The second part says whether the reply has to be a stream.
pub(super) fn parse_request(body: &[u8]) -> Result<(ChatRequest, bool), InvalidRequest> {
    let mut fields = map(body)?;
    let Some(Value::String(model)) = fields.shift_remove("model") else {
        return Err(invalid("model", "you must provide a model parameter"));
    };
    let Some(Value::Array(messages)) = fields.shift_remove("messages") else {
        return Err(invalid("messages", "you must provide a messages parameter"));
    };
    if messages.is_empty() {
        return Err(invalid("messages", "messages must contain at least one message"));
    }
    let messages = messages.into_iter().map(parse_message).collect::<Result<Vec<_>, _>>()?;
    check_tools(&messages)?;
    let streams = fields.shift_remove("stream") == Some(Value::Bool(true));
    fields.shift_remove("stream_options");
    let response_format = match fields.shift_remove("response_format") {
        None | Some(Value::Null) => None,
        Some(format) => parse_format(&format)?,
    };
    let request = ChatRequest {
        model,
        messages,
        parameters: fields,
        response_format,
        repeat: 0,
        purpose: Purpose::Completion,
        refresh: false,
        input: None,
    };
    Ok((request, streams))
}

fn parse_message(mut message: Value) -> Result<Message, InvalidRequest> {
    let role = message.get("role").unwrap_or(&Value::Null);
    let role = MessageRole::deserialize(role)
        .map_err(|_| invalid("messages", format!("unknown role of a message: {role}")))?;
    let mut images: Vec<String> = Vec::new();
    let content = match message.get_mut("content").map(Value::take) {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(parts)) => {
            let texts: Vec<&str> =
                parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect();
            let urls = parts.iter().filter_map(|part| part.pointer("/image_url/url"));
            images.extend(urls.filter_map(Value::as_str).map(str::to_owned));
            texts.join("\n")
        }
        Some(_) => {
            let message = "the content of a message must be a string or an array of parts";
            return Err(invalid("messages", message));
        }
    };
    let images = images.into_iter().map(|url| Image { url }).collect();
    let tool_calls = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten().map(tool_call);
    let tool_call_id = message.get("tool_call_id").and_then(Value::as_str).map(str::to_owned);
    Ok(Message { images, tool_calls: tool_calls.collect(), tool_call_id, ..Message::new(role, content) })
}

fn tool_call(call: &Value) -> ToolCall {
    let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    ToolCall {
        id: text("/id"),
        name: text("/function/name").unwrap_or_default(),
        arguments: text("/function/arguments").unwrap_or_default(),
    }
}

/// Checks that the results of tools follow their calls.
fn check_tools(messages: &[Message]) -> Result<(), InvalidRequest> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        if message.role == MessageRole::Tool {
            let id = message.tool_call_id.as_deref().unwrap_or_default();
            let Some(index) = open.iter().position(|open| *open == id) else {
                let message =
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'";
                return Err(invalid("messages", message));
            };
            open.remove(index);
            continue;
        }
        if !open.is_empty() {
            let message = "an assistant message with 'tool_calls' must be followed by tool messages";
            return Err(invalid("messages", message));
        }
        open = message.tool_calls.iter().map(|call| call.id.as_deref().unwrap_or_default()).collect();
    }
    Ok(())
}

fn parse_format(format: &Value) -> Result<Option<ResponseFormat>, InvalidRequest> {
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
                _ => Err(invalid("response_format", "json_schema needs a name and a schema")),
            }
        }
        other => Err(invalid("response_format", format!("unknown type of response_format: {other:?}"))),
    }
}

/// The body of a reply by the model that was asked for. `created` is 0, so that equal runs give equal bytes.
pub(super) fn reply(completion: &Completion, model: &str, id: &str) -> Value {
    let usage = completion.usage.unwrap_or_default();
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": 0,
        "model": model,
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

/// A reply as server-sent events: the text in two chunks, the end, the usage.
pub(super) fn events(reply: &Value) -> String {
    let choice = &reply["choices"][0];
    let chunk = |choices: Value, usage: &Value| {
        let chunk = json!({
            "id": reply["id"],
            "object": "chat.completion.chunk",
            "created": 0,
            "model": reply["model"],
            "system_fingerprint": reply["system_fingerprint"],
            "choices": choices,
            "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, end: &Value| {
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": end}]), &Value::Null)
    };
    let mut events = String::new();
    let mut message = choice["message"].clone();
    if let Value::String(text) = &choice["message"]["content"] {
        let (start, rest) = halves(text);
        events.push_str(&delta(json!({"role": "assistant", "content": start}), &Value::Null));
        message["content"] = Value::from(rest);
    }
    events.push_str(&delta(message, &Value::Null));
    events.push_str(&delta(json!({}), &choice["finish_reason"]));
    events.push_str(&chunk(json!([]), &reply["usage"]));
    events.push_str("data: [DONE]\n\n");
    events
}

/// The body of an error response.
pub(super) fn error(message: &str, kind: &str, parameter: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": parameter, "code": code}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_with_parts_and_unknown_parameters_parses() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],
            "temperature":0,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}"#;
        let (request, streams) = parse_request(body).unwrap();
        assert!(!streams);
        assert_eq!(request.messages[0].content, "a");
        assert_eq!(request.parameters.get("temperature"), Some(&Value::from(0)));
        assert!(matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. })));
    }

    #[test]
    fn results_of_tools_follow_their_calls() {
        let body = |messages: &str| format!("{{\"model\":\"m\",\"messages\":[{messages}]}}").into_bytes();
        let call =
            r#"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}"#;
        let result = r#"{"role":"tool","tool_call_id":"a","content":"1"}"#;
        let image =
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.example"}}]}"#;
        let (request, _) = parse_request(&body(&format!("{call},{result},{image}"))).unwrap();
        assert_eq!(request.messages[0].tool_calls[0].to_string(), "f({})");
        assert_eq!(request.messages[2].images.len(), 1);
        for messages in [result.to_owned(), format!("{call},{image}"), format!("{call},{result},{result}")] {
            let error = parse_request(&body(&messages)).unwrap_err();
            assert!(error.message.contains("'tool_calls'"), "{messages}: {}", error.message);
        }
    }

    #[test]
    fn invalid_request_names_the_parameter() {
        let parameter = |body: &[u8]| parse_request(body).map(|_| ()).map_err(|invalid| invalid.parameter);
        assert_eq!(parameter(b"{"), Err(None));
        assert_eq!(parameter(b"{\"messages\":[]}"), Err(Some("model")));
        assert_eq!(parameter(b"{\"model\":\"m\",\"messages\":[]}"), Err(Some("messages")));
        assert_eq!(parameter(br#"{"model":"m","messages":[{"role":"cat"}]}"#), Err(Some("messages")));
        let format =
            br#"{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"x"}}"#;
        assert_eq!(parameter(format), Err(Some("response_format")));
    }
}
