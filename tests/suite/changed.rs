//! `run --changed`: only suites that differ from the base are evaluated, and an empty run is never green.

use serde_json::Value;

use crate::extends::sharing;
use crate::support::Folder;

/// Suites on a branch that starts from `main`, with a shared file.
fn branch(names: &[&str]) -> Folder {
    let folder = sharing(names);
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "start");
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder
}

fn commit(folder: &Folder, message: &str) {
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
}

fn reworded(folder: &Folder, suite: &str) {
    folder.write(
        &format!("{suite}/prompt.md"),
        "Use only these passages. Answer in one sentence.\n\n{{context}}\n",
    );
}

fn verdicts(folder: &Folder) -> Vec<(String, String)> {
    let result: Value = serde_json::from_str(&folder.read("promptgate-report/suites.json")).expect("JSON");
    let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
    let rows = result["suites"].as_array().expect("a list").iter();
    rows.map(|row| (text(row, "name"), text(row, "verdict"))).collect()
}

fn row(name: &str, verdict: &str) -> (String, String) {
    (name.to_owned(), verdict.to_owned())
}

#[test]
fn only_suites_that_differ_are_evaluated() {
    let folder = branch(&["a", "b", "c"]);
    // Neither committed, nor staged, nor tracked.
    reworded(&folder, "b");
    let outcome = folder.promptgate(&["run", "--changed", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "unchanged"), row("b", "pass"), row("c", "unchanged")]);
    assert!(outcome.stderr.contains("skipped, unchanged since "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("(merge base with main): a, c"), "{}", outcome.stderr);
    // Committed.
    commit(&folder, "reworded");
    folder.promptgate(&["run", "a", "b", "--changed", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "unchanged"), row("b", "pass")]);
    // A suite that git does not know yet.
    for file in ["prompt.md", "baseline.md", "cases.jsonl"] {
        folder.write(&format!("d/{file}"), &folder.read(&format!("a/{file}")));
    }
    folder.write("d/promptgate.yaml", &folder.read("a/promptgate.yaml").replace("name: a", "name: d"));
    folder.promptgate(&["run", "--all", "--changed", "--offline"]).expect_code(0);
    let expected = [row("a", "unchanged"), row("b", "pass"), row("c", "unchanged"), row("d", "pass")];
    assert_eq!(verdicts(&folder), expected);
    // A bad prompt is still bad.
    folder.write("c/prompt.md", "Be kind to the customer.\n");
    folder.promptgate(&["run", "--changed", "--offline"]).expect_code(10);
}

#[test]
fn cases_and_shared_keys_count_as_changes() {
    let folder = branch(&["a", "b"]);
    folder.edit("a/cases.jsonl", "How many days does plan 1 give", "How many days gives plan 1");
    folder.promptgate(&["run", "--changed", "--offline", "--tag", "none"]).expect_code(3);
    folder.promptgate(&["run", "--changed", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "pass"), row("b", "unchanged")]);
    folder.edit("shared.yaml", "relevance: {min: 0.5}", "relevance: {min: 0.4}");
    folder.promptgate(&["run", "--changed", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "pass"), row("b", "pass")]);
}

#[test]
fn nothing_changed_is_never_green() {
    let folder = branch(&["a", "b"]);
    folder.write("notes.md", "not a file of a suite\n");
    let outcome = folder.promptgate(&["run", "--changed", "--offline"]).expect_code(3);
    outcome.says("none of the 2 suites differs").says("nothing is evaluated");
    folder.promptgate(&["run", "a", "--changed", "--offline"]).expect_code(3).says("a does not differ");
    assert!(!folder.path().join("promptgate-report").exists());
    reworded(&folder, "a");
    folder.promptgate(&["run", "a", "--changed", "--offline"]).expect_code(0);
    assert!(folder.path().join("promptgate-report/report.json").is_file());
}

#[test]
fn reference_names_another_base() {
    let folder = branch(&["a", "b"]);
    reworded(&folder, "a");
    commit(&folder, "first");
    reworded(&folder, "b");
    commit(&folder, "second");
    folder.promptgate(&["run", "--changed=HEAD~1", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "unchanged"), row("b", "pass")]);
    folder.promptgate(&["run", "--changed=HEAD", "--offline"]).expect_code(3);
    folder.promptgate(&["run", "--changed=nowhere", "--offline"]).expect_code(2).says("nowhere");
    // The list above selects its suites.
    folder.write("promptgate.yaml", "version: 1\nsuites: [b]\n");
    folder.promptgate(&["run", "--changed=main", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("b", "pass")]);
}

#[test]
fn changed_needs_a_repository_with_a_base() {
    let folder = sharing(&["a"]);
    folder.promptgate(&["run", "--changed", "--offline"]).expect_code(2).says("--changed");
    folder.git(&["init", "--quiet", "-b", "work"]);
    commit(&folder, "start");
    folder.promptgate(&["run", "--changed", "--offline"]).expect_code(2).says("--changed=REF");
    folder.promptgate(&["run", "--changed", "--case", "case-1"]).expect_code(2).says("cannot be used with");
}

#[test]
fn invalid_suite_is_reported_and_nothing_is_called() {
    let folder = branch(&["a", "b"]);
    reworded(&folder, "a");
    folder.edit("b/promptgate.yaml", "prompt: prompt.md", "prompt: missing.md");
    folder.promptgate(&["run", "--changed", "--offline"]).expect_code(2).says("missing.md");
    assert!(!folder.path().join("promptgate-report").exists());
}

#[test]
fn flags_for_baseline_and_policy_do_not_select_suites() {
    let folder = branch(&["a", "b"]);
    folder.write("README.md", "not a file of a suite\n");
    commit(&folder, "readme");
    // The branch that changes are merged into moves on, with another policy.
    folder.git(&["switch", "--quiet", "main"]);
    folder.edit("shared.yaml", "relevance: {min: 0.5}", "relevance: {min: 0.4}");
    commit(&folder, "policy");
    folder.git(&["switch", "--quiet", "change"]);
    let flags =
        [&["--policy-from", "git:main"][..], &["--baseline", "git:main"], &["--baseline", "none"], &[]];
    for flags in flags {
        let outcome = folder.promptgate(&[&["run", "--changed", "--offline"], flags].concat());
        outcome.expect_code(3).says("none of the 2 suites differs");
    }
    reworded(&folder, "b");
    folder.promptgate(&["run", "--changed", "--offline", "--policy-from", "git:main"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "unchanged"), row("b", "pass")]);
    // The reference of the flag decides: from `main` both differ.
    folder.promptgate(&["run", "--changed=main~1", "--offline"]).expect_code(0);
    assert_eq!(verdicts(&folder), [row("a", "unchanged"), row("b", "pass")]);
}

#[test]
fn flag_that_names_a_file_is_refused_with_changed() {
    let folder = branch(&["a"]);
    for (flag, value) in [
        ("--policy-from", "file:a/promptgate.yaml"),
        ("--policy-from", "git:main:a/promptgate.yaml"),
        ("--baseline", "file:baseline.md"),
        ("--candidate", "file:baseline.md"),
    ] {
        let outcome = folder.promptgate(&["run", "a", "--changed", "--offline", flag, value]).expect_code(2);
        outcome.says("cannot tell whether").says(flag);
    }
}

#[test]
fn head_that_is_the_base_is_said() {
    let folder = branch(&["a", "b"]);
    let outcome = folder.promptgate(&["run", "--changed", "--offline"]).expect_code(3);
    outcome.says("nothing to compare").says("which is HEAD itself").says("--changed=REF");
}
