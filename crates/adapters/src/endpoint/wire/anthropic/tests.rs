use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use promptgate_core::model::{ChatRequest, Image, Message, MessageRole, ResponseFormat, ToolCall};
use promptgate_testing::request;

fn with(parameters: Value) -> ChatRequest {
    ChatRequest { parameters: parameters.as_object().unwrap().clone(), ..request() }
}

fn conversation(messages: Vec<Message>) -> Value {
    let body = body(&ChatRequest { messages, ..request() }, false);
    json!([body.get("system"), body["messages"]])
}

#[test]
fn request_has_the_form_of_the_api() {
    assert_eq!(
        body(&request(), false),
        json!({"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": "why?"}]})
    );
    assert_eq!(body(&request(), true)["stream"], true);
}

#[test]
fn parameters_of_openai_get_their_names_here() {
    let schema = json!({"type": "object"});
    let request = with(json!({
        "max_completion_tokens": 99, "temperature": 0, "top_k": 3, "stop": "END", "thinking": {"type": "adaptive"},
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": true}},
            {"type": "function", "function": {"name": "g"}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "tool_choice": "required", "parallel_tool_calls": false, "model": "other", "messages": [],
        "output_config": {"effort": "low"},
    }));
    let request = ChatRequest {
        response_format: Some(ResponseFormat::JsonSchema {
            name: "n".to_owned(),
            schema: Arc::new(schema.clone()),
        }),
        ..request
    };
    assert_eq!(
        body(&request, false),
        json!({
            "model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "why?"}], "temperature": 0,
            "top_k": 3, "stop_sequences": ["END"], "thinking": {"type": "adaptive"},
            "tools": [
                {"name": "f", "description": "d", "input_schema": schema, "strict": true},
                {"name": "g", "input_schema": {"type": "object", "properties": {}}},
                {"type": "web_search_20250305", "name": "web_search"},
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": schema}},
        })
    );
}

#[test]
fn tool_choice_has_the_form_of_the_api() {
    for (written, sent) in [
        (json!("auto"), json!({"type": "auto"})),
        (json!("none"), json!({"type": "none"})),
        (json!({"type": "function", "function": {"name": "f"}}), json!({"type": "tool", "name": "f"})),
        (json!({"type": "tool", "name": "f"}), json!({"type": "tool", "name": "f"})),
    ] {
        assert_eq!(body(&with(json!({"tool_choice": written})), false)["tool_choice"], sent);
    }
    let only = body(&with(json!({"parallel_tool_calls": false})), false);
    assert_eq!(only["tool_choice"], json!({"type": "auto", "disable_parallel_tool_use": true}));
    assert!(body(&with(json!({"parallel_tool_calls": true})), false).get("tool_choice").is_none());
}

#[test]
fn json_without_a_schema_is_the_argument_of_a_tool() {
    let request = ChatRequest { response_format: Some(ResponseFormat::JsonObject), ..request() };
    let body = body(&request, false);
    assert_eq!(body["tools"][0]["name"], JSON_TOOL);
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": JSON_TOOL, "disable_parallel_tool_use": true})
    );
    let written = super::body(&with(json!({"response_format": {"type": "json_object"}})), false);
    assert_eq!(written["tools"], body["tools"]);
}

#[test]
fn written_response_format_is_sent_in_the_form_of_the_api() {
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}}});
    let body = body(&with(json!({"response_format": format})), false);
    assert_eq!(body["output_config"]["format"], json!({"type": "json_schema", "schema": {"a": 1}}));
    assert!(body.get("response_format").is_none());
}

