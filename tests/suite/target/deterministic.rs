//! Applications that are declared never to vary.

use serde_json::Value;

use super::{application, commit};
use crate::support::Folder;

/// The application over `cases` cases, without a judge, with `deterministic: true` and a worker in shell.
fn deterministic(cases: usize, more: &str) -> Folder {
    let folder = application(cases);
    folder.edit("promptgate.yaml", "metrics:\n  faithfulness: {min: 0.75}\njudge: {model: tiny-judge}\n", "");
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 1\n  cache: false\n  deterministic: true\n");
    folder.append("promptgate.yaml", more);
    commit(&folder, "deterministic");
    folder
}

fn warnings(report: &Value) -> String {
    report["warnings"].to_string()
}

#[test]
fn equal_answers_need_no_more_repeats_and_no_warning() {
    let folder = deterministic(6, "");
    folder.write("answer.py", &(folder.read("answer.py") + "# A comment\n"));
    commit(&folder, "comment");
    folder.promptgate(&["run", "--baseline", "git:HEAD~1"]).expect_code(0);
    let report = folder.report();
    assert_eq!(report["repeats"], 2);
    assert_eq!(report["variants"]["candidate"]["application"]["deterministic"], true);
    assert!(!warnings(&report).contains("repeats"), "{}", warnings(&report));
    folder.promptgate(&["run", "--baseline", "git:HEAD~1", "--repeats", "1"]).expect_code(0);
    assert_eq!(folder.report()["repeats"], 1);
}

#[test]
fn loss_of_a_deterministic_application_fails_at_once() {
    let folder = deterministic(6, "gate: {repeats: 1}\n");
    folder.write("facts.json", &super::facts(6, "weeks"));
    commit(&folder, "worse");
    folder.promptgate(&["run", "--baseline", "git:HEAD~1"]).expect_code(10);
}

#[test]
fn application_that_varies_is_said_and_not_trusted() {
    let folder = deterministic(4, "baseline: none\n");
    folder.write(
        "answer.py",
        "import json, sys\nfor number, line in enumerate(sys.stdin):\n    print(json.dumps({'output': f'{number} days'}), flush=True)\n",
    );
    commit(&folder, "varies");
    folder.promptgate(&["run"]);
    let said = warnings(&folder.report());
    assert!(
        said.contains("`target.deterministic` is true, but the answers to 4 of 4 cases differ"),
        "{said}"
    );
}

#[test]
fn pull_request_does_not_declare_itself_deterministic() {
    let folder = application(4);
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  deterministic: true\n");
    commit(&folder, "declare");
    folder.promptgate(&["run", "--offline", "--policy-from", "git:main", "--baseline", "git:main"]);
    let report = folder.report();
    assert!(report["variants"]["candidate"]["application"]["deterministic"].is_null());
    assert!(report["policy_source"]["changed"].to_string().contains("target.deterministic"), "{report}");
}
