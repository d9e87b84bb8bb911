//! The passages that an application retrieves.

use super::{application, commit};
use crate::support::Folder;

/// A suite whose application retrieves two passages with ids; the sources of every case are both.
fn retrieving() -> Folder {
    let folder = application(6);
    let source = folder.read("answer.py");
    let with_ids = source.replace(
        "\"contexts\": [passage]",
        "\"contexts\": [{\"id\": \"kb-1\", \"text\": passage}, {\"id\": \"kb-2\", \"text\": \"Plans are monthly.\"}]",
    );
    assert_ne!(source, with_ids);
    folder.write("answer.py", &with_ids);
    let rows = folder
        .read("cases.jsonl")
        .replace("\"query\"", "\"expected_sources\": [\"kb-1\", \"kb-2\"], \"query\"");
    folder.write("cases.jsonl", &rows);
    folder.edit(
        "promptgate.yaml",
        "metrics:\n  faithfulness: {min: 0.75}\njudge: {model: tiny-judge}\n",
        "  - retrieval: {metric: recall, k: 5, by: id}\n    name: recall\n    min: 0.4\n    baseline: true\n",
    );
    commit(&folder, "retrieval");
    folder.git(&["branch", "--force", "main"]);
    folder
}

#[test]
fn recall_is_a_mean_and_its_loss_fails_against_the_base() {
    let folder = retrieving();
    folder.edit("answer.py", "\"kb-2\"", "\"kb-9\"");
    folder.promptgate(&["run", "--offline"]).expect_code(10).says("recall");
    let report = folder.report();
    let trial = &report["cases"][0]["trials"][0];
    assert_eq!(trial["context_ids"], serde_json::json!(["kb-1", "kb-9"]));
    let grades = trial["grades"].as_array().expect("grades");
    let recall = grades.iter().find(|grade| grade["scorer"] == "check.recall").expect("recall");
    assert_eq!(recall["score"], 0.5);
    assert!(recall["reason"].as_str().is_some_and(|reason| reason.contains("kb-2")), "{recall}");
    let criteria = report["criteria"].as_array().expect("criteria");
    let verdict = |kind: &str| {
        let of = |row: &&serde_json::Value| row["metric"] == "check.recall" && row["kind"] == kind;
        criteria.iter().find(of).map(|row| row["verdict"].clone())
    };
    assert_eq!(verdict("threshold"), Some("pass".into()), "a mean of 0.5 is above 0.4");
    assert_eq!(verdict("baseline"), Some("fail".into()));
}

#[test]
fn sources_that_are_still_found_pass() {
    let folder = retrieving();
    folder.edit("answer.py", "Plans are monthly.", "Plans are yearly.");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}

#[test]
fn application_without_passages_never_passes() {
    let folder = retrieving();
    let source = folder.read("answer.py");
    let line = source.lines().find(|line| line.contains("reply = {")).expect("the reply").to_owned();
    folder.write(
        "answer.py",
        &source.replace(&line, "    reply = {\"id\": case[\"id\"], \"output\": passage}"),
    );
    folder.promptgate(&["run", "--offline"]).expect_code(10).says("recall");
}

#[test]
fn case_without_sources_is_a_mistake_before_the_first_call() {
    let folder = retrieving();
    folder.append("cases.jsonl", "{\"id\": \"case-7\", \"query\": \"Why?\"}\n");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(2);
    outcome.says("check `recall` needs `expected_sources`, which these cases lack: case-7");
    folder.edit("cases.jsonl", "\"id\": \"case-7\"", "\"id\": \"case-7\", \"expected_sources\": []");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("`expected_sources` has no source");
}
