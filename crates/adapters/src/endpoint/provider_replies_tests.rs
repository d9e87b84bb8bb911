//! Every reply of the fixtures of Anthropic and Gemini through the model of an endpoint, and the requests that it sends.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::test_server::{Reaction, Server, ok, response};
use promptgate_core::model::{Protocol, StreamMode, Usage};
use promptgate_core::text::Secret;
use promptgate_testing::{RecordedEvents, request};

#[derive(Deserialize)]
struct Fixture {
    replies: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    name: String,
    source: String,
    status: u16,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
    stream: Option<String>,
    expect: Expected,
}

/// The outcome of a reply: an answer, or a fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    text: Option<String>,
    finish: Option<String>,
    reasoning: Option<String>,
    #[serde(default)]
    calls: Vec<(Option<String>, String, String)>,
    #[serde(default)]
    refusal: bool,
    /// Tokens of the request, of the answer, and cached ones; `null` where none may be read.
    #[serde(default, deserialize_with = "written")]
    usage: Option<Option<[u64; 3]>>,
    model: Option<String>,
    fault: Option<FaultKind>,
    /// A part of the fault's message.
    message: Option<String>,
    /// Seconds that the server asks to wait.
    wait: Option<f64>,
    #[serde(default)]
    waits: bool,
    #[serde(default)]
    unreadable: bool,
}

fn written<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<[u64; 3]>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn options(server: &Server, protocol: Protocol) -> Options {
    let key = Some(Secret::new("sk-secret"));
    Options { protocol, api_key: key, attempts: 1, ..Options::new(server.base_url()) }
}

/// The model without retries, budget and limits.
fn bare(options: &Options) -> http_model::HttpModel {
    let base = address::parse(&options.base_url, options.protocol).unwrap();
    http_model::HttpModel::new(options, base, Arc::default()).unwrap()
}

fn connected(options: Options) -> Arc<dyn ChatModel> {
    connect(options, Arc::new(RecordedEvents::default()), Arc::default(), CancellationToken::new()).unwrap()
}

