//! The bytes on the wire, parsed by `opentelemetry-proto`, and the receiver's answers.

use std::io::Read as _;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as ProtoKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

use super::names::Scope;
use super::*;
use crate::http::test_server::{Reaction, Received, Server};
use promptgate_core::text::Secret;

const TRACE: TraceId = TraceId([7; 16]);

fn response(status: &str, headers: &str, body: &[u8]) -> Reaction {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    Reaction::Write([head.as_bytes(), body].concat())
}

fn ok() -> Reaction {
    response("200 OK", "content-type: application/x-protobuf\r\n", b"")
}

fn span(name: &str) -> Span {
    Span {
        trace: TRACE,
        id: SpanId([1; 8]),
        parent: None,
        name: name.to_owned(),
        kind: SpanKind::Internal,
        start: 1_796_040_000_000_000_000,
        end: 1_796_040_001_500_000_000,
        attributes: Vec::new(),
        events: Vec::new(),
        is_error: false,
    }
}

fn exporter(url: &str) -> OtlpExporter {
    OtlpExporter::new(OtlpOptions { url: url.to_owned(), ..OtlpOptions::default() }).unwrap()
}

fn parsed(received: &Received) -> ExportTraceServiceRequest {
    let mut body = Vec::new();
    GzDecoder::new(received.body.as_slice()).read_to_end(&mut body).unwrap();
    ExportTraceServiceRequest::decode(body.as_slice()).unwrap()
}

fn value(attributes: &[KeyValue], key: &str) -> Option<ProtoValue> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value
}

fn text(text: &str) -> Option<ProtoValue> {
    Some(ProtoValue::StringValue(text.to_owned()))
}

