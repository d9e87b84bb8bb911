//! `transform`: what is graded of an answer, and what an answer scores that cannot be transformed.

mod command;

use serde_json::{Value, json};

use crate::servers::{Server, says};
use crate::support::Folder;

const FENCED: &str =
    "Here it is:\n```json\n{\"answer\": {\"text\": \" 11\u{a0}days \"}}\n```\nAnything else?";

/// The report of a run over one answer to every request, with its exit code.
fn graded(answer: &'static str, check: &str, transform: &str) -> (i32, Value) {
    let server = Server::start(move |_, _| (200, says(answer)));
    let folder = Folder::small(2).without_self_test();
    folder.edit("promptgate.yaml", "  - length: {min_chars: 1}", &format!("  - {check}"));
    folder.append("promptgate.yaml", &format!("transform: {transform}\n"));
    let outcome = folder.against(&server.base_url, &["run", "--no-judge"]);
    (outcome.code, folder.report())
}

#[test]
fn extracted_field_is_graded_and_the_whole_is_kept() {
    let all = "{extract: fenced, json_path: $.answer.text, trim: true}";
    for (check, transform, code) in [
        ("equals: \"11\u{a0}days\"", all, 0),
        // `equals` sees the typography of the answer, searches for texts do not.
        ("equals: 11 days", all, 10),
        ("contains: 11 days", all, 0),
        ("contains: 11 days", "{extract: json, normalize_unicode: false}", 10),
        (
            "contains: {all: [11 days], normalize_unicode: true}",
            "{extract: json, normalize_unicode: false}",
            0,
        ),
        ("is_json: true", "{extract: fenced_or_bare}", 0),
        ("is_json: true", "{extract: json}", 0),
        ("is_json: true", "{}", 10),
    ] {
        let (found, report) = graded(FENCED, check, transform);
        assert_eq!(found, code, "{check} {transform}");
        let trial = &report["cases"][0]["trials"][0];
        let from = if transform == "{}" { Value::Null } else { json!(FENCED) };
        assert_eq!(trial["transformed"]["from"], from, "{transform}");
    }
}

#[test]
fn answer_that_cannot_be_transformed_fails_with_the_reason() {
    for (answer, transform, reason) in [
        ("11 days", "{extract: fenced}", "the answer has no fenced block"),
        ("11 days", "{extract: json}", "the answer has no JSON value"),
        ("11 days", "{json_path: $.answer}", "json_path $.answer: the answer is not JSON"),
        ("{\"text\": 1}", "{json_path: $.answer}", "is absent"),
    ] {
        // The check alone would pass.
        let (code, report) = graded(answer, "length: {min_chars: 1}", transform);
        assert_eq!((code, &report["verdict"]), (10, &json!("fail")), "{transform}");
        let trial = &report["cases"][0]["trials"][0];
        assert_eq!((&trial["output"], &trial["error"]), (&json!(answer), &Value::Null));
        let grade = &trial["grades"][0];
        assert_eq!(grade["score"], 0.0);
        assert!(grade["reason"].as_str().is_some_and(|text| text.contains(reason)), "{grade}");
    }
}

#[test]
fn invalid_transforms_are_refused() {
    for (transform, message) in [
        ("{json_path: \"$.a[*]\"}", "`transform.json_path`"),
        ("{json_path: \"\"}", "must not be empty"),
        ("{extract: fence}", "did you mean `fenced`?"),
        ("{trimm: true}", "did you mean `trim`?"),
        ("{trim: 1}", "must be"),
    ] {
        let folder = Folder::small(1);
        folder.append("promptgate.yaml", &format!("transform: {transform}\n"));
        folder.promptgate(&["check"]).expect_code(2).says(message);
    }
}
