//! Answers that were recorded elsewhere.

use super::{application, commit};
use crate::support::Folder;

fn recorded(lines: &[&str]) -> Folder {
    let folder = application(3);
    folder.write("answers.jsonl", &(lines.join("\n") + "\n"));
    folder.edit(
        "promptgate.yaml",
        "  command: [python3, answer.py]\n  workers: 2\n  timeout: 10s\n",
        "  answers: answers.jsonl\n",
    );
    folder.edit(
        "promptgate.yaml",
        "metrics:\n  faithfulness: {min: 0.75}\njudge: {model: tiny-judge}\n",
        "gate: {repeats: 1, max_repeats: 1}\n",
    );
    folder
}

const GOOD: [&str; 3] = [
    r#"{"id": "case-1", "output": "30 days", "latency_ms": 120}"#,
    r#"{"id": "case-2", "output": "31 days", "contexts": ["31 days"]}"#,
    r#"{"id": "case-3", "output": "32 days", "usage": {"input_tokens": 7, "output_tokens": 3}}"#,
];

#[test]
fn recorded_answers_are_compared_with_those_of_the_base() {
    let folder = recorded(&GOOD);
    commit(&folder, "answers");
    folder.git(&["branch", "--force", "main"]);
    folder.promptgate(&["run"]).expect_code(0).says("candidate and baseline are equal");
    folder.write("answers.jsonl", &GOOD.join("\n").replace("days", "weeks"));
    folder.promptgate(&["run"]).expect_code(10).says("says-days");
    let report = folder.report();
    assert_eq!(report["cases"][0]["trials"][0]["latency_ms"], 120.0);
    assert_eq!(report["cases"][2]["trials"][0]["usage"]["completion_tokens"], 3);
}

#[test]
fn case_without_a_recorded_answer_is_missing() {
    let folder = recorded(&GOOD[..2]);
    folder.append("promptgate.yaml", "baseline: none\n");
    let outcome = folder.promptgate(&["run"]);
    assert!([11, 12].contains(&outcome.code), "{}", outcome.text());
    assert!(folder.report()["cases"][2]["trials"][0]["error"]["message"].to_string().contains("case-3"));
}

#[test]
fn invalid_lines_are_named_before_the_run() {
    let folder = recorded(&[GOOD[0], "{\"id\": \"case-2\", \"output\": }", r#"{"output": "32 days"}"#]);
    folder.promptgate(&["check"]).expect_code(2).says("answers.jsonl:2").says("answers.jsonl:3");
    std::fs::remove_file(folder.path().join("answers.jsonl")).expect("the file");
    folder.promptgate(&["check"]).expect_code(2).says("answers.jsonl");
}
