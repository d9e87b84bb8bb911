//! The server side of Anthropic's Messages API.

use serde_json::{Map, Value, json};

use super::route::{halves, map};
use super::wire::InvalidRequest;

/// The fields of a request, as of version 2.14.0 of the Python SDK, and those for sampling, which older models take.
const FIELDS: [&str; 22] = [
    "model",
    "max_tokens",
    "messages",
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "metadata",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user_profile_id",
    "workspace_id",
];

fn invalid(message: impl Into<String>) -> InvalidRequest {
    InvalidRequest { message: message.into(), parameter: None }
}

/// Translates a request into chat completions, with the tool that it forces.
pub(super) fn request(body: &[u8]) -> Result<(Value, Option<String>), InvalidRequest> {
    let mut fields = map(body)?;
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(invalid(format!("{unknown}: Extra inputs are not permitted")));
    }
    if fields.get("max_tokens").and_then(Value::as_u64).is_none() {
        return Err(invalid("max_tokens: Field required"));
    }
    let mut messages: Vec<Value> = Vec::new();
    if let Some(system) = fields.shift_remove("system") {
        messages.push(json!({"role": "system", "content": system}));
    }
    let Some(Value::Array(turns)) = fields.shift_remove("messages") else {
        return Err(invalid("messages: Field required"));
    };
    if turns.is_empty() {
        return Err(invalid("messages: at least one message is required"));
    }
    for turn in turns {
        if !matches!(turn.get("role").and_then(Value::as_str), Some("user" | "assistant")) {
            return Err(invalid("messages: role: Input should be 'user' or 'assistant'"));
        }
        messages.extend(chat_messages(turn));
    }
    let schema =
        fields.shift_remove("output_config").and_then(|config| config.pointer("/format/schema").cloned());
    let choice = fields.shift_remove("tool_choice").unwrap_or_default();
    let forced = choice.get("name").and_then(Value::as_str).map(str::to_owned);
    let format = match schema {
        Some(schema) => {
            Some(json!({"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}))
        }
        None => forced.as_ref().map(|_| json!({"type": "json_object"})),
    };
    fields.extend(format.map(|format| ("response_format".to_owned(), format)));
    fields.insert("messages".to_owned(), Value::from(messages));
    Ok((Value::Object(fields), forced))
}

/// The messages of a turn: results of tools come before its text and images.
fn chat_messages(turn: Value) -> Vec<Value> {
    let Some(Value::Array(blocks)) = turn.get("content") else { return vec![turn] };
    let (mut messages, mut calls, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for block in blocks {
        match block["type"].as_str() {
            Some("tool_result") => messages.push(
                json!({"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}),
            ),
            Some("tool_use") => {
                let function = json!({"name": block["name"], "arguments": block["input"].to_string()});
                calls.push(json!({"id": block["id"], "type": "function", "function": function}));
            }
            Some("image") => {
                let source = &block["source"];
                let url = source["url"].as_str().map_or_else(
                    || {
                        let text = |key: &str| source[key].as_str().unwrap_or_default();
                        format!("data:{};base64,{}", text("media_type"), text("data"))
                    },
                    str::to_owned,
                );
                parts.push(json!({"type": "image_url", "image_url": {"url": url}}));
            }
            _ => parts.push(block.clone()),
        }
    }
    if !parts.is_empty() || !calls.is_empty() || messages.is_empty() {
        let mut message = json!({"role": turn["role"], "content": parts});
        if !calls.is_empty() {
            message["tool_calls"] = Value::from(calls);
        }
        messages.push(message);
    }
    messages
}

/// Translates a reply of chat completions.
pub(super) fn reply(reply: &Value, forced_tool: Option<&str>) -> Value {
    let choice = &reply["choices"][0];
    let message = &choice["message"];
    let refusal = message["refusal"].as_str();
    let stop_reason = match choice["finish_reason"].as_str() {
        _ if refusal.is_some() => "refusal",
        Some("length") => "max_tokens",
        Some("content_filter") => "refusal",
        Some("tool_calls") => "tool_use",
        _ if forced_tool.is_some() => "tool_use",
        _ => "end_turn",
    };
    let usage = &reply["usage"];
    let mut translated = json!({
        "id": reply["id"].as_str().unwrap_or_default().replace("chatcmpl-", "msg_"),
        "type": "message",
        "role": "assistant",
        "model": reply["model"],
        "content": content(choice, refusal, forced_tool),
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]},
    });
    if choice.is_null() {
        // A reply without an answer.
        translated.as_object_mut().and_then(|map| map.shift_remove("content"));
    }
    translated
}

/// The blocks of a message; null where it should have some and has none.
fn content(choice: &Value, refusal: Option<&str>, forced_tool: Option<&str>) -> Value {
    let message = &choice["message"];
    let mut blocks: Vec<Value> = Vec::new();
    if let Some(text) = refusal.or(message["content"].as_str()) {
        let arguments = serde_json::from_str::<Map<String, Value>>(text).ok();
        blocks.push(match forced_tool.zip(arguments) {
            Some((name, input)) => json!({"type": "tool_use", "id": "toolu_0", "name": name, "input": input}),
            None => json!({"type": "text", "text": text}),
        });
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        let input: Value =
            serde_json::from_str(function["arguments"].as_str().unwrap_or("{}")).unwrap_or_default();
        blocks.push(json!({"type": "tool_use", "id": call["id"], "name": function["name"], "input": input}));
    }
    if blocks.is_empty() && choice["finish_reason"] == "stop" { Value::Null } else { Value::from(blocks) }
}

/// Writes a reply as events: each block in two pieces.
pub(super) fn events(reply: &Value) -> String {
    let mut events = String::new();
    let mut push = |event: Value| {
        events.push_str(&format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()));
    };
    let mut start = reply.clone();
    (start["content"], start["stop_reason"], start["usage"]["output_tokens"]) =
        (json!([]), Value::Null, json!(1));
    push(json!({"type": "message_start", "message": start}));
    push(json!({"type": "ping"}));
    for (index, block) in reply["content"].as_array().into_iter().flatten().enumerate() {
        let is_text = block["type"] == "text";
        let (field, piece, whole) = match block["text"].as_str() {
            Some(text) if is_text => ("text", "text", text.to_owned()),
            _ => ("input", "partial_json", block["input"].to_string()),
        };
        let kind = if is_text { "text_delta" } else { "input_json_delta" };
        let mut empty = block.clone();
        empty[field] = if is_text { json!("") } else { json!({}) };
        push(json!({"type": "content_block_start", "index": index, "content_block": empty}));
        let (first, rest) = halves(&whole);
        for text in [first, rest] {
            push(
                json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, piece: text}}),
            );
        }
        push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": reply["stop_reason"], "stop_sequence": null});
    let usage = json!({"output_tokens": reply["usage"]["output_tokens"]});
    push(json!({"type": "message_delta", "delta": delta, "usage": usage}));
    push(json!({"type": "message_stop"}));
    events
}

/// Translates an error.
pub(super) fn error(status: u16, error: &Value) -> Value {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let inner = json!({"type": kind, "message": error["error"]["message"]});
    json!({"type": "error", "error": inner, "request_id": "req_0"})
}
