//! `init`: the starter suite works at once and overwrites no file.

use crate::support::Folder;

#[test]
fn new_suite_checks_and_runs() {
    let folder = Folder::new();
    folder.promptgate(&["init"]).expect_code(0).says("promptgate run --offline");
    folder.promptgate(&["check"]).expect_code(0);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}

#[test]
fn init_writes_to_another_folder() {
    let folder = Folder::new();
    folder.promptgate(&["init", "quality/gate"]).expect_code(0);
    folder.promptgate(&["run", "quality/gate", "--offline"]).expect_code(0);
}

#[test]
fn init_overwrites_nothing_and_writes_all_or_nothing() {
    let folder = Folder::new();
    folder.write("cases.jsonl", "mine\n");
    folder.promptgate(&["init"]).expect_code(2).says("cases.jsonl exists already; nothing");
    assert_eq!(folder.read("cases.jsonl"), "mine\n");
    assert!(!folder.path().join("promptgate.yaml").exists());
}
