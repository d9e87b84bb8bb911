//! Scorers that misbehave: the answer is ungraded with the reason, never 0, never 1, and nothing is green.
#![cfg(unix)]

use super::{SCORER, grades, scored};

/// The scripts, and what the reason of the missing grade contains.
const BAD: [(&str, &str); 13] = [
    ("read line; exit 3", "exit"),
    ("while read line; do sleep 600; done", "1 s"),
    ("exec 1>&-; while read line; do :; done", "standard output"),
    ("while read line; do echo 'A fine answer, 10 of 10.'; done", "not valid JSON"),
    ("while read line; do echo '{\"score\": NaN}'; done", "not valid JSON"),
    ("while read line; do echo '{\"score\": \"NaN\"}'; done", "from 0 to 1"),
    ("while read line; do echo '{\"score\": 1.5}'; done", "from 0 to 1"),
    ("while read line; do echo '{\"score\": -0.1}'; done", "from 0 to 1"),
    ("while read line; do echo '{\"pass\": \"true\"}'; done", "true or false"),
    ("while read line; do echo '{\"verdict\": \"good\"}'; done", "missing"),
    ("while read line; do echo '{\"error\": \"no database\"}'; done", "no database"),
    ("while read line; do echo '{\"id\": 4711, \"score\": 1}'; done", "another request"),
    ("while read line; do echo '{\"score\": 1}'; echo '{\"score\": 1}'; done", "second line"),
];

#[test]
fn misbehaving_scorers_are_never_green_and_never_a_score() {
    for (script, reason) in BAD {
        let folder = scored(2);
        folder.write("score.sh", script);
        folder.edit("promptgate.yaml", "[python3, score.py], timeout: 20s", "[sh, score.sh], timeout: 1s");
        let outcome = folder.promptgate(&["run"]);
        assert_eq!(outcome.code, 12, "{script}: {}", outcome.text());
        let grades = grades(&folder);
        assert!(!grades.is_empty(), "{script}: {}", outcome.text());
        for grade in grades {
            let reported = grade["reason"].as_str().unwrap_or_default();
            assert!(grade["score"].is_null() && reported.contains(reason), "{script}: {grade}");
        }
    }
}

#[test]
fn fault_on_one_answer_leaves_the_others_graded() {
    let folder = scored(5);
    let failing = "float('nan') if request[\"case\"][\"id\"] == \"case-1\" else 1";
    folder.write("score.py", &SCORER.replace("1 if days else 0", failing));
    folder.promptgate(&["run"]).expect_code(12);
    let scores: Vec<Option<f64>> = grades(&folder).iter().map(|grade| grade["score"].as_f64()).collect();
    assert_eq!(scores, [None, Some(1.0), Some(1.0), Some(1.0), Some(1.0)]);
}

#[test]
fn missing_program_ends_the_run_and_is_named() {
    let folder = scored(3);
    folder.edit("promptgate.yaml", "[python3, score.py]", "[no-such-program-4711]");
    let message = "the program `no-such-program-4711` of scorer";
    folder.promptgate(&["run"]).expect_code(12).says(message).says("is not on the PATH");
    assert!(!folder.path().join("promptgate-report/report.json").exists(), "nothing was called");
    folder.promptgate(&["check"]).expect_code(0).says(message);
}

#[test]
fn missing_script_is_an_error_before_the_first_call() {
    let folder = scored(3);
    folder.edit("promptgate.yaml", "[python3, score.py]", "[python3, scorers/nowhere.py]");
    for command in ["check", "run"] {
        let outcome = folder.promptgate(&[command]).expect_code(2);
        let outcome = outcome.says("the file `scorers/nowhere.py` of scorer").says("does not exist");
        outcome.says("promptgate.yaml:").says("relative to the folder of the configuration");
    }
    folder.edit("promptgate.yaml", "[python3, scorers/nowhere.py]", "[./nowhere]");
    folder.promptgate(&["check"]).expect_code(2).says("the file `./nowhere` of scorer");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_running() {
    let mark = format!("{}48", std::process::id());
    let folder = scored(2);
    let script = format!("sleep {mark} & setsid sleep {mark} & while read line; do sleep {mark}; done");
    folder.write("score.sh", &script);
    folder.edit("promptgate.yaml", "[python3, score.py], timeout: 20s", "[sh, score.sh], timeout: 1s");
    folder.promptgate(&["run"]).expect_code(12);
    assert_eq!(crate::target::processes_with(&format!("sleep {mark}")), [""; 0]);
}
