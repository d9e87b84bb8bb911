//! Mistakes in the configuration of scorers.

use super::scored;

#[test]
fn case_must_not_run_a_command() {
    let folder = scored(1);
    folder.write(
        "cases.jsonl",
        "{\"id\": \"case-1\", \"query\": \"q\", \"checks\": [{\"command\": {\"run\": [\"touch\", \"started\"]}}]}\n",
    );
    for arguments in [["check"], ["run"]] {
        let outcome = folder.promptgate(&arguments).expect_code(2);
        outcome.says("case case-1: the check `command` is not allowed in a case");
    }
    assert!(!folder.path().join("started").exists());
}

#[test]
fn mistakes_of_a_scorer_are_named() {
    for (to, words) in [
        ("{timeout: 20s}", "run"),
        ("{run: [], timeout: 20s}", "run"),
        ("{run: [python3, score.py], timeout: 20}", "timeout"),
        ("{run: [python3, score.py], timeout: 0s}", "a timeout of 0 leaves no time for a score"),
        ("{run: [python3, score.py], workers: 0}", "workers"),
        ("{run: [python3, score.py], env: [GITHUB_TOKEN]}", "GITHUB_TOKEN"),
        ("{run: [python3, score.py], shell: true}", "shell"),
        ("{run: [python3, score.py]}\n    contains: days", "2 checks: command, contains"),
        ("{run: [python3, score.py]}\n    min: 2", "min"),
        ("{run: [python3, score.py]}\n    min: 0.5\n    require: no_new_failures", "exclude each other"),
        ("{run: [python3, score.py]}\n    name: valid\n  - contains: days", "two checks are named `valid`"),
    ] {
        let folder = scored(1);
        folder.edit("promptgate.yaml", "{run: [python3, score.py], timeout: 20s}", to);
        folder.promptgate(&["check"]).expect_code(2).says(words);
    }
}
