use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use promptgate_core::model::{ChatRequest, Image, Message, MessageRole, ResponseFormat, ToolCall};
use promptgate_testing::request;

fn with(parameters: Value) -> ChatRequest {
    ChatRequest { parameters: parameters.as_object().unwrap().clone(), ..request() }
}

#[test]
fn request_has_the_form_of_the_api() {
    assert_eq!(body(&request()), json!({"contents": [{"role": "user", "parts": [{"text": "why?"}]}]}));
}

#[test]
fn parameters_of_openai_get_their_names_here() {
    let request = with(json!({
        "max_tokens": 99, "temperature": 0, "top_p": 0.5, "stop": ["END"], "seed": 7, "n": 1, "topK": 3,
        "thinkingConfig": {"thinkingBudget": 0}, "safetySettings": [{"category": "c", "threshold": "t"}],
        "generationConfig": {"responseModalities": ["TEXT"]}, "model": "other", "messages": [],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true}},
            {"type": "function", "function": {"name": "g", "description": "d"}},
            {"googleSearch": {}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }));
    let sent = body(&request);
    assert_eq!(
        sent["generationConfig"],
        json!({
            "maxOutputTokens": 99, "temperature": 0, "topP": 0.5, "stopSequences": ["END"], "seed": 7,
            "candidateCount": 1, "topK": 3, "thinkingConfig": {"thinkingBudget": 0}, "responseModalities": ["TEXT"],
        })
    );
    assert_eq!(sent["safetySettings"], json!([{"category": "c", "threshold": "t"}]));
    assert_eq!(
        sent["tools"],
        json!([
            {"functionDeclarations": [
                {"name": "f", "parametersJsonSchema": {"type": "object"}},
                {"name": "g", "description": "d"},
            ]},
            {"googleSearch": {}},
        ])
    );
    let names = json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}});
    assert_eq!(sent["toolConfig"], names);
    assert!(sent.get("model").is_none() && sent.get("messages").is_none());
    assert_eq!(body(&with(json!({"stop": "END"})))["generationConfig"]["stopSequences"], json!(["END"]));
}

#[test]
fn tool_choice_has_the_form_of_the_api() {
    for (written, mode) in
        [("auto", "AUTO"), ("required", "ANY"), ("none", "NONE"), ("VALIDATED", "VALIDATED")]
    {
        let sent = body(&with(json!({"tool_choice": written})));
        assert_eq!(sent["toolConfig"], json!({"functionCallingConfig": {"mode": mode}}));
    }
}

#[test]
fn structured_output_is_asked_for() {
    let schema = json!({"type": "object", "properties": {"z": {}, "a": {}}});
    let of = |format| {
        body(&ChatRequest { response_format: Some(format), ..request() })["generationConfig"].clone()
    };
    let json_schema = ResponseFormat::JsonSchema { name: "n".to_owned(), schema: Arc::new(schema.clone()) };
    assert_eq!(
        of(json_schema),
        json!({"responseMimeType": "application/json", "responseJsonSchema": schema})
    );
    assert_eq!(of(ResponseFormat::JsonObject), json!({"responseMimeType": "application/json"}));
    let written = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let written = body(&with(json!({"response_format": written})));
    assert_eq!(written["generationConfig"]["responseJsonSchema"], schema);
}

#[test]
fn messages_are_turns_of_parts() {
    use MessageRole::{Assistant, Developer, System, Tool, User};
    let call = |id: Option<&str>, arguments: &str| ToolCall {
        id: id.map(str::to_owned),
        name: "find".to_owned(),
        arguments: arguments.to_owned(),
    };
    let image = |url: &str| Image { url: url.to_owned() };
    let messages = vec![
        Message::new(System, "one"),
        Message::new(Developer, "two"),
        Message {
            images: vec![image("data:image/webp;base64,QUI="), image("https://a.example/x.jpg")],
            ..Message::new(User, "Look:")
        },
        Message::new(User, "Now."),
        Message {
            tool_calls: vec![call(Some("fc-1"), "{\"id\": 7}"), call(None, "")],
            ..Message::new(Assistant, "")
        },
        Message { tool_call_id: Some("fc-1".to_owned()), ..Message::new(Tool, "{\"found\": 1}") },
        Message::new(Tool, "nothing"),
        Message::new(Assistant, "Done."),
    ];
    let sent = body(&ChatRequest { messages, ..request() });
    assert_eq!(sent["systemInstruction"], json!({"role": "user", "parts": [{"text": "one\n\ntwo"}]}));
    assert_eq!(
        sent["contents"],
        json!([
            {"role": "user", "parts": [
                {"text": "Look:"},
                {"inlineData": {"mimeType": "image/webp", "data": "QUI="}},
                {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/x.jpg"}},
                {"text": "Now."},
            ]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "find", "args": {"id": 7}, "id": "fc-1"}},
                {"functionCall": {"name": "find", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "find", "response": {"found": 1}, "id": "fc-1"}},
                {"functionResponse": {"name": "find", "response": {"output": "nothing"}}},
            ]},
            {"role": "model", "parts": [{"text": "Done."}]},
        ])
    );
    let alone = body(&ChatRequest { messages: vec![Message::new(System, "one")], ..request() });
    assert_eq!(alone, json!({"contents": [{"role": "user", "parts": [{"text": "one"}]}]}));
}

#[test]
fn first_token_of_a_stream_is_found() {
    let event = |parts: Value, end: Option<&str>| {
        let body = json!({"candidates": [{"content": {"parts": parts}, "finishReason": end}]});
        format!("data: {body}\n\n")
    };
    let (start, token) = (event(json!([{"text": ""}]), None), event(json!([{"text": "a"}]), None));
    let end = event(json!([]), Some("STOP"));
    let streamed = parse_stream(format!("{start}{token}{token}{end}").as_bytes()).unwrap();
    assert_eq!(streamed.first_token, Some(start.len() + token.len()));
    assert_eq!(streamed.completion.text, "aa");
}

proptest::proptest! {
    #[test]
    fn any_stream_is_parsed_without_a_panic(text in "(data: ?[\\[\\]{}:,\"a-z0-9]{0,30}\n{1,2}){0,5}") {
        let _ = parse_stream(text.as_bytes());
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn any_body_is_parsed_without_a_panic(
        key in "candidates|promptFeedback|usageMetadata|modelVersion|error",
        value in "1|null|\"a\"|\\{\\}|\\[\\]|\\[\\{\\}\\]|\\[\\{\"content\":\\{\"parts\":\\[7\\]\\}\\}\\]",
    ) {
        let body = format!("{{\"{key}\":{value}}}");
        let _ = parse(body.as_bytes());
        let _ = parse_stream(format!("data: {body}\n\n").as_bytes());
    }
}