#[tokio::test]
async fn bytes_are_those_of_the_protocol() {
    let server = Server::start([ok()]).await;
    let event = SpanEvent {
        time: 1_796_040_001_500_000_000,
        name: names::EVALUATION_EVENT,
        attributes: vec![
            (names::EVALUATION_NAME, "correctness".into()),
            (names::EVALUATION_SCORE, 0.75.into()),
        ],
    };
    let child = Span {
        id: SpanId([2; 8]),
        parent: Some(SpanId([1; 8])),
        kind: SpanKind::Client,
        attributes: vec![
            (names::REQUEST_MODEL, "gpt-x".into()),
            (names::INPUT_TOKENS, 12_u64.into()),
            (names::OUTPUT_TOKENS, u64::MAX.into()),
            (names::CACHED, false.into()),
            (names::FINISH_REASONS, vec!["stop".to_owned()].into()),
        ],
        events: vec![event],
        is_error: true,
        ..span("chat gpt-x")
    };
    let exported =
        exporter(&server.base_url()).export(Scope::Run, [span("run"), child].into_iter()).await.unwrap();
    assert_eq!(exported, Exported { sent: 2, ..Exported::default() });

    let received = server.received();
    let [request] = received.as_slice() else { panic!("{received:?}") };
    assert!(request.head.starts_with("POST /v1/v1/traces HTTP/1.1\r\n"), "{}", request.head);
    for header in ["content-type: application/x-protobuf\r\n", "content-encoding: gzip\r\n"] {
        assert_eq!(request.head.matches(header).count(), 1, "{}", request.head);
    }
    let parsed = parsed(request);
    let [resource] = parsed.resource_spans.as_slice() else { panic!() };
    let attributes = &resource.resource.as_ref().unwrap().attributes;
    assert_eq!(value(attributes, "service.name"), text("promptgate"));
    let [scope] = resource.scope_spans.as_slice() else { panic!() };
    assert_eq!(scope.scope.as_ref().unwrap().name, "promptgate.run");
    let [root, child] = scope.spans.as_slice() else { panic!() };
    assert_eq!((root.name.as_str(), root.kind()), ("run", ProtoKind::Internal));
    assert_eq!(root.trace_id, [7; 16]);
    assert_eq!((root.span_id.as_slice(), root.parent_span_id.as_slice()), (&[1; 8][..], &[][..]));
    assert_eq!(root.start_time_unix_nano, 1_796_040_000_000_000_000);
    assert_eq!(root.end_time_unix_nano, 1_796_040_001_500_000_000);
    assert_eq!(root.status, None);

    assert_eq!((child.name.as_str(), child.kind()), ("chat gpt-x", ProtoKind::Client));
    assert_eq!(child.parent_span_id, [1; 8]);
    assert_eq!(child.flags, 0x101);
    assert_eq!(child.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(value(&child.attributes, "gen_ai.request.model"), text("gpt-x"));
    assert_eq!(value(&child.attributes, "gen_ai.usage.input_tokens"), Some(ProtoValue::IntValue(12)));
    assert_eq!(value(&child.attributes, "gen_ai.usage.output_tokens"), Some(ProtoValue::IntValue(i64::MAX)));
    assert_eq!(value(&child.attributes, "promptgate.cached"), Some(ProtoValue::BoolValue(false)));
    let Some(ProtoValue::ArrayValue(reasons)) = value(&child.attributes, "gen_ai.response.finish_reasons")
    else {
        panic!()
    };
    assert_eq!(reasons.values, [AnyValue { value: text("stop") }]);
    let [event] = child.events.as_slice() else { panic!() };
    assert_eq!(
        (event.name.as_str(), event.time_unix_nano),
        ("gen_ai.evaluation.result", child.end_time_unix_nano)
    );
    assert_eq!(value(&event.attributes, "gen_ai.evaluation.name"), text("correctness"));
    let score = value(&event.attributes, "gen_ai.evaluation.score.value");
    assert_eq!(score, Some(ProtoValue::DoubleValue(0.75)));
    // Nothing is lost between our messages and those of the protocol.
    let mut body = Vec::new();
    GzDecoder::new(request.body.as_slice()).read_to_end(&mut body).unwrap();
    assert_eq!(parsed.encode_to_vec(), body);
}

#[tokio::test]
async fn spans_of_several_traces_share_a_request_of_their_scope() {
    let server = Server::start([ok()]).await;
    let other = Span { trace: TraceId([9; 16]), ..span("b") };
    let exporter = exporter(&server.base_url());
    let exported = exporter.export(Scope::Rollout, [span("a"), other].into_iter()).await.unwrap();
    assert_eq!(exported.sent, 2);
    let received = server.received();
    let [request] = received.as_slice() else { panic!("{received:?}") };
    let parsed = parsed(request);
    let [scope] = parsed.resource_spans[0].scope_spans.as_slice() else { panic!() };
    assert_eq!(scope.scope.as_ref().unwrap().name, "promptgate.rollout");
    let traces: Vec<&[u8]> = scope.spans.iter().map(|span| span.trace_id.as_slice()).collect();
    assert_eq!(traces, [&[7; 16][..], &[9; 16]]);
}

#[tokio::test]
async fn long_traces_are_sent_in_parts_by_number_and_size() {
    let server = Server::start([ok(), ok(), ok(), ok()]).await;
    let exporter = exporter(&server.base_url());
    let exported = exporter.export(Scope::Run, (0..1001).map(|_| span("case"))).await.unwrap();
    assert_eq!(exported.sent, 1001);
    let large = "x".repeat(5 << 20);
    exporter.export(Scope::Run, [span(&large), span("last")].into_iter()).await.unwrap();
    let counts: Vec<usize> = server
        .received()
        .iter()
        .map(|request| parsed(request).resource_spans[0].scope_spans[0].spans.len())
        .collect();
    assert_eq!(counts, [1000, 1, 1, 1]);
}

#[tokio::test]
async fn headers_are_sent_and_secrets_in_messages_redacted() {
    let body = b"{\"message\": \"no access with Zm9vYmFyYmF6 here\"}";
    let server = Server::start([response("401 Unauthorized", "", body)]).await;
    let options = OtlpOptions {
        url: server.base_url(),
        secret_headers: vec![("Authorization".to_owned(), Secret::new("Basic Zm9vYmFyYmF6"))],
        headers: vec![("x-mlflow-experiment-id".to_owned(), "3".to_owned())],
    };
    let exporter = OtlpExporter::new(options).unwrap();
    let error = exporter.export(Scope::Run, [span("run")].into_iter()).await.unwrap_err().to_string();
    assert!(error.contains("401") && error.ends_with("check --otlp-header"), "{error}");
    assert!(!error.contains("Zm9v"), "{error}");
    let head = &server.received()[0].head;
    assert!(head.contains("x-mlflow-experiment-id: 3\r\n"), "{head}");
    assert!(head.contains("authorization: basic zm9vymfyymf6\r\n"), "{head}");
}

#[tokio::test]
async fn refused_spans_and_warnings_are_reported() {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 2, error_message: "too old" } }
    let partial = [0x0a, 0x0b, 0x08, 2, 0x12, 7, b't', b'o', b'o', b' ', b'o', b'l', b'd'];
    let server = Server::start([ok(), response("200 OK", "", &partial), response("200 OK", "", b"{}")]).await;
    let exporter = exporter(&server.base_url());
    let none = exporter.export(Scope::Run, [span("run")].into_iter()).await.unwrap();
    assert_eq!(none.rejected, 0);
    let some = exporter.export(Scope::Run, (0..3).map(|_| span("case"))).await.unwrap();
    assert_eq!(some, Exported { sent: 3, rejected: 2, message: "too old".to_owned() });
    // Some receivers answer in JSON.
    let json = exporter.export(Scope::Run, [span("run")].into_iter()).await.unwrap();
    assert_eq!(json, Exported { sent: 1, ..Exported::default() });
}

