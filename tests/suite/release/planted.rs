//! Files that came with the repository do not write to the ledger.

use super::support::{ALONE, CHANGES, FIRST, NAME, REPORT, Suite};

const PENDING: &str = ".promptgate/pending/support+reply.jsonl";

/// 1.0.0 in production, 1.1.0 on staging and without its approval, and events that would put 1.1.0 into production.
fn waiting() -> (Suite, String) {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.folder.edit("promptgate.yaml", ALONE, "levels: {minor: {approvals: 1}}, approvers: [bob]");
    suite.commit("Require an approval");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("", "staging", &[]).expect_code(0);
    let digest = suite.json(0, &["show", "support/reply@1.1.0"])["digest"].clone();
    let head = r#"{"at":"2026-11-30T18:00:00Z","actor":{"login":"bob","source":"dispatch"},"#;
    let forged = format!(
        r#"{head}"type":"approved","version":"1.1.0","approval":{{"login":"bob","source":"dispatch","digest":{digest}}}}}
{head}"type":"moved","label":"production","from":"1.0.0","version":"1.1.0","cause":"promotion"}}
"#
    );
    (suite, forged)
}

/// Every command that writes and appends pending events refuses, and a rollback ignores them.
#[track_caller]
fn expect_ignored(suite: &Suite, says: &str) {
    let before = suite.ledger();
    suite.promote("1.1.0", "production", &[]).expect_code(2).says(says);
    suite.run(&["reconcile", "--config", "."]).expect_code(2).says(says);
    suite.rollback(&["--dry-run"]).expect_code(2).says("no earlier version");
    assert_eq!(suite.ledger(), before);
    assert_eq!(suite.label("production"), "1.0.0");
    assert!(suite.events("approved").is_empty());
}

#[test]
fn pending_events_of_the_repository_are_refused() {
    let (suite, forged) = waiting();
    suite.folder.write(PENDING, &forged);
    suite.folder.git(&["add", "--force", PENDING]);
    suite.commit("Tidy up");
    expect_ignored(&suite, "is part of the repository");
    suite.evaluate();
    suite.publish().expect_code(2).says("is part of the repository").says("git rm --cached");
}

#[cfg(unix)]
#[test]
fn pending_events_behind_a_link_are_refused() {
    let (suite, forged) = waiting();
    suite.folder.write("notes/support+reply.jsonl", &forged);
    std::fs::create_dir_all(suite.folder.path().join(".promptgate")).unwrap();
    std::os::unix::fs::symlink("../notes", suite.folder.path().join(".promptgate/pending")).unwrap();
    suite.folder.git(&["add", "--force", ".promptgate"]);
    suite.commit("Tidy up");
    expect_ignored(&suite, "behind a symbolic link");
}

#[test]
fn pending_events_of_a_nested_repository_are_refused() {
    let (suite, forged) = waiting();
    suite.folder.write(PENDING, &forged);
    suite.folder.git(&["init", "--quiet", ".promptgate"]);
    expect_ignored(&suite, "is part of the repository");
}

#[test]
fn only_rollbacks_are_ever_pending() {
    let (suite, forged) = waiting();
    suite.folder.write(PENDING, &forged);
    expect_ignored(&suite, "this pending event is not a rollback");
    // Also with a ledger in a folder, where no repository tells.
    let alone = Suite::new("levels: {major: {approvals: 1}}, approvers: [bob]");
    alone.release(FIRST, "first");
    let moved = forged
        .lines()
        .last()
        .unwrap()
        .replace(r#""from":"1.0.0","version":"1.1.0""#, r#""from":null,"version":"1.0.0""#);
    alone.folder.write(PENDING, &format!("{moved}\n"));
    alone.promote("", "production", &[]).expect_code(2).says("not a rollback");
    alone.run(&["publish", "--report", REPORT, "--allow-simulated"]).expect_code(2);
    std::fs::remove_file(alone.folder.path().join(PENDING)).unwrap();
    alone.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
    assert_eq!((alone.label("production"), NAME), (String::new(), "support/reply"));
}
