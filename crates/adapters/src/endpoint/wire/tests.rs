use proptest::prelude::*;
use std::sync::Arc;

use serde_json::Map;

use super::*;
use promptgate_testing::request;

fn choice(choice: Value) -> Vec<u8> {
    json!({"choices": [choice]}).to_string().into_bytes()
}

fn complaint(body: &[u8]) -> String {
    match parse(body).unwrap_err() {
        Complaint::Malformed(text) | Complaint::Error(text) => text,
    }
}

#[test]
fn a_request_goes_out_in_the_form_of_the_api() {
    let mut asked = request();
    asked.parameters = Map::from_iter([
        ("temperature".to_owned(), json!(0)),
        ("model".to_owned(), json!("other")),
        ("messages".to_owned(), json!([])),
        ("response_format".to_owned(), json!({"type": "text"})),
        ("seed".to_owned(), json!(7)),
    ]);
    let text = String::from_utf8(body(&asked).unwrap()).unwrap();
    assert_eq!(
        text,
        r#"{"model":"m","messages":[{"role":"user","content":"why?"}],"temperature":0,"response_format":{"type":"text"},"seed":7}"#
    );
    asked.response_format =
        Some(ResponseFormat::JsonSchema { name: "s".to_owned(), schema: Arc::new(json!({"z": 1, "a": 2})) });
    let text = String::from_utf8(body(&asked).unwrap()).unwrap();
    assert!(text.ends_with(
        r#""seed":7,"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"z":1,"a":2}}}}"#
    ));
    assert_eq!(text.matches("response_format").count(), 1);
    asked.response_format = Some(ResponseFormat::JsonObject);
    assert!(
        String::from_utf8(body(&asked).unwrap())
            .unwrap()
            .contains(r#""response_format":{"type":"json_object"}"#)
    );
}

#[test]
fn a_whole_answer_is_read_with_its_extras() {
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
        Answer {
            text: "hi".to_owned(),
            refusal: false,
            finish_reason: FinishReason::Stop,
            usage: Some(Usage { prompt_tokens: 3, completion_tokens: 2 }),
            model: Some("m-2026".to_owned()),
            system_fingerprint: Some("fp".to_owned()),
        }
    );
}

#[test]
fn extras_of_another_form_cost_no_answer() {
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
fn finish_reasons_are_told_apart() {
    for (wire, expected) in [
        (json!("stop"), FinishReason::Stop),
        (json!("length"), FinishReason::Length),
        (json!("content_filter"), FinishReason::ContentFilter),
        (json!("tool_calls"), FinishReason::ToolCalls),
        (json!("function_call"), FinishReason::ToolCalls),
        (json!("abort"), FinishReason::Other("abort".to_owned())),
        (json!(null), FinishReason::Other("null".to_owned())),
    ] {
        let answer = parse(&choice(json!({"message": {"content": ""}, "finish_reason": wire}))).unwrap();
        assert_eq!((answer.text.as_str(), answer.finish_reason), ("", expected));
    }
}

#[test]
fn a_refusal_is_the_answer() {
    let body = choice(json!({"message": {"content": null, "refusal": "I won't."}, "finish_reason": "stop"}));
    let answer = parse(&body).unwrap();
    assert_eq!((answer.text.as_str(), answer.refusal), ("I won't.", true));
    let body = choice(json!({"message": {"content": "fine", "refusal": ""}, "finish_reason": "stop"}));
    assert!(!parse(&body).unwrap().refusal);
}

#[test]
fn no_content_is_an_empty_answer_only_where_the_model_was_cut() {
    for reason in ["length", "content_filter", "tool_calls"] {
        for message in [json!({"content": null}), json!({"role": "assistant"})] {
            let answer = parse(&choice(json!({"message": message, "finish_reason": reason}))).unwrap();
            assert_eq!((answer.text.as_str(), answer.finish_reason.as_str()), ("", reason));
        }
    }
    for reason in [json!("stop"), json!(null), json!("abort")] {
        assert!(
            complaint(&choice(json!({"message": {"content": null}, "finish_reason": reason})))
                .contains("null")
        );
    }
}

#[test]
fn what_is_not_a_whole_answer_is_a_complaint() {
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
        (
            r#"{"choices": [{"message": {"content": ["hi"]}, "finish_reason": "stop"}]}"#,
            "not a chat completion",
        ),
        (r#"{"choices": [{"message": {"content": "a"}, "finish_reason": 1}]}"#, "not a chat completion"),
        (r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "error"}]}"#, "`error`"),
        (
            r#"{"choices": [{"message": {"content": "\ud800"}, "finish_reason": "stop"}]}"#,
            "not a chat completion",
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
        assert!(complaint(body.as_bytes()).contains(part), "{body}: {}", complaint(body.as_bytes()));
    }
    assert!(complaint(b"{\"choices\": [{\"message\": {\"content\": \"\xff\"}}]}").contains("not a chat"));
    // Depth does not exhaust the stack, in a field that is skipped and in one that is read.
    for field in ["x", "error"] {
        let deep = format!("{{\"{field}\": {}", "[".repeat(100_000));
        assert!(!complaint(deep.as_bytes()).is_empty());
    }
}

#[test]
fn errors_are_read_in_every_usual_form() {
    for (body, message, codes) in [
        (r#"{"error": {"message": "a", "type": "t", "code": "c", "param": null}}"#, "a", vec!["c", "t"]),
        (r#"{"error": {"message": "a", "type": null, "code": 429}}"#, "a", vec!["429"]),
        (r#"{"error": "a"}"#, "a", vec![]),
        (r#"{"message": "a", "code": "c"}"#, "a", vec!["c"]),
        (r#"{"object": "error", "message": "a", "type": "t", "code": 400}"#, "a", vec!["400", "t"]),
        (r#"{"detail": "a"}"#, "a", vec![]),
        (r#"{"detail": [{"loc": ["body"], "msg": "a"}]}"#, "a", vec![]),
        (r#"[{"error": {"message": "a", "code": 400}}]"#, "a", vec!["400"]),
        (r#"{"error": {"message": null}}"#, "", vec![]),
        (r#""a""#, "a", vec![]),
        ("  plain words ", "plain words", vec![]),
        ("<!doctype html><p>x</p>", "an HTML page", vec![]),
        (
            "<html><TITLE class=a>\n 502 Bad Gateway </TITLE>",
            "an HTML page titled \"502 Bad Gateway\"",
            vec![],
        ),
        ("<title>ẞ", "an HTML page", vec![]),
        ("", "", vec![]),
        ("4", "", vec![]),
    ] {
        let error = parse_error(body.as_bytes());
        assert_eq!(
            (error.message.as_str(), error.codes),
            (message, codes.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    let azure = r#"{"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}, "param": "prompt"}}"#;
    let error = parse_error(azure.as_bytes());
    assert_eq!(error.codes, ["x", "ResponsibleAIPolicyViolation"]);
    assert_eq!(error.param.as_deref(), Some("prompt"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = parse_error(&bytes);
    }

    #[test]
    fn any_text_comes_back_as_it_was(text in any::<String>()) {
        let body = choice(json!({"message": {"content": text}, "finish_reason": "stop"}));
        prop_assert_eq!(parse(&body).unwrap().text, text);
    }
}