#[tokio::test]
async fn unavailable_receiver_is_asked_again_and_a_wrong_address_is_not() {
    let busy = || response("503 Service Unavailable", "retry-after: 0\r\n", b"");
    let server = Server::start([busy(), ok(), response("404 Not Found", "", b"")]).await;
    let exporter = exporter(&server.base_url());
    exporter.export(Scope::Run, [span("run")].into_iter()).await.unwrap();
    assert_eq!(server.received().len(), 2);
    let error = exporter.export(Scope::Run, [span("run")].into_iter()).await.unwrap_err().to_string();
    assert!(error.contains("/v1/v1/traces: 404"), "{error}");
    assert!(error.ends_with("does the address lead to a receiver of OTLP over HTTP?"), "{error}");
    assert_eq!(server.received().len(), 3);
}

#[test]
fn invalid_addresses_and_headers_are_rejected() {
    let new = |url: &str, headers: &[(&str, &str)], secret: Option<&str>| {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let options = OtlpOptions {
            url: url.to_owned(),
            headers: headers.iter().map(pair).collect(),
            secret_headers: secret
                .iter()
                .map(|value| ("authorization".to_owned(), Secret::new(*value)))
                .collect(),
        };
        OtlpExporter::new(options).unwrap_err().to_string()
    };
    let url = "http://localhost:4318";
    for (error, expected) in [
        (new("localhost:4318", &[], None), "--otlp: unsupported URL scheme"),
        (new("https://user:hush@x.example", &[], None), "--otlp: the URL has a user name or a password"),
        (new("https://x.example?key=hush", &[], None), "--otlp: the URL has a query"),
        (new("http://localhost:4318/v1/traces/", &[], None), "--otlp: the URL ends with /v1/traces"),
        (
            new("http://x.example", &[], Some("hush")),
            "--otlp: the credentials would be sent without encryption",
        ),
        (new(url, &[("x y", "1")], None), "--otlp-header: `x y` is not a valid header name"),
        (new(url, &[("Content-Type", "a")], None), "--otlp-header: `Content-Type` is set by promptgate"),
        (new(url, &[("x", "hush\n")], None), "--otlp-header: the value of `x` has characters"),
        (new(url, &[("x", "1"), ("X", "2")], None), "--otlp-header: duplicate header `x`"),
        (new(url, &[("Authorization", "1")], Some("2")), "--otlp-header: duplicate header `authorization`"),
    ] {
        assert!(error.contains(expected) && !error.contains("hush"), "{expected}: {error}");
    }
}
