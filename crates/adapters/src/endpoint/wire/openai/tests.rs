use proptest::prelude::*;
use std::sync::Arc;

use serde_json::Map;

use super::super::invalid::InvalidReply;
use super::*;
use promptgate_core::model::{Completion, Usage};
use promptgate_testing::request;

fn choice(choice: Value) -> Vec<u8> {
    json!({"choices": [choice]}).to_string().into_bytes()
}

fn invalid(body: &[u8]) -> String {
    match parse(body).unwrap_err() {
        InvalidReply::Truncated(text)
        | InvalidReply::Malformed(text)
        | InvalidReply::Failed(text)
        | InvalidReply::Blocked(text) => text,
        InvalidReply::Error(error) => error.summary(),
    }
}

#[test]
fn a_request_is_serialized_in_the_form_of_the_api() {
    let mut request = request();
    request.parameters = Map::from_iter([
        ("temperature".to_owned(), json!(0)),
        ("model".to_owned(), json!("other")),
        ("messages".to_owned(), json!([])),
        ("response_format".to_owned(), json!({"type": "text"})),
        ("seed".to_owned(), json!(7)),
    ]);
    let text = String::from_utf8(body(&request, false).unwrap()).unwrap();
    assert_eq!(
        text,
        r#"{"model":"m","messages":[{"role":"user","content":"why?"}],"temperature":0,"response_format":{"type":"text"},"seed":7}"#
    );
    request.response_format =
        Some(ResponseFormat::JsonSchema { name: "s".to_owned(), schema: Arc::new(json!({"z": 1, "a": 2})) });
    let text = String::from_utf8(body(&request, false).unwrap()).unwrap();
    assert!(text.ends_with(
        r#""seed":7,"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"z":1,"a":2}}}}"#
    ));
    assert_eq!(text.matches("response_format").count(), 1);
    let text = String::from_utf8(body(&request, true).unwrap()).unwrap();
    assert!(
        text.contains(r#""stream":true,"stream_options":{"include_usage":true},"response_format""#),
        "{text}"
    );
    request.response_format = Some(ResponseFormat::JsonObject);
    assert!(
        String::from_utf8(body(&request, false).unwrap())
            .unwrap()
            .contains(r#""response_format":{"type":"json_object"}"#)
    );
}

#[test]
fn a_complete_response_is_parsed_with_optional_fields() {
    let body = json!({
        "id": "x", "object": "chat.completion", "unknown": [1, {"deep": null}],
        "model": "m-2026", "system_fingerprint": "fp",
        "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "hi", "refusal": null, "tool_calls": []}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {}},
        "error": null,
    });
    let answer = parse(body.to_string().as_bytes()).unwrap();
    assert_eq!(
        answer,
        Completion {
            usage: Some(Usage::new(3, 2)),
            model: Some("m-2026".to_owned()),
            system_fingerprint: Some("fp".to_owned()),
            ..Completion::from_text("hi")
        }
    );
}

#[test]
fn invalid_optional_fields_are_dropped() {
    for extra in [
        json!({"usage": null, "model": null}),
        json!({"usage": "many"}),
        json!({"usage": {"prompt_tokens": -1}, "model": 4}),
        json!({"usage": {}, "system_fingerprint": {}}),
        json!({"usage": {"prompt_tokens": 5}}),
        json!({"usage": {"completion_tokens": 5}}),
        json!({"usage": {"prompt_tokens": 5, "completion_tokens": -1}}),
        json!({"usage": {"prompt_tokens": "5", "completion_tokens": "5"}}),
        json!({"usage": {"prompt_tokens": 5, "completion_tokens": u64::MAX}}),
        json!({"usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
    ] {
        let mut body = json!({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = parse(body.to_string().as_bytes()).unwrap();
        assert_eq!((answer.text.as_str(), answer.usage, answer.model), ("hi", None, None));
    }
}

#[test]
fn a_refusal_becomes_the_text() {
    let body = choice(json!({"message": {"content": null, "refusal": "I won't."}, "finish_reason": "stop"}));
    let answer = parse(&body).unwrap();
    assert_eq!((answer.text.as_str(), answer.refusal), ("I won't.", true));
    let body = choice(json!({"message": {"content": "fine", "refusal": ""}, "finish_reason": "stop"}));
    assert!(!parse(&body).unwrap().refusal);
}

#[test]
fn null_content_is_empty_text_only_after_an_early_stop() {
    for reason in ["length", "content_filter", "tool_calls"] {
        for message in [json!({"content": null}), json!({"role": "assistant"})] {
            let answer = parse(&choice(json!({"message": message, "finish_reason": reason}))).unwrap();
            assert_eq!((answer.text.as_str(), answer.finish_reason.as_str()), ("", reason));
        }
    }
    for reason in [json!("stop"), json!(null), json!("pause_turn")] {
        assert!(
            invalid(&choice(json!({"message": {"content": null}, "finish_reason": reason}))).contains("null")
        );
    }
}

#[test]
fn an_incomplete_response_is_invalid() {
    for (body, part) in [
        ("", "empty"),
        (" \n", "empty"),
        ("{", "cut off"),
        (r#"{"choices": [{"message": {"content": "hal"#, "cut off"),
        ("null", "not a chat completion"),
        ("[]", "not a chat completion"),
        ("OK", "not a chat completion"),
        ("{}", "no `choices`"),
        (r#"{"choices": null}"#, "no `choices`"),
        (r#"{"choices": []}"#, "`choices` is empty"),
        (r#"{"choices": {}}"#, "not a chat completion"),
        (r#"{"choices": [{}]}"#, "no `message`"),
        (r#"{"choices": [{"message": "hi"}]}"#, "not a chat completion"),
        (r#"{"choices": [{"message": {"content": 4}, "finish_reason": "stop"}]}"#, "not a chat completion"),
        (r#"{"choices": [{"message": {"content": ["hi"]}, "finish_reason": "stop"}]}"#, "is not a map"),
        (r#"{"choices": [{"message": {"content": "a"}, "finish_reason": 1}]}"#, "not a chat completion"),
        (r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "error"}]}"#, "`error`"),
        (
            r#"{"choices": [{"message": {"content": "\ud800"}, "finish_reason": "stop"}]}"#,
            r"\ud800 is half a character",
        ),
        (
            r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]} {}"#,
            "not a chat completion",
        ),
        (r#"{"choices": [{"message": {"content": "a", "content": "b"}}]}"#, "not a chat completion"),
        (r#"{"error": "overloaded"}"#, "overloaded"),
        (r#"{"error": {"message": "boom", "code": 502}, "choices": []}"#, "boom"),
        (r#"{"error": {"code": 502, "type": null}}"#, "502"),
        (r#"{"choices": [{"error": {"message": "upstream"}, "message": {"content": "a"}}]}"#, "upstream"),
    ] {
        assert!(invalid(body.as_bytes()).contains(part), "{body}: {}", invalid(body.as_bytes()));
    }
    assert!(invalid(b"{\"choices\": [{\"message\": {\"content\": \"\xff\"}}]}").contains("not a chat"));
    // Deep nesting does not exhaust the stack, neither in a skipped field nor in a parsed one.
    for field in ["x", "error"] {
        let deep = format!("{{\"{field}\": {}", "[".repeat(100_000));
        assert!(!invalid(deep.as_bytes()).is_empty());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_text_is_returned_unchanged(text in any::<String>()) {
        let body = choice(json!({"message": {"content": text}, "finish_reason": "stop"}));
        prop_assert_eq!(parse(&body).unwrap().text, text);
    }
}
