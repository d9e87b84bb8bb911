//! The three protocols over real sockets: the same answers, each in its own form.

use serde_json::{Value, json};

use super::tests::TestServer;

const QUESTION: &str = "How long is a refund possible?";
const RULES: &str = "Refunds are possible for 14 days. Shipping takes three days.";

fn openai(more: &Value) -> (&'static str, &'static str, Value) {
    let messages = json!([{"role": "system", "content": RULES}, {"role": "user", "content": QUESTION}]);
    ("/v1/chat/completions", "", merged(json!({"model": "m", "messages": messages}), more))
}

fn anthropic(more: &Value) -> (&'static str, &'static str, Value) {
    let user = json!([{"type": "text", "text": QUESTION}]);
    let body = json!({"model": "m", "max_tokens": 100, "system": RULES, "messages": [{"role": "user", "content": user}]});
    ("/v1/messages", "anthropic-version: 2023-06-01\r\n", merged(body, more))
}

fn gemini(more: &Value) -> (&'static str, &'static str, Value) {
    let body = json!({
        "systemInstruction": {"parts": [{"text": RULES}]},
        "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
    });
    ("/v1beta/models/m:generateContent", "", merged(body, more))
}

fn merged(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn post(server: &TestServer, (path, headers, body): (&str, &str, Value)) -> (u16, String) {
    let response = server.connect().await.post(path, headers, &body).await.unwrap();
    (response.status, String::from_utf8(response.body).unwrap())
}

async fn ask(server: &TestServer, request: (&str, &str, Value)) -> Value {
    let (status, body) = post(server, request).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn every_protocol_gives_the_same_answer() {
    let server = TestServer::with(&[]).await;
    let none = json!({});
    let expected = ask(&server, openai(&none)).await["choices"][0]["message"]["content"].clone();
    assert!(expected.as_str().unwrap().contains("14 days"), "{expected}");
    let reply = ask(&server, anthropic(&none)).await;
    assert_eq!(reply["content"], json!([{"type": "text", "text": expected}]));
    assert_eq!(
        (&reply["type"], &reply["stop_reason"], &reply["model"]),
        (&json!("message"), &json!("end_turn"), &json!("m"))
    );
    assert!(
        reply["usage"]["input_tokens"].as_u64() > Some(0)
            && reply["usage"]["output_tokens"].as_u64() > Some(0)
    );
    let reply = ask(&server, gemini(&none)).await;
    let candidate = &reply["candidates"][0];
    assert_eq!(
        (&candidate["content"]["parts"][0]["text"], &candidate["finishReason"]),
        (&expected, &json!("STOP"))
    );
    assert_eq!((&reply["modelVersion"], server.stop().await.requests), (&json!("m"), 3));
}

#[tokio::test]
async fn limits_cut_answers_in_every_protocol() {
    let server = TestServer::with(&[]).await;
    let reply = ask(&server, anthropic(&json!({"max_tokens": 2}))).await;
    assert_eq!(reply["stop_reason"], "max_tokens");
    let reply = ask(&server, gemini(&json!({"generationConfig": {"maxOutputTokens": 2}}))).await;
    assert_eq!(reply["candidates"][0]["finishReason"], "MAX_TOKENS");
    server.stop().await;
}

#[tokio::test]
async fn forced_tool_gets_the_json_as_its_arguments() {
    let server = TestServer::with(&[]).await;
    let format = "Reply with {\"answer\": \"<text>\"}";
    let tool = json!({"name": "json_reply", "input_schema": {"type": "object"}});
    let forced = json!({"system": format!("{RULES} {format}"), "tools": [tool], "tool_choice": {"type": "tool", "name": "json_reply"}});
    let reply = ask(&server, anthropic(&forced)).await;
    assert_eq!(
        (&reply["content"][0]["type"], &reply["stop_reason"]),
        (&json!("tool_use"), &json!("tool_use"))
    );
    assert!(reply["content"][0]["input"]["answer"].is_string(), "{reply}");
    server.stop().await;
}

#[tokio::test]
async fn streams_have_the_events_of_the_protocol() {
    let server = TestServer::with(&[]).await;
    let (_, events) = post(&server, anthropic(&json!({"stream": true}))).await;
    let names: Vec<&str> = events.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(
        names,
        [
            "message_start",
            "ping",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let (_, _, body) = gemini(&json!({}));
    let (_, events) = post(&server, ("/v1beta/models/m:streamGenerateContent?alt=sse", "", body)).await;
    assert_eq!(events.matches("data: ").count(), 2);
    server.stop().await;
}

#[tokio::test]
async fn invalid_requests_are_refused_in_the_envelope_of_the_protocol() {
    let server = TestServer::with(&[]).await;
    for (more, message) in [
        (json!({"seed": 1}), "seed: Extra inputs are not permitted"),
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (json!({"messages": []}), "at least one message is required"),
        (json!({"messages": [{"role": "system", "content": "a"}]}), "'user' or 'assistant'"),
    ] {
        let (status, body) = post(&server, anthropic(&more)).await;
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &error["error"]["type"]), (400, &json!("invalid_request_error")), "{body}");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{body}");
    }
    let (path, _, body) = anthropic(&json!({}));
    assert!(post(&server, (path, "", body)).await.1.contains("anthropic-version: header is required"));
    for (more, message) in [
        (json!({"messages": []}), "Unknown name \"messages\""),
        (json!({"contents": []}), "contents is not specified"),
        (json!({"contents": [{"role": "system", "parts": []}]}), "valid role"),
    ] {
        let (status, body) = post(&server, gemini(&more)).await;
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &error["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{body}");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn faults_have_the_form_of_the_protocol() {
    let server = TestServer::with(&["429=1", "retry-after=7"]).await;
    let (status, body) = post(&server, anthropic(&json!({}))).await;
    assert!(status == 429 && body.contains("rate_limit_error"), "{body}");
    let (status, body) = post(&server, gemini(&json!({}))).await;
    assert!(status == 429 && body.contains("\"retryDelay\":\"7s\""), "{body}");
    server.stop().await;
    for (fault, anthropic_has, gemini_has) in [
        ("length=1", "\"stop_reason\":\"max_tokens\"", "MAX_TOKENS"),
        ("content-filter=1", "\"stop_reason\":\"refusal\"", "SAFETY"),
        ("tool-calls=1", "\"type\":\"tool_use\"", "functionCall"),
        ("no-choices=1", "\"stop_reason\":\"end_turn\"", "\"candidates\":[]"),
        ("quota-after=0", "billing details", "PerDay"),
        ("error-200=1", "\"type\":\"error\"", "\"error\":{"),
        ("529=1", "overloaded_error", "INTERNAL"),
    ] {
        let server = TestServer::with(&[fault]).await;
        let body = post(&server, anthropic(&json!({}))).await.1;
        assert!(body.contains(anthropic_has), "{fault}: {body}");
        let body = post(&server, gemini(&json!({}))).await.1;
        assert!(body.contains(gemini_has), "{fault}: {body}");
        server.stop().await;
    }
}
