use std::sync::Arc;

use serde_json::json;

use super::*;
use promptgate_core::model::Purpose;
use promptgate_core::text::Secret;

fn parse(text: &str) -> Result<RecordedAnswers, String> {
    let redactor = Redactor::new(&[Secret::new("sk-canary-0123456789")]);
    RecordedAnswers::parse("answers.jsonl", text.as_bytes(), &redactor).map_err(|error| error.to_string())
}

fn ask(answers: &RecordedAnswers, id: &str, repeat: u32) -> Result<Completion, Fault> {
    let request = ChatRequest {
        model: String::new(),
        messages: Vec::new(),
        parameters: Map::new(),
        response_format: None,
        repeat,
        purpose: Purpose::Completion,
        refresh: false,
        input: Some(Arc::new(json!({"id": id, "repeat": repeat}))),
    };
    answers.complete(&request).now_or_never().unwrap()
}

#[test]
fn answers_are_found_by_case_and_repeat() {
    let answers = parse(
        "\u{feff}{\"id\": \"a\", \"output\": \"a0 sk-canary-0123456789\", \"latency_ms\": 7}\r\n\n\
         {\"id\": \"a\", \"repeat\": 1, \"output\": \"a1\", \"contexts\": [\"c\"]}\n\
         {\"id\": \"a\", \"output\": \"a2\"}\n{\"id\": 7, \"output\": \"seven\"}\n",
    )
    .unwrap();
    let first = ask(&answers, "a", 0).unwrap();
    assert_eq!((first.text.as_str(), first.latency_ms), ("a0 [redacted]", 7.0));
    assert_eq!(ask(&answers, "a", 1).unwrap().contexts, Some(vec!["c".to_owned()]));
    assert_eq!(ask(&answers, "a", 2).unwrap().text, "a2");
    assert_eq!(ask(&answers, "7", 0).unwrap().text, "seven");
    assert_eq!((answers.repeats("a"), answers.repeats("7"), answers.repeats("b")), (3, 1, 0));
    assert!(answers.ids().len() == 2 && !answers.has_latencies());
    let timed = "{\"id\": \"a\", \"output\": \"x\", \"latency_ms\": 0}\n{\"id\": \"b\", \"error\": \"no\"}";
    assert!(parse(timed).unwrap().has_latencies());
}

#[test]
fn missing_and_failed_answers_are_faults() {
    let answers =
        parse("{\"id\": \"a\", \"output\": \"x\"}\n{\"id\": \"b\", \"error\": \"no sk-canary-0123456789\"}")
            .unwrap();
    for (id, repeat, kind, expected) in [
        ("c", 0, FaultKind::InvalidAnswer, "no recorded answer for case c"),
        ("a", 2, FaultKind::InvalidAnswer, "no recorded answer for case a, repeat 2"),
        ("b", 0, FaultKind::Unavailable, "no [redacted]"),
    ] {
        let fault = ask(&answers, id, repeat).unwrap_err();
        assert_eq!(fault.kind, kind);
        assert!(fault.message.contains(expected), "{}", fault.message);
        assert!(fault.attempts.len() == 1 && fault.attempts[0].is_contested());
    }
}

#[test]
fn invalid_lines_are_diagnostics_with_their_line() {
    for (text, expected) in [
        ("", "answers.jsonl: the file has no answers"),
        ("\n \n", "answers.jsonl: the file has no answers"),
        ("{\"id\": \"a\", \"output\": \"x\"}\nprose", "answers.jsonl:2: not valid JSON"),
        ("[]", "answers.jsonl:1: not a JSON object"),
        ("{\"output\": \"x\"}", "answers.jsonl:1: `id` is missing"),
        ("{\"id\": \"\", \"output\": \"x\"}", "answers.jsonl:1: `id` is missing"),
        ("{\"id\": [\"a\"], \"output\": \"x\"}", "answers.jsonl:1: `id` is missing"),
        ("{\"id\": \"a\"}", "answers.jsonl:1: `output` is missing"),
        ("{\"id\": \"a\", \"output\": \"x\", \"latency_ms\": -1}", "answers.jsonl:1: `latency_ms`"),
        ("{\"id\": \"a\", \"repeat\": -1, \"output\": \"x\"}", "answers.jsonl:1: `repeat` is -1"),
        ("{\"id\": \"a\", \"repeat\": 0.5, \"output\": \"x\"}", "answers.jsonl:1: `repeat` is 0.5"),
        ("{\"id\": \"a\", \"output\": \"x\", \"output\": \"y\"}", "answers.jsonl:1: not valid JSON"),
        (
            "{\"id\": \"a\", \"repeat\": 0, \"output\": \"x\"}\n{\"id\": \"a\", \"repeat\": 0, \"output\": \"x\"}",
            "answers.jsonl:2: duplicate answer for case a, repeat 0 (help: keep one of the two; the first is on line 1)",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let redactor = Redactor::default();
    assert!(RecordedAnswers::parse("a", b"\xff", &redactor).unwrap_err().to_string().contains("UTF-8"));
    let many = parse(&"prose\n".repeat(50)).unwrap_err();
    assert_eq!(many.lines().count(), 21);
    assert!(many.ends_with("and 30 more errors"), "{many}");
}
