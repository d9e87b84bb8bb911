//! Every reply of the fixture through the model of an endpoint: text, finish reason, flags, kind of fault, attempts.

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::test_server::{Reaction, Server, ok, response};
use promptgate_core::model::{FinishReason, ToolCall, Usage};
use promptgate_testing::{RecordedEvents, request};

/// The outcome of a reply. An answer is as the engine grades it, without its reasoning.
#[derive(Debug, PartialEq)]
enum Read {
    /// The text and the finish reason.
    Answer(&'static str, &'static str),
    /// The same with reasoning.
    Reasoned(&'static str, &'static str, &'static str),
    /// The text and the name of a tool that is called.
    Called(&'static str, &'static str),
    Refused(&'static str),
    /// The kind of the fault, with as many attempts as configured.
    Fault(FaultKind),
    /// A fault of a form that cannot be read: asked once more at the most.
    Unreadable,
}

use FaultKind::{
    ContentFilter, ContextLength, Forbidden, InvalidAnswer, NotFound, RateLimited, Rejected, Unauthorized,
    Unavailable,
};
use Read::{Answer, Called, Fault as Failed, Reasoned, Refused, Unreadable};

const EXPECTED: &[(&str, Read)] = &[
    ("parts", Answer("hello", "stop")),
    ("magistral", Reasoned("hello", "stop", "hmm")),
    ("think", Reasoned("hello", "stop", "I wonder about goodbye")),
    ("thinkopen", Reasoned("hello", "stop", "I wonder")),
    ("reasonnull", Reasoned("", "stop", "hello bla")),
    ("frupper", Answer("hello", "stop")),
    ("freos", Answer("hello", "stop")),
    ("frend", Answer("hello", "stop")),
    ("frmissing", Answer("hello", "stop")),
    ("frlenUP", Answer("hel", "length")),
    ("frmodel_length", Answer("hel", "length")),
    ("toolnull", Called("", "f")),
    ("toolstop", Called("", "f")),
    ("refusal", Refused("I can't help")),
    ("usagereason", Answer("hello", "stop")),
    ("azfilternull", Answer("", "content_filter")),
    ("err200choice", Failed(RateLimited)),
    ("deepseek_risk", Failed(ContentFilter)),
    ("qwen_inspect", Failed(ContentFilter)),
    ("or_moderation", Failed(ContentFilter)),
    ("fastapi", Failed(Rejected)),
    ("groqjson", Answer("", "json_validate_failed")),
    ("temp", Failed(Rejected)),
    ("maxtok", Failed(Rejected)),
    ("gemkey", Failed(Unauthorized)),
    ("groq_413", Failed(ContextLength)),
    ("gem_ctx", Failed(ContextLength)),
    ("anth529", Failed(Unavailable)),
    ("az404", Failed(NotFound)),
    ("frsafety", Answer("", "content_filter")),
    ("frrecitation", Answer("hel", "content_filter")),
    ("frfiltered", Answer("hel", "content_filter")),
    ("frguardrail", Answer("hel", "content_filter")),
    ("frmax_tokens", Answer("hel", "length")),
    ("frnull", Answer("hello", "stop")),
    ("frunknown", Answer("hello", "pause_turn")),
    ("frabort", Failed(InvalidAnswer)),
    ("thinking", Reasoned("hello", "stop", "goodbye")),
    ("thinkcut", Reasoned("", "length", "I wonder about")),
    ("thinkunclosed", Reasoned("", "length", "I wonder about")),
    ("thinkmiddle", Answer("Write <think>goodbye</think> first.", "stop")),
    ("gptoss", Reasoned("hello", "stop", "goodbye")),
    ("openrouter_reasoning", Reasoned("hello", "stop", "goodbye")),
    ("partsrefusal", Refused("I can't help")),
    ("partsempty", Unreadable),
    ("functioncall", Called("hello", "f")),
    ("null", Unreadable),
    ("number", Unreadable),
    ("nochoices", Unreadable),
    ("openai_invalid_prompt", Failed(ContentFilter)),
    ("bedrock_guardrail", Failed(ContentFilter)),
    ("dashscope_output", Failed(ContentFilter)),
    ("azure_filter", Failed(ContentFilter)),
    ("stepfun_451", Failed(ContentFilter)),
    ("forbidden", Failed(Forbidden)),
    ("mistral_seed", Failed(Rejected)),
    ("err200filter", Failed(ContentFilter)),
    ("err200plain", Failed(InvalidAnswer)),
];

/// Connects to an endpoint whose calls are not retried.
fn connected(server: &Server) -> Arc<dyn ChatModel> {
    let options = Options { attempts: 1, ..Options::new(server.base_url()) };
    let events = Arc::new(RecordedEvents::default());
    connect(options, events, Arc::default(), CancellationToken::new()).unwrap()
}

/// Calls an endpoint that reacts in this way.
async fn ask(reaction: Reaction) -> Result<Completion, Fault> {
    let server = Server::start([reaction]).await;
    connected(&server).complete(&request()).await
}

fn is_as_expected(result: Result<Completion, Fault>, expected: &Read) -> bool {
    let completion = match result {
        Err(fault) if fault.max_attempts == Some(2) && fault.kind == InvalidAnswer => {
            return *expected == Unreadable;
        }
        Err(fault) => return fault.max_attempts.is_none() && *expected == Failed(fault.kind),
        Ok(completion) => completion.strip_reasoning(),
    };
    let (text, end) = (completion.text.as_str(), completion.finish_reason.as_str());
    let is_plain = completion.reasoning.is_none() && completion.tool_calls.is_empty() && !completion.refusal;
    match expected {
        Answer(expected, reason) => is_plain && (text, end) == (expected, reason),
        Reasoned(expected, reason, reasoning) => {
            (text, end, completion.reasoning.as_deref()) == (expected, reason, Some(*reasoning))
        }
        Called(expected, name) => {
            let is_called = |call: &ToolCall| call.name == *name && call.arguments == "{}";
            text == *expected && matches!(completion.tool_calls.as_slice(), [call] if is_called(call))
        }
        Refused(expected) => text == *expected && completion.refusal,
        Failed(_) | Unreadable => false,
    }
}

#[tokio::test]
async fn replies_of_all_vendors_are_read() {
    let fixture: Value =
        serde_json::from_str(include_str!("../../../../tests/fixtures/replies.json")).unwrap();
    let replies = fixture["replies"].as_array().unwrap();
    let names: Vec<&str> = replies.iter().map(|reply| reply["name"].as_str().unwrap()).collect();
    assert_eq!(names, EXPECTED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (reply, (name, expected)) in replies.iter().zip(EXPECTED) {
        let status = u16::try_from(reply["status"].as_u64().unwrap()).unwrap();
        let result = ask(response(status, "", &reply["body"].to_string())).await;
        let shown = format!("{name}: {result:?}, expected {expected:?}");
        assert!(is_as_expected(result, expected), "{shown}");
    }
}

#[tokio::test]
async fn reasoning_outside_of_the_completion_is_counted() {
    let fixture: Value =
        serde_json::from_str(include_str!("../../../../tests/fixtures/replies.json")).unwrap();
    let reply = fixture["replies"].as_array().unwrap().iter().find(|reply| reply["name"] == "usagereason");
    let answer = ask(response(200, "", &reply.unwrap()["body"].to_string())).await;
    assert_eq!(answer.unwrap().usage, Some(Usage::new(5, 103)));
}

#[tokio::test]
async fn server_that_only_streams_is_read_and_remembered() {
    let chunk = |delta: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
    let end =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let stream = format!("{}{}{end}", chunk("{\"content\":\"hel\"}"), chunk("{\"content\":\"lo\"}"));
    let message = "This model only support stream mode, please enable the stream parameter.";
    let demand = response(400, "", &format!("{{\"error\":{{\"message\":\"{message}\"}}}}"));
    let event_stream = Reaction::Write(
        format!(
            "HTTP/1.1 200 X\r\ncontent-type: text/event-stream; charset=utf-8\r\ncontent-length: {}\r\n\r\n{stream}",
            stream.len()
        )
        .into_bytes(),
    );
    let server = Server::start([demand, event_stream.clone(), event_stream]).await;
    let model = connected(&server);
    for requests in [2, 3] {
        let answer = model.complete(&request()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.finish_reason), ("hello", FinishReason::Stop));
        assert_eq!(server.received().len(), requests);
    }
    let asked = server.received().into_iter().map(|received| String::from_utf8(received.body).unwrap());
    let streams: Vec<bool> = asked.map(|body| body.contains("\"stream\":true")).collect();
    assert_eq!(streams, [false, true, true]);
}

#[tokio::test]
async fn refused_stream_parameter_is_not_sent_again() {
    let message = "stream: true is required";
    let demand = response(400, "", &format!("{{\"error\":{{\"message\":\"{message}\"}}}}"));
    let server = Server::start([demand.clone(), demand, ok("hello")]).await;
    let model = connected(&server);
    assert_eq!(model.complete(&request()).await.unwrap_err().kind, Rejected);
    assert_eq!(model.complete(&request()).await.unwrap().text, "hello");
    let last = String::from_utf8(server.received()[2].body.clone()).unwrap();
    assert!(!last.contains("stream"), "{last}");
}

#[tokio::test]
async fn failed_json_of_a_judgement_is_a_refusal() {
    let body = r#"{"error": {"message": "Failed to generate JSON.", "code": "json_validate_failed"}}"#;
    let server = Server::start([response(400, "", body)]).await;
    let model = connected(&server);
    let fault = model.complete(&test_support::judgement()).await.unwrap_err();
    assert_eq!((fault.kind, fault.status), (Rejected, Some(400)));
    assert!(fault.message.contains("json_validate_failed"), "{fault}");
}
