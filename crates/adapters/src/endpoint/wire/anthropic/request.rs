//! The body of a request.

use serde_json::{Map, Value, json};

use super::super::calls::{self, Resolved};
use super::super::images::{Source, source};
use super::super::turns::{self, Turns};
use super::JSON_TOOL;
use promptgate_core::model::{ChatRequest, Image, Message, ResponseFormat};

/// The API requires a limit; this one holds where the request has none.
const DEFAULT_MAX_TOKENS: u64 = 4096;

/// Returns the body of a request. Parameters of OpenAI's API get the names of this one; others are sent as they are.
pub(in crate::endpoint::wire) fn body(request: &ChatRequest, stream: bool) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::from(request.model.as_str()));
    body.insert("max_tokens".to_owned(), Value::from(DEFAULT_MAX_TOKENS));
    let (system, messages) = conversation(&request.messages);
    body.extend(system.map(|text| ("system".to_owned(), Value::from(text))));
    body.insert("messages".to_owned(), Value::from(messages));
    for (name, value) in &request.parameters {
        parameter(&mut body, name, value);
    }
    if request.parameters.get("parallel_tool_calls") == Some(&Value::Bool(false)) {
        let choice = body.entry("tool_choice").or_insert_with(|| json!({"type": "auto"}));
        if let Value::Object(choice) = choice {
            choice.insert("disable_parallel_tool_use".to_owned(), Value::Bool(true));
        }
    }
    match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => output_format(&mut body, schema),
        Some(ResponseFormat::JsonObject) => force_json_tool(&mut body),
        None => {}
    }
    if stream {
        body.insert("stream".to_owned(), Value::Bool(true));
    }
    Value::Object(body)
}

fn parameter(body: &mut Map<String, Value>, name: &str, value: &Value) {
    let mut insert = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    match name {
        // The request's own.
        "model" | "messages" | "parallel_tool_calls" => {}
        "max_tokens" | "max_completion_tokens" => insert("max_tokens", value.clone()),
        "stop" => match value {
            Value::String(_) => insert("stop_sequences", json!([value])),
            other => insert("stop_sequences", other.clone()),
        },
        "tools" => match value {
            Value::Array(tools) => insert("tools", tools.iter().map(tool).collect()),
            other => insert("tools", other.clone()),
        },
        "tool_choice" => insert("tool_choice", tool_choice(value)),
        "response_format" => match value.pointer("/json_schema/schema") {
            Some(schema) => output_format(body, schema),
            None if value.get("type").is_some_and(|kind| kind == "json_object") => force_json_tool(body),
            None => {}
        },
        // A system message is the prompt's.
        "system" => {
            body.entry("system").or_insert_with(|| value.clone());
        }
        _ => insert(name, value.clone()),
    }
}

/// A tool in the form of the API; one that is not in OpenAI's form is sent as it is.
fn tool(tool: &Value) -> Value {
    let Some(function) = calls::function(tool) else { return tool.clone() };
    let mut converted = Map::new();
    for (name, value) in function {
        let name = if name == "parameters" { "input_schema" } else { name.as_str() };
        converted.insert(name.to_owned(), value.clone());
    }
    converted.entry("input_schema").or_insert_with(|| json!({"type": "object", "properties": {}}));
    Value::Object(converted)
}

fn tool_choice(choice: &Value) -> Value {
    match choice {
        Value::String(text) if text == "required" => json!({"type": "any"}),
        Value::String(text) => json!({"type": text}),
        other => match other.pointer("/function/name") {
            Some(name) => json!({"type": "tool", "name": name}),
            None => other.clone(),
        },
    }
}

/// Asks for JSON of a schema, beside other keys of `output_config`.
fn output_format(body: &mut Map<String, Value>, schema: &Value) {
    let format = json!({"type": "json_schema", "schema": schema});
    match body.entry("output_config").or_insert_with(|| json!({})) {
        Value::Object(config) => {
            config.insert("format".to_owned(), format);
        }
        other => *other = json!({"format": format}),
    }
}

/// Asks for any JSON object: as the arguments of a tool that has to be called.
fn force_json_tool(body: &mut Map<String, Value>) {
    let tool = json!({
        "name": JSON_TOOL,
        "description": "Takes the whole reply, as one JSON object.",
        "input_schema": {"type": "object", "additionalProperties": true},
    });
    match body.entry("tools").or_insert_with(|| json!([])) {
        Value::Array(tools) => tools.push(tool),
        other => *other = json!([tool]),
    }
    let choice = json!({"type": "tool", "name": JSON_TOOL, "disable_parallel_tool_use": true});
    body.insert("tool_choice".to_owned(), choice);
}

/// The system prompt and the turns, which alternate: consecutive messages of one side are one turn.
fn conversation(messages: &[Message]) -> (Option<String>, Vec<Value>) {
    let Turns { system, turns } = turns::split(messages, "assistant", blocks);
    if turns.is_empty() {
        // The API requires a turn of the user.
        return (None, vec![json!({"role": "user", "content": system.unwrap_or_default()})]);
    }
    let turn = |(role, blocks): (&str, Vec<Value>)| json!({"role": role, "content": content(blocks)});
    (system, turns.into_iter().map(turn).collect())
}

/// The content of a turn: a text alone is not put into a block.
fn content(mut blocks: Vec<Value>) -> Value {
    match blocks.as_mut_slice() {
        [] => Value::from(""),
        [block] if block.get("type").is_some_and(|kind| kind == "text") => block["text"].take(),
        _ => Value::from(blocks),
    }
}

fn blocks(resolved: &Resolved<'_>) -> Vec<Value> {
    let message = resolved.message;
    if let Some(call) = &resolved.answers {
        return vec![json!({"type": "tool_result", "tool_use_id": call.id.text, "content": message.content})];
    }
    // The API refuses empty texts.
    let text = (!message.content.is_empty()).then(|| json!({"type": "text", "text": message.content}));
    let calls = resolved.ids.iter().zip(&message.tool_calls).map(
        |(id, call)| json!({"type": "tool_use", "id": id.text, "name": call.name, "input": calls::arguments(call)}),
    );
    text.into_iter().chain(message.images.iter().map(image)).chain(calls).collect()
}

fn image(image: &Image) -> Value {
    let source = match source(image) {
        Source::Data { media_type, base64 } => {
            json!({"type": "base64", "media_type": media_type, "data": base64})
        }
        Source::Url(url) => json!({"type": "url", "url": url}),
    };
    json!({"type": "image", "source": source})
}
