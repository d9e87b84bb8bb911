//! Jobs of pull requests, which anyone who opens one can write.

use super::support::{EQUAL, Story};

#[test]
fn pull_request_starts_nothing() {
    let mut story = Story::on_branch();
    let before = story.suite.ledger();
    story.suite.in_job("pull_request", "mallory");
    let refused = story.json(10, "start", &["--per-day", "2000", "--allow-simulated"]);
    assert_eq!(refused["obstacles"][0]["code"], "other_branch", "{refused:#}");
    assert_eq!(story.suite.ledger(), before);
}

#[test]
fn pull_request_advances_and_resumes_nothing() {
    let mut story = Story::on_branch();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let before = story.suite.ledger();
    story.suite.in_job("pull_request", "mallory");
    story.rollout("advance", &[]).expect_code(2).says("jobs of pull requests").says("cannot advance");
    assert_eq!(story.suite.ledger(), before);
    // It may look.
    let planned = story.json(0, "advance", &["--dry-run"]);
    assert_eq!((&planned["result"], &planned["dry_run"]), (&"advanced".into(), &true.into()));
    assert_eq!(story.suite.ledger(), before);

    story.suite.in_job("push", "carol");
    story.json(11, "pause", &["--reason", "a holiday"]);
    let before = story.suite.ledger();
    story.suite.in_job("pull_request", "mallory");
    story.rollout("resume", &["--reason", "go on"]).expect_code(2).says("cannot resume a rollout");
    assert_eq!(story.suite.ledger(), before);
}