fn event_stream(text: &str) -> Reaction {
    let head = format!(
        "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    Reaction::Write(format!("{head}{text}").into_bytes())
}

fn reaction(reply: &Reply) -> Reaction {
    if let Some(stream) = &reply.stream {
        return event_stream(stream);
    }
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    response(reply.status, &headers, &reply.body.to_string())
}

fn check_answer(completion: &Completion, expected: &Expected) {
    assert_eq!(Some(&completion.text), expected.text.as_ref());
    assert_eq!(Some(completion.finish_reason.as_str()), expected.finish.as_deref());
    assert_eq!(completion.reasoning, expected.reasoning);
    assert_eq!(completion.refusal, expected.refusal);
    let calls: Vec<_> = completion
        .tool_calls
        .iter()
        .map(|call| (call.id.clone(), call.name.clone(), call.arguments.clone()))
        .collect();
    assert_eq!(calls, expected.calls);
    if let Some(usage) = expected.usage {
        let of = |[prompt, answer, cached]: [u64; 3]| Usage {
            cached_prompt_tokens: cached,
            ..Usage::new(prompt, answer)
        };
        assert_eq!(completion.usage, usage.map(of));
    }
    if expected.model.is_some() {
        assert_eq!(completion.model, expected.model);
    }
}

fn check_fault(fault: &Fault, expected: &Expected) {
    assert_eq!(Some(fault.kind), expected.fault, "{fault}");
    assert!(fault.message.contains(expected.message.as_deref().unwrap_or_default()), "{fault}");
    assert_eq!(fault.max_attempts.is_some(), expected.unreadable, "{fault}");
    let wait = fault.retry_after.map(|wait| wait.as_secs_f64());
    if expected.waits {
        assert!(wait.is_some());
    } else {
        assert_eq!(wait, expected.wait);
    }
    assert!(!fault.message.contains("sk-secret"));
}

async fn check_all(fixture: &str, protocol: Protocol) {
    let fixture: Fixture = serde_json::from_str(fixture).unwrap();
    assert!(fixture.replies.len() > 30);
    for reply in fixture.replies {
        println!("{} ({})", reply.name, reply.source);
        let server = Server::start([reaction(&reply)]).await;
        match bare(&options(&server, protocol)).complete(&request()).await {
            Ok(completion) => check_answer(&completion, &reply.expect),
            Err(fault) => check_fault(&fault, &reply.expect),
        }
    }
}

#[tokio::test]
async fn replies_of_anthropic_are_read() {
    check_all(include_str!("../../../../tests/fixtures/replies_anthropic.json"), Protocol::Anthropic).await;
}

#[tokio::test]
async fn replies_of_gemini_are_read() {
    check_all(include_str!("../../../../tests/fixtures/replies_gemini.json"), Protocol::Gemini).await;
}

/// Sends a request to a server that fails, and returns its head.
async fn head_of(protocol: Protocol, stream: StreamMode, headers: &[(&str, &str)]) -> String {
    let server = Server::start([response(400, "", "{}")]).await;
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    let options = Options { stream, headers, ..options(&server, protocol) };
    connected(options).complete(&request()).await.unwrap_err();
    server.received()[0].head.clone()
}

#[tokio::test]
async fn key_and_path_are_those_of_the_protocol() {
    for (protocol, line, key) in [
        (Protocol::OpenAi, "POST /v1/chat/completions ", "authorization: bearer sk-secret"),
        (Protocol::Anthropic, "POST /v1/messages ", "x-api-key: sk-secret"),
        (Protocol::Gemini, "POST /v1/models/m:generateContent ", "x-goog-api-key: sk-secret"),
    ] {
        let head = head_of(protocol, StreamMode::Auto, &[]).await;
        assert!(head.starts_with(line), "{head}");
        assert!(head.lines().any(|line| line == key), "{head}");
        let has_version = head.lines().any(|line| line == "anthropic-version: 2023-06-01");
        assert_eq!(has_version, protocol == Protocol::Anthropic, "{head}");
        assert_eq!(head.matches("sk-secret").count(), 1, "{head}");
    }
    let head = head_of(Protocol::Anthropic, StreamMode::Auto, &[("anthropic-version", "2099-01-01")]).await;
    assert!(head.contains("anthropic-version: 2099-01-01") && !head.contains("2023-06-01"), "{head}");
}

#[tokio::test]
async fn stream_is_asked_for_in_the_way_of_the_protocol() {
    let head = head_of(Protocol::Gemini, StreamMode::Always, &[]).await;
    assert!(head.starts_with("POST /v1/models/m:streamGenerateContent?alt=sse "), "{head}");
    let head = head_of(Protocol::Anthropic, StreamMode::Always, &[]).await;
    assert!(
        head.contains("accept: text/event-stream") && head.contains("accept-encoding: identity"),
        "{head}"
    );
}

#[tokio::test]
async fn streams_have_a_time_to_the_first_token() {
    let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
    for (stream, reaction, has_time) in [
        (StreamMode::Always, event_stream(chunk), true),
        // A filter may leave no token: its time is that of the end.
        (
            StreamMode::Always,
            event_stream("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n"),
            true,
        ),
        // A server that does not stream although it was asked to.
        (StreamMode::Always, ok("a"), false),
        (StreamMode::Auto, ok("a"), false),
    ] {
        let server = Server::start([reaction]).await;
        let model = connected(Options { stream, ..options(&server, Protocol::OpenAi) });
        let answer = model.complete(&request()).await.unwrap();
        assert_eq!(answer.ttft_ms.is_some(), has_time);
        assert!(answer.ttft_ms.is_none_or(|ttft| ttft > 0.0 && ttft <= answer.latency_ms), "{answer:?}");
        let body: Value = serde_json::from_slice(&server.received()[0].body).unwrap();
        assert_eq!(body["stream"] == true, stream == StreamMode::Always);
    }
}

#[tokio::test]
async fn stream_that_was_forbidden_is_not_asked_for() {
    let message = "This model only supports streams: set the parameter `stream` to true.";
    let demand = response(400, "", &serde_json::json!({"error": {"message": message}}).to_string());
    let server = Server::start([demand, ok("hello")]).await;
    let model = connected(Options { stream: StreamMode::Never, ..options(&server, Protocol::OpenAi) });
    assert_eq!(model.complete(&request()).await.unwrap_err().kind, FaultKind::Rejected);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn azure_is_called_with_its_version_and_key() {
    // https://learn.microsoft.com/azure/ai-foundry/openai/reference: a deployment, `api-version` and `api-key`.
    let server = Server::start([ok("hello")]).await;
    let base = format!("http://localhost:{}/openai/deployments/d-1?api-version=2024-10-21", server.port());
    let headers = vec![("api-key".to_owned(), Secret::new("az-secret"))];
    let answer =
        connected(Options { headers, attempts: 1, ..Options::new(base) }).complete(&request()).await.unwrap();
    assert_eq!(answer.text, "hello");
    let head = server.received()[0].head.clone();
    assert!(
        head.starts_with("POST /openai/deployments/d-1/chat/completions?api-version=2024-10-21 "),
        "{head}"
    );
    assert!(head.contains("api-key: az-secret") && !head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn waits_of_the_body_are_obeyed() {
    let body = r#"{"error": {"code": 429, "message": "a", "details": [{"retryDelay": "2s"}]}}"#;
    let server = Server::start([response(429, "", body)]).await;
    let fault = bare(&options(&server, Protocol::Gemini)).complete(&request()).await.unwrap_err();
    assert_eq!(fault.retry_after, Some(Duration::from_secs(2)));
}
