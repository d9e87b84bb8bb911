//! `promptgate explain`, shell completions and manual pages.

use crate::support::{Folder, repository};

#[test]
fn code_is_explained_with_cause_and_next_step() {
    let folder = Folder::new();
    let outcome = folder.promptgate(&["explain", "faults_differ"]).expect_code(0);
    assert!(outcome.stdout.starts_with("faults_differ (reason)\n"), "{}", outcome.stdout);
    outcome.says("why A request that times out").says("next Look at `attempts`");
    folder.promptgate(&["explain", "12"]).expect_code(0).says("12 (exit code)");
    folder.promptgate(&["explain", "fault_differs"]).expect_code(2).says("did you mean `faults_differ`?");
    folder.promptgate(&["explain"]).expect_code(2);
}

#[test]
fn list_has_every_entry_of_the_page_once() {
    let list = Folder::new().promptgate(&["explain", "--list"]).expect_code(0).stdout;
    let page = std::fs::read_to_string(repository().join("docs/codes.md")).expect("the page");
    let codes: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let listed: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, codes);
}

#[test]
fn failed_run_names_the_code_of_its_fault() {
    let folder = Folder::small(1);
    let outcome = folder.promptgate(&["run", "--no-cache"]).expect_code(12);
    outcome.says("promptgate explain missing_credentials");
}

#[test]
fn completions_know_commands_and_flags() {
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef promptgate"),
        ("fish", "complete -c promptgate"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = Folder::new().promptgate(&["completions", shell]).expect_code(0).stdout;
        for text in [mark, "doctor", "env-file", "only-failed"] {
            assert!(script.contains(text), "{shell}: no {text}");
        }
    }
    Folder::new().promptgate(&["completions", "tcsh"]).expect_code(2);
}

#[test]
fn manual_pages_are_printed_and_written() {
    let folder = Folder::new();
    let page = folder.promptgate(&["man"]).expect_code(0).stdout;
    assert!(page.contains(".TH promptgate 1") && page.contains("doctor"), "{page}");
    folder.promptgate(&["man", "--out", "pages"]).expect_code(0);
    let run = folder.read("pages/promptgate-run.1");
    assert!(run.contains("only\\-failed") && run.contains(".TH promptgate-run 1"), "{run}");
    let nested = folder.read("pages/promptgate-rollout-start.1");
    assert!(nested.contains("rollout"), "{nested}");
}

#[test]
fn names_that_are_no_codes_have_their_place() {
    let folder = Folder::new();
    for (name, words) in [
        ("contains", "contains is a check: docs/checks.md#contains"),
        ("check.json_schema", "json_schema is a check: docs/checks.md#json_schema"),
        ("no_baseline", "docs/prompts.md#baselines"),
        ("must_pass", "must_pass_failed"),
        ("skipped", "not_evaluated"),
    ] {
        folder.promptgate(&["explain", name]).expect_code(2).says(words);
    }
}