#[test]
fn system_messages_are_apart_and_turns_alternate() {
    use MessageRole::{Assistant, Developer, System, User};
    let sent = conversation(vec![
        Message::new(System, "one"),
        Message::new(Developer, "two"),
        Message::new(User, "a"),
        Message::new(User, "b"),
        Message::new(Assistant, "c"),
        Message::new(User, "d"),
    ]);
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        sent,
        json!(["one\n\ntwo", [
            {"role": "user", "content": [text("a"), text("b")]},
            {"role": "assistant", "content": "c"},
            {"role": "user", "content": "d"},
        ]])
    );
    let alone = conversation(vec![Message::new(System, "one")]);
    assert_eq!(alone, json!([null, [{"role": "user", "content": "one"}]]), "the API requires a turn");
}

#[test]
fn images_calls_and_results_are_blocks() {
    let image = |url: &str| Image { url: url.to_owned() };
    let call = |id: Option<&str>, arguments: &str| ToolCall {
        id: id.map(str::to_owned),
        name: "find".to_owned(),
        arguments: arguments.to_owned(),
    };
    let result = |id: Option<&str>, text: &str| Message {
        tool_call_id: id.map(str::to_owned),
        ..Message::new(MessageRole::Tool, text)
    };
    let sent = conversation(vec![
        Message {
            images: vec![image("data:image/png;base64,QUI="), image("https://a.example/x.png")],
            ..Message::new(MessageRole::User, "Look:")
        },
        Message {
            tool_calls: vec![call(Some("toolu_1"), "{\"id\": 7}"), call(None, "")],
            ..Message::new(MessageRole::Assistant, "")
        },
        result(Some("toolu_1"), "found"),
        result(None, ""),
        Message::new(MessageRole::User, "And?"),
    ]);
    assert_eq!(
        sent[1],
        json!([
            {"role": "user", "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUI="}},
                {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"id": 7}},
                {"type": "tool_use", "id": "call_1", "name": "find", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found"},
                {"type": "tool_result", "tool_use_id": "call_1", "content": ""},
                {"type": "text", "text": "And?"},
            ]},
        ])
    );
}

#[test]
fn first_token_of_a_stream_is_found() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n";
    let empty = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    let token = "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n";
    let end = "data: {\"type\":\"message_stop\"}\n\n";
    let streamed = parse_stream(format!("{start}{empty}{token}{token}{end}").as_bytes()).unwrap();
    assert_eq!(streamed.first_token, Some(start.len() + empty.len() + token.len()));
    assert_eq!(streamed.completion.text, "aa");
    assert_eq!(parse_stream(format!("{start}{empty}{end}").as_bytes()).unwrap().first_token, None);
}

proptest::proptest! {
    #[test]
    fn any_stream_is_parsed_without_a_panic(text in "(data: ?[\\[\\]{}:,\"a-z0-9]{0,30}\n{1,2}){0,5}") {
        let _ = parse_stream(text.as_bytes());
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn any_event_is_parsed_without_a_panic(
        kind in "message_start|content_block_start|content_block_delta|message_delta|error|ping",
        key in "message|content_block|delta|usage|error",
        value in "1|null|\"a\"|\\{\\}|\\[\\]|\\{\"input\":3,\"type\":\"text_delta\",\"text\":4\\}",
    ) {
        let event = format!("data: {{\"type\":\"{kind}\",\"{key}\":{value}}}\n\n");
        let _ = parse_stream(event.as_bytes());
    }
}

#[test]
fn parameters_that_are_not_of_the_form_are_left_to_the_server() {
    let odd = json!({"stop": 7, "tools": "many", "output_config": 3, "tool_choice": [1], "max_tokens": null});
    let mut request = with(odd);
    request.response_format =
        Some(ResponseFormat::JsonSchema { name: "n".to_owned(), schema: Arc::new(json!({})) });
    let sent = body(&request, false);
    assert_eq!((&sent["stop_sequences"], &sent["tools"]), (&json!(7), &json!("many")));
    assert_eq!(sent["output_config"], json!({"format": {"type": "json_schema", "schema": {}}}));
    let empty = ChatRequest { parameters: Map::new(), ..request };
    assert_eq!(body(&empty, false)["max_tokens"], 4096);
}
