//! `--reason` and `--dry-run`.

use super::support::{EQUAL, Story};
use crate::release::support::NAME;

const SECRET: &str = "tok-5d1e9a70c4b2";

#[test]
fn secret_in_a_reason_is_refused() {
    let mut story = Story::in_folder();
    story.suite.set("DEPLOY_TOKEN", SECRET);
    let reason = format!("uses {SECRET}");
    let refused = |story: &Story, command: &str, flags: &[&str]| {
        let before = story.suite.ledger();
        let outcome = story.rollout(command, &[flags, &["--reason", &reason]].concat()).expect_code(2);
        let outcome = outcome.says("the reason holds a secret");
        assert!(!outcome.text().contains(SECRET), "{}", outcome.text());
        assert_eq!(story.suite.ledger(), before);
    };
    refused(&story, "start", &["--per-day", "2000", "--allow-simulated"]);
    story.start(&[]);
    refused(&story, "pause", &[]);
    refused(&story, "abort", &[]);
    story.json(11, "pause", &["--reason", "a holiday"]);
    refused(&story, "resume", &[]);
    // A rollback is not refused for it, and redacts it.
    let outcome = story.suite.run(&["rollback", NAME, "--reason", &reason]).expect_code(0);
    assert!(!outcome.text().contains(SECRET), "{}", outcome.text());
    for (path, bytes) in story.suite.ledger() {
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{path}");
    }
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
}

#[test]
fn reason_without_words_is_refused() {
    let story = Story::in_folder();
    let before = story.suite.ledger();
    for command in ["start", "pause", "resume", "abort"] {
        for reason in ["", " "] {
            story.rollout(command, &["--reason", reason]).expect_code(2).says("expected a reason in words");
        }
    }
    assert_eq!(story.suite.ledger(), before);
}

#[test]
fn dry_run_writes_nothing() {
    let mut story = Story::in_folder();
    let dry = |story: &Story, code: i32, command: &str, flags: &[&str], result: &str| {
        let before = story.suite.ledger();
        let found = story.json(code, command, &[flags, &["--dry-run"]].concat());
        assert_eq!((&found["result"], &found["dry_run"]), (&result.into(), &true.into()), "{found:#}");
        assert_eq!(story.suite.ledger(), before, "{command}");
    };
    dry(&story, 0, "start", &["--per-day", "2000", "--allow-simulated"], "started");
    story.start(&[]);
    dry(&story, 11, "pause", &["--reason", "a holiday"], "paused");
    dry(&story, 0, "abort", &["--reason", "a hotfix"], "aborted");
    story.at(48);
    story.scores(0, EQUAL[0].0, (40, 400));
    dry(&story, 10, "advance", &[], "rolled_back");
    story.suite.folder.write("metrics.json", "{");
    dry(&story, 12, "advance", &[], "source_failed");
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    dry(&story, 0, "advance", &[], "advanced");
    story.advance(0, "advanced");
    story.at(72);
    story.scores(48, EQUAL[1].0, EQUAL[1].1);
    story.advance(0, "advanced");
    story.at(96);
    story.scores(72, EQUAL[2].0, EQUAL[2].1);
    dry(&story, 0, "advance", &[], "completed");
    story.json(11, "pause", &["--reason", "a holiday"]);
    dry(&story, 0, "resume", &["--reason", "back"], "resumed");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.0));
}

#[test]
fn status_writes_nothing() {
    let mut story = Story::in_folder();
    assert_eq!(story.json(0, "status", &[])["result"], "waiting");
    story.start(&[]);
    story.at(24);
    story.scores(0, (3_420, 3_800), (180, 200));
    let before = story.suite.ledger();
    let shown = story.json(0, "status", &[]);
    assert_eq!((&shown["result"], &shown["metrics"][0]["treatment_n"]), (&"running".into(), &200.into()));
    assert_eq!(story.suite.ledger(), before);
}

#[test]
fn all_rollouts_of_a_repository_advance_whatever_fails() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let all = ["rollout", "advance", "--all"];
    story.suite.folder.write("broken/promptgate.yaml", "release: {ledger: nowhere}\n");
    let failed = story.suite.run(&all);
    failed.expect_code(12).says("advanced to 25 %").says("broken/promptgate.yaml was not advanced");
    std::fs::remove_file(story.suite.folder.path().join("broken/promptgate.yaml")).expect("a file");
    let found = story.suite.json(0, &all);
    assert_eq!((&found[0]["result"], &found[1]), (&"waiting".into(), &serde_json::Value::Null), "{found:#}");
    story.suite.run(&["rollout", "advance"]).expect_code(2).says("<NAME>");
    story.suite.run(&[&all[..], &[NAME]].concat()).expect_code(2).says("--all");
}
