//! The body of a request.

use serde_json::{Map, Value, json};

use super::super::calls::{self, Resolved};
use super::super::images::{Source, media_type, source};
use super::super::turns::{self, Turns};
use promptgate_core::model::{ChatRequest, Image, Message, ResponseFormat};

/// Parameters beside `generationConfig`; all others are part of it.
const TOP_LEVEL: [&str; 9] = [
    "safetySettings",
    "safety_settings",
    "toolConfig",
    "tool_config",
    "cachedContent",
    "cached_content",
    "labels",
    "serviceTier",
    "store",
];

/// Names of OpenAI's API, and what the same is called here.
const NAMES: [(&str, &str); 10] = [
    ("max_tokens", "maxOutputTokens"),
    ("max_completion_tokens", "maxOutputTokens"),
    ("max_output_tokens", "maxOutputTokens"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("stop", "stopSequences"),
    ("stop_sequences", "stopSequences"),
    ("n", "candidateCount"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
];

/// Returns the body of a request. Parameters of OpenAI's API get the names of this one; others are sent as they are.
pub(in crate::endpoint::wire) fn body(request: &ChatRequest) -> Value {
    let (system, contents) = conversation(&request.messages);
    let mut body = Map::new();
    body.insert("contents".to_owned(), Value::from(contents));
    let instruction = system.map(|text| json!({"role": "user", "parts": [{"text": text}]}));
    body.extend(instruction.map(|instruction| ("systemInstruction".to_owned(), instruction)));
    let mut config = Map::new();
    for (name, value) in &request.parameters {
        parameter(&mut body, &mut config, name, value);
    }
    match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => output_format(&mut config, Some(schema)),
        Some(ResponseFormat::JsonObject) => output_format(&mut config, None),
        None => {}
    }
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    Value::Object(body)
}

fn parameter(body: &mut Map<String, Value>, config: &mut Map<String, Value>, name: &str, value: &Value) {
    match name {
        // The request's own.
        "model" | "messages" | "contents" | "stream" | "stream_options" => {}
        "generationConfig" | "generation_config" => {
            config.extend(value.as_object().cloned().unwrap_or_default())
        }
        "tools" => {
            body.insert(name.to_owned(), tools(value));
        }
        "tool_choice" => {
            body.insert("toolConfig".to_owned(), json!({"functionCallingConfig": tool_choice(value)}));
        }
        "response_format" => match value.get("type").and_then(Value::as_str) {
            Some("json_schema") => output_format(config, value.pointer("/json_schema/schema")),
            Some("json_object") => output_format(config, None),
            _ => {}
        },
        // A system message is the prompt's.
        "systemInstruction" | "system_instruction" => {
            body.entry("systemInstruction").or_insert_with(|| value.clone());
        }
        _ if TOP_LEVEL.contains(&name) => {
            body.insert(name.to_owned(), value.clone());
        }
        _ => {
            let own = NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, own)| own);
            let is_single = own == "stopSequences" && value.is_string();
            config.insert(own.to_owned(), if is_single { json!([value]) } else { value.clone() });
        }
    }
}

fn output_format(config: &mut Map<String, Value>, schema: Option<&Value>) {
    config.insert("responseMimeType".to_owned(), Value::from("application/json"));
    config.extend(schema.map(|schema| ("responseJsonSchema".to_owned(), schema.clone())));
}

/// Tools in the form of the API: the functions of OpenAI's form in one, others as they are.
fn tools(tools: &Value) -> Value {
    let Value::Array(tools) = tools else { return tools.clone() };
    let functions: Vec<Value> = tools.iter().filter_map(calls::function).map(declaration).collect();
    let declared = (!functions.is_empty()).then(|| json!({"functionDeclarations": functions}));
    let others = tools.iter().filter(|tool| calls::function(tool).is_none()).cloned();
    declared.into_iter().chain(others).collect()
}

fn declaration(function: &Map<String, Value>) -> Value {
    let mut declaration = Map::new();
    for (name, value) in function {
        match name.as_str() {
            "parameters" => {
                declaration.insert("parametersJsonSchema".to_owned(), value.clone());
            }
            // The API has no such setting.
            "strict" => {}
            _ => {
                declaration.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(declaration)
}

fn tool_choice(choice: &Value) -> Value {
    match choice.as_str() {
        Some("auto") => json!({"mode": "AUTO"}),
        Some("required") => json!({"mode": "ANY"}),
        Some("none") => json!({"mode": "NONE"}),
        Some(other) => json!({"mode": other}),
        None => match choice.pointer("/function/name") {
            Some(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
            None => choice.clone(),
        },
    }
}

/// The system instruction and the turns, which alternate: consecutive messages of one side are one turn.
fn conversation(messages: &[Message]) -> (Option<String>, Vec<Value>) {
    let Turns { system, turns } = turns::split(messages, "model", parts);
    if turns.is_empty() {
        // The API requires a turn of the user.
        let text = system.unwrap_or_default();
        return (None, vec![json!({"role": "user", "parts": [{"text": text}]})]);
    }
    let turn = |(role, mut parts): (&str, Vec<Value>)| {
        if parts.is_empty() {
            parts.push(json!({"text": ""}));
        }
        json!({"role": role, "parts": parts})
    };
    (system, turns.into_iter().map(turn).collect())
}

fn parts(resolved: &Resolved<'_>) -> Vec<Value> {
    let message = resolved.message;
    let with_id = |mut value: Value, id: &calls::CallId<'_>| {
        if id.is_given {
            value["id"] = Value::from(&*id.text);
        }
        value
    };
    if let Some(call) = &resolved.answers {
        let response = match serde_json::from_str(&message.content) {
            Ok(Value::Object(result)) => Value::Object(result),
            _ => json!({"output": message.content}),
        };
        let response = with_id(json!({"name": call.name, "response": response}), &call.id);
        return vec![json!({"functionResponse": response})];
    }
    let text = (!message.content.is_empty()).then(|| json!({"text": message.content}));
    let calls = resolved.ids.iter().zip(&message.tool_calls).map(|(id, call)| {
        let call = json!({"name": call.name, "args": calls::arguments(call)});
        json!({"functionCall": with_id(call, id)})
    });
    text.into_iter().chain(message.images.iter().map(image)).chain(calls).collect()
}

fn image(image: &Image) -> Value {
    match source(image) {
        Source::Data { media_type, base64 } => {
            json!({"inlineData": {"mimeType": media_type, "data": base64}})
        }
        Source::Url(url) => json!({"fileData": {"mimeType": media_type(url), "fileUri": url}}),
    }
}
