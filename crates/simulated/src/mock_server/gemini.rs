//! The server side of content generation by Gemini.

use serde_json::{Map, Value, json};

use super::route::{halves, map};
use super::wire::InvalidRequest;

/// The fields of a request.
const FIELDS: [&str; 10] = [
    "contents",
    "systemInstruction",
    "generationConfig",
    "tools",
    "toolConfig",
    "safetySettings",
    "cachedContent",
    "labels",
    "serviceTier",
    "store",
];

/// Names of `generationConfig` and of chat completions.
const NAMES: [(&str, &str); 4] = [
    ("topP", "top_p"),
    ("maxOutputTokens", "max_tokens"),
    ("stopSequences", "stop"),
    ("candidateCount", "n"),
];

fn invalid(message: impl Into<String>) -> InvalidRequest {
    InvalidRequest { message: message.into(), parameter: None }
}

/// Translates a request into chat completions.
pub(super) fn request(body: &[u8], model: &str) -> Result<Value, InvalidRequest> {
    let mut fields = map(body)?;
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(invalid(format!(
            "Invalid JSON payload received. Unknown name \"{unknown}\": Cannot find field."
        )));
    }
    let Some(Value::Array(contents)) = fields.shift_remove("contents") else {
        return Err(invalid("* GenerateContentRequest.contents: contents is not specified"));
    };
    if contents.is_empty() {
        return Err(invalid("* GenerateContentRequest.contents: contents is not specified"));
    }
    let mut messages: Vec<Value> = Vec::new();
    if let Some(system) = fields.shift_remove("systemInstruction") {
        messages.push(json!({"role": "system", "content": system["parts"]}));
    }
    for content in contents {
        let role = match content.get("role").and_then(Value::as_str) {
            Some("user") | None => "user",
            Some("model") => "assistant",
            Some(_) => return Err(invalid("Please use a valid role: user, model.")),
        };
        messages.extend(chat_messages(role, &content["parts"]));
    }
    let mut translated = Map::new();
    translated.insert("model".to_owned(), Value::from(model));
    translated.insert("messages".to_owned(), Value::from(messages));
    let config = fields.shift_remove("generationConfig").unwrap_or_default();
    translated.extend(parameters(config.as_object().cloned().unwrap_or_default()));
    Ok(Value::Object(translated))
}

/// The messages of a content: results of functions come before its text and images. Calls without an id have that of their
/// name.
fn chat_messages(role: &str, parts: &Value) -> Vec<Value> {
    let (mut messages, mut calls, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts.as_array().into_iter().flatten() {
        let id = |function: &Value| function.get("id").unwrap_or(&function["name"]).clone();
        if let Some(response) = part.get("functionResponse") {
            let content = response["response"].to_string();
            messages.push(json!({"role": "tool", "tool_call_id": id(response), "content": content}));
        } else if let Some(call) = part.get("functionCall") {
            let function = json!({"name": call["name"], "arguments": call["args"].to_string()});
            calls.push(json!({"id": id(call), "type": "function", "function": function}));
        } else if let Some(data) = part.get("inlineData") {
            let text = |key: &str| data[key].as_str().unwrap_or_default();
            let url = format!("data:{};base64,{}", text("mimeType"), text("data"));
            rest.push(json!({"type": "image_url", "image_url": {"url": url}}));
        } else if let Some(file) = part.get("fileData") {
            rest.push(json!({"type": "image_url", "image_url": {"url": file["fileUri"]}}));
        } else {
            rest.push(part.clone());
        }
    }
    if !rest.is_empty() || !calls.is_empty() || messages.is_empty() {
        let mut message = json!({"role": role, "content": rest});
        if !calls.is_empty() {
            message["tool_calls"] = Value::from(calls);
        }
        messages.push(message);
    }
    messages
}

/// Translates the parameters of a request.
fn parameters(mut config: Map<String, Value>) -> Map<String, Value> {
    let schema = config.shift_remove("responseJsonSchema");
    let is_json = config.shift_remove("responseMimeType").is_some_and(|kind| kind == "application/json");
    let format = match schema {
        Some(schema) => {
            Some(json!({"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}))
        }
        None => is_json.then(|| json!({"type": "json_object"})),
    };
    let renamed = config.into_iter().map(|(name, value)| {
        let theirs = NAMES.iter().find(|(own, _)| *own == name).map(|(_, theirs)| (*theirs).to_owned());
        (theirs.unwrap_or(name), value)
    });
    renamed.chain(format.map(|format| ("response_format".to_owned(), format))).collect()
}

/// Translates a reply of chat completions.
pub(super) fn reply(reply: &Value) -> Value {
    let candidates = reply["choices"].as_array().into_iter().flatten().map(candidate);
    let usage = &reply["usage"];
    json!({
        "candidates": candidates.collect::<Vec<_>>(),
        "usageMetadata": {
            "promptTokenCount": usage["prompt_tokens"],
            "candidatesTokenCount": usage["completion_tokens"],
            "totalTokenCount": usage["total_tokens"],
        },
        "modelVersion": reply["model"],
        "responseId": reply["id"],
    })
}

fn candidate(choice: &Value) -> Value {
    let message = &choice["message"];
    let text = message["refusal"].as_str().or(message["content"].as_str());
    let mut parts: Vec<Value> = text.into_iter().map(|text| json!({"text": text})).collect();
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        let arguments: Value =
            serde_json::from_str(function["arguments"].as_str().unwrap_or("{}")).unwrap_or_default();
        parts.push(json!({"functionCall": {"name": function["name"], "args": arguments}}));
    }
    let finish_reason = match choice["finish_reason"].as_str() {
        Some("length") => "MAX_TOKENS",
        Some("content_filter") => "SAFETY",
        _ => "STOP",
    };
    let mut candidate = json!({"finishReason": finish_reason, "index": 0});
    if !parts.is_empty() {
        candidate["content"] = json!({"parts": parts, "role": "model"});
    }
    candidate
}

/// Writes a reply as events: the first half of a text, then the rest with the end.
pub(super) fn events(reply: &Value) -> String {
    let mut events = String::new();
    let mut last = reply.clone();
    if let Some(text) = reply["candidates"][0]["content"]["parts"][0]["text"].as_str() {
        let (first, rest) = halves(text);
        let content = json!({"parts": [{"text": first}], "role": "model"});
        let chunk = json!({
            "candidates": [{"content": content, "index": 0}],
            "modelVersion": reply["modelVersion"],
            "responseId": reply["responseId"],
        });
        events.push_str(&format!("data: {chunk}\r\n\r\n"));
        last["candidates"][0]["content"]["parts"][0]["text"] = Value::from(rest);
    }
    events.push_str(&format!("data: {last}\r\n\r\n"));
    events
}

/// Translates an error. The wait is in the body, as the API sends it.
pub(super) fn error(status: u16, error: &Value, wait: Option<f64>) -> Value {
    let name = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    let retry = wait.map(
        |wait| json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{wait}s")}),
    );
    let daily = (error["error"]["code"] == "insufficient_quota").then(|| {
        let violation = json!({"quotaId": "GenerateRequestsPerDayPerProjectPerModel"});
        json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]})
    });
    let details: Vec<Value> = daily.into_iter().chain(retry).collect();
    json!({"error": {"code": status, "message": error["error"]["message"], "status": name, "details": details}})
}
