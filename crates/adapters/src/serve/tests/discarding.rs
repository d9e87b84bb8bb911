//! Traces and scores of Langfuse's SDKs.

use hyper::Method;
use serde_json::json;

use super::{Options, Served, ledger};
use crate::serve::Limits;

const TRACES: &str = "/api/public/otel/v1/traces";

#[tokio::test]
async fn traces_are_accepted_with_a_warning_and_counted() {
    let served = Served::standard().await;
    let json_type = [("content-type", "application/json")];
    let answer = served.send(Method::POST, TRACES, &json_type, "{\"resourceSpans\":[]}").await;
    assert_eq!(answer.status, 200);
    let message = "promptgate serve does not store traces; send them to an OpenTelemetry collector";
    assert_eq!(answer.json(), json!({"partialSuccess": {"rejectedSpans": 0, "errorMessage": message}}));
    let protobuf = [("content-type", "application/x-protobuf"), ("content-encoding", "gzip")];
    let answer = served.send(Method::POST, TRACES, &protobuf, "not even gzip").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-protobuf"));
    // Field 1, a message; in it field 2, a text that fills it.
    let (head, text) = answer.body.split_at(4);
    assert_eq!(head, [0x0a, message.len() as u8 + 2, 0x12, message.len() as u8]);
    assert_eq!(text, message.as_bytes());
    assert!(message.len() < 126, "a length of one byte");

    assert_eq!(served.health().await["discarded"], json!({"traces": 2, "ingestion": 0, "scores": 0}));
    assert_eq!(served.notices(), [format!("Discarded({TRACES:?})")]);
}

#[tokio::test]
async fn scores_and_batches_have_the_answers_that_sdks_expect() {
    let served = Served::standard().await;
    for (path, body, status, expected) in [
        ("ingestion", "{\"batch\":[]}", 207, json!({"successes": [], "errors": []})),
        ("scores", "[{\"name\":\"a\"}]", 202, json!({"message": "Accepted"})),
        ("scores", "{\"id\":\"s1\",\"name\":\"a\"}", 200, json!({"id": "s1"})),
        ("scores", "{\"name\":\"a\"}", 200, json!({"id": "discarded"})),
    ] {
        let answer = served.send(Method::POST, &format!("/api/public/{path}"), &[], body).await;
        assert_eq!((answer.status, answer.json()), (status, expected), "{body}");
    }
    let invalid = served.send(Method::POST, "/api/public/scores", &[], "no JSON").await;
    invalid.expect_error(400, "InvalidRequestError", "expected a score");
    let read = served.get("/api/public/scores").await;
    read.expect_error(405, "method_not_allowed", "stores no traces");
    assert_eq!(read.header("allow"), "POST");
}

#[tokio::test]
async fn long_bodies_are_dropped_and_still_answered() {
    let served = Served::standard().await;
    let long = "x".repeat(200_000);
    for (body, status, expected) in [
        (format!(" [\"{long}\"]"), 202, json!({"message": "Accepted"})),
        (format!("{{\"id\":\"s1\",\"comment\":\"{long}\"}}"), 200, json!({"id": "discarded"})),
        (format!("{{\"comment\":\"{}\",\"id\":\"s1\"}}", &long[..60_000]), 200, json!({"id": "s1"})),
    ] {
        let answer = served.send(Method::POST, "/api/public/scores", &[], &body).await;
        assert_eq!((answer.status, answer.json()), (status, expected));
    }
    // Deep nesting exhausts no stack.
    let deep = format!("{{\"id\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    for body in [deep, "[1,".to_owned(), "{\"id\":1".to_owned(), long, " ".to_owned()] {
        let answer = served.send(Method::POST, "/api/public/scores", &[], &body).await;
        answer.expect_error(400, "InvalidRequestError", "expected a score");
    }
    let number = served.send(Method::POST, "/api/public/scores", &[], "{\"id\":7}").await;
    assert_eq!(number.json(), json!({"id": "discarded"}));
}

#[tokio::test]
async fn body_that_is_too_large_is_refused() {
    let limits = Limits { body_size: 10, ..Limits::default() };
    let served = Served::new(ledger(), Options { limits, ..Options::default() }).await;
    let answer = served.send(Method::POST, TRACES, &[], "0123456789a").await;
    answer.expect_error(413, "payload_too_large", "larger than 10 bytes");
    assert_eq!(served.send(Method::POST, TRACES, &[], "0123456789").await.status, 200);
    assert_eq!(served.health().await["discarded"]["traces"], 1);
}
