//! A pull request must not choose its scorer.

use super::{SCORER, answers, giving, grades, scored};
use crate::ci::Origin;
use crate::support::{Folder, finish};
use crate::target::{CONFIGURATION, WORKER, cases, facts};

/// Repository with a branch whose answers are bad.
fn worse_change() -> Folder {
    let folder = scored(6);
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "start");
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder.write("answers.jsonl", &answers(6, "weeks"));
    folder
}

fn commit(folder: &Folder, message: &str) {
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", message]);
}

const FROM: [&str; 3] = ["run", "--policy-from", "git:main"];

#[test]
fn scorer_that_the_change_edits_does_not_count() {
    let folder = worse_change();
    folder.write("score.py", &giving("1"));
    commit(&folder, "edit the scorer");
    folder.promptgate(&["run"]).expect_code(0);
    folder.promptgate(&FROM).expect_code(10).says("file score.py").says("for the scorers");
    assert!(grades(&folder).iter().all(|grade| grade["score"] == 0.0));
    assert!(folder.git(&["status", "--porcelain"]).is_empty(), "the work tree is as it was");

    // Also where the change is not committed, moves the script or removes it.
    folder.git(&["mv", "score.py", "other.py"]);
    folder.promptgate(&FROM).expect_code(10);
    assert!(grades(&folder).iter().all(|grade| grade["score"] == 0.0));
}

#[test]
fn command_that_the_change_names_does_not_count() {
    let folder = worse_change();
    folder.write("easy.py", &giving("1"));
    folder.edit(
        "promptgate.yaml",
        "{run: [python3, score.py], timeout: 20s}",
        "{run: [python3, easy.py], env: [STOLEN]}",
    );
    commit(&folder, "name another scorer");
    folder.promptgate(&["run"]).expect_code(0);
    folder.promptgate(&FROM).expect_code(10).says("checks.valid.command.run");
}

#[test]
fn variables_of_a_scorer_are_those_of_the_policy() {
    let folder = scored(2);
    let reason = "os.environ.get(\"STOLEN\", \"-\")";
    let script =
        SCORER.replace("request[\"case\"][\"id\"]", reason).replace("import json", "import os, json");
    folder.write("score.py", &script);
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "start");
    folder.edit("promptgate.yaml", "timeout: 20s", "timeout: 20s, env: [STOLEN]");
    let reasons = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.env("STOLEN", "value");
        finish(command).expect_code(0);
        grades(&folder).iter().map(|grade| grade["reason"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&["run"]), ["\"value\"", "\"value\""]);
    assert_eq!(reasons(&FROM), ["\"-\"", "\"-\""]);
}

/// Application and scorer of a pull request; both commits are those of the base.
#[test]
fn pull_request_is_scored_by_the_scorer_of_its_base() {
    let origin = Origin::new(|folder| {
        let scorer = "checks:\n  - command: {run: [python3, score.py], timeout: 20s}\n    name: valid\n";
        folder.write("promptgate.yaml", &CONFIGURATION.replace("checks:\n", scorer));
        folder.write("answer.py", WORKER);
        folder.write("score.py", SCORER);
        folder.write("facts.json", &facts(12, "days"));
        folder.write("cases.jsonl", &cases(12));
    });
    origin.change(|folder| {
        folder.write("facts.json", &facts(12, "weeks"));
        folder.write("score.py", &giving("1"));
    });
    let job = origin.pull_request();
    job.offline().expect_code(10).says("file score.py");
    let report = job.checkout.report();
    let trials = report["cases"].as_array().expect("cases").iter();
    let trials = trials.flat_map(|case| case["trials"].as_array().expect("trials").iter());
    let of_scorer = trials.flat_map(|trial| {
        let grades = trial["grades"].as_array().expect("grades").iter();
        grades
            .filter(|grade| grade["scorer"] == "check.valid")
            .map(|grade| (trial["role"].as_str().unwrap_or_default(), grade["score"].as_f64()))
    });
    let of_scorer: Vec<_> = of_scorer.collect();
    assert!(of_scorer.contains(&("candidate", Some(0.0))), "{of_scorer:?}");
    let expected = |role: &str| if role == "candidate" { Some(0.0) } else { Some(1.0) };
    assert!(of_scorer.iter().all(|(role, score)| *score == expected(role)), "{of_scorer:?}");
}
