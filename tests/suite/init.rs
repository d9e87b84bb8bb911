//! `init`: a suite that works at once, and never over somebody's files.

use crate::support::Folder;

#[test]
fn a_new_suite_checks_and_runs() {
    let folder = Folder::new();
    folder.promptgate(&["init"]).expect_code(0).says("promptgate run --offline");
    folder.promptgate(&["check"]).expect_code(0);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}

#[test]
fn another_folder() {
    let folder = Folder::new();
    folder.promptgate(&["init", "quality/gate"]).expect_code(0);
    folder.promptgate(&["run", "quality/gate", "--offline"]).expect_code(0);
}

#[test]
fn no_file_is_overwritten_and_nothing_half_written() {
    let folder = Folder::new();
    folder.write("cases.jsonl", "mine\n");
    folder.promptgate(&["init"]).expect_code(2).says("cases.jsonl exists already; nothing");
    assert_eq!(folder.read("cases.jsonl"), "mine\n");
    assert!(!folder.path().join("promptgate.yaml").exists());
}
