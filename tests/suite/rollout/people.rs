//! People who come between: rollback, abort, promotions, pauses.

use serde_json::json;

use super::support::{EQUAL, MONITORED, Story};
use crate::release::support::{Langfuse, NAME};

#[test]
fn rollback_ends_a_rollout_at_once() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.start(&[]);
        story.at(48);
        story.scores(0, EQUAL[0].0, EQUAL[0].1);
        story.advance(0, "advanced");
        let before = story.suite.ledger();
        story.suite.rollback(&["--dry-run"]).expect_code(0);
        assert_eq!(story.suite.ledger(), before);
        story.suite.rollback(&["--to", "1.1.0"]).expect_code(2).says("all units get 1.0.0, not 1.1.0");
        assert_eq!(story.suite.ledger(), before);
        story.suite.rollback(&[]).expect_code(0).says("rollout 1 ends; production stays at 1.0.0");
        assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
        // A schedule does not undo it, and nothing starts it again by itself.
        story.at(200);
        story.advance(0, "not_running");
        assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
        let refused = story.json(10, "start", &["--per-day", "2000", "--allow-simulated"]);
        assert_eq!(refused["obstacles"][0]["code"], "rolled_back", "{refused:#}");
        assert!(story.sentences().contains("rollout 1 rolled back: customers complain"));
    }
}

#[test]
fn repeated_rollback_of_a_rollout_leaves_production_alone() {
    for story in [Story::in_folder(), Story::on_branch()] {
        let mut story = story.over_the_second();
        story.suite.rollback(&[]).expect_code(0).says("rollout 2 ends; production stays at 1.1.0");
        let before = story.suite.ledger();
        // An hour in which it may have been meant for the rollout; also on a machine whose clock is behind.
        for hour in [97, 98, 96] {
            story.at(hour);
            for flags in [&[][..], &["--dry-run"], &["--label", "production"], &["--label", "canary"]] {
                story
                    .suite
                    .rollback(flags)
                    .expect_code(2)
                    .says("rollout 2 of 1.2.0 ended at 2127-01-08T01:00:00Z");
            }
        }
        story
            .suite
            .rollback(&[])
            .expect_code(2)
            .says("production was not rolled back now")
            .says("promptgate rollback support/reply --to 1.0.0 --reason TEXT");
        assert_eq!(story.suite.ledger(), before);
        assert_eq!(story.served(), ("1.1.0".into(), "1.1.0".into(), 0.0));
        // Who names the version means production.
        story
            .suite
            .rollback(&["--to", "1.0.0"])
            .expect_code(0)
            .says("production moved back from 1.1.0 to 1.0.0");
    }
}

#[test]
fn rollback_after_harm_moves_production_an_hour_later_or_by_name() {
    let mut story = Story::in_folder().over_the_second();
    story.at(109);
    let share =
        |successes, n| json!({"metrics": {"faithfulness": {"share": {"successes": successes, "n": n}}}});
    story.metrics(97, &json!({"1.1.0": share(855, 950), "1.2.0": share(30, 50)}));
    story.advance(10, "rolled_back");
    story.suite.rollback(&[]).expect_code(2).says("rollout 2 of 1.2.0 ended at 2127-01-08T13:00:00Z");
    story.at(111);
    story.suite.rollback(&[]).expect_code(0).says("production moved back from 1.1.0 to 1.0.0");
}

#[test]
fn rollback_after_an_abort_moves_production_and_the_canary_parked_there() {
    let langfuse = Langfuse::start();
    for story in [Story::in_folder(), Story::on_branch(), Story::on_langfuse(&langfuse)] {
        let mut story = story.over_the_second();
        story.at(109);
        story.json(0, "abort", &["--reason", "a hotfix comes first"]);
        assert_eq!(story.suite.label("canary"), "1.1.0");
        story.suite.rollback(&[]).expect_code(0).says("production moved back from 1.1.0 to 1.0.0");
        assert_eq!(story.suite.label("production"), "1.0.0");
        assert_eq!(story.suite.label("canary"), "1.0.0");
    }
    assert_eq!(langfuse.holders("canary"), langfuse.holders("production"));
}

#[test]
fn rollback_undoes_a_promotion_that_followed_a_rollout() {
    let story = Story::in_folder_with(&format!("approvers: [bob], {MONITORED}")).over_the_second();
    story.json(0, "abort", &["--reason", "customers cannot pay"]);
    story.suite.run_with(&[("USER", "bob")], &["approve", NAME, "1.2.0"]).expect_code(0);
    let hotfix = ["--skip-holds", "--reason", "customers cannot pay"];
    story.suite.promote("1.2.0", "production", &hotfix).expect_code(0);
    story.suite.rollback(&[]).expect_code(0).says("production moved back from 1.2.0 to 1.1.0");
}

#[test]
fn rollout_refuses_promotions_and_a_second_start() {
    let story = Story::in_folder();
    story.start(&[]);
    let before = story.suite.ledger();
    let promote = ["promote", NAME, "1.1.0", "--to", "production", "--allow-simulated"];
    for more in [&[][..], &["--skip-holds", "--reason", "customers cannot pay"]] {
        let refused = story.suite.json(10, &[&promote[..], more].concat());
        let codes: Vec<&str> =
            refused["obstacles"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
        assert!(codes.contains(&"rollout_running"), "{refused:#}");
    }
    let refused = story.json(10, "start", &["--per-day", "2000", "--allow-simulated"]);
    assert_eq!(refused["obstacles"][0]["code"], "rollout_running", "{refused:#}");
    assert_eq!(story.suite.ledger(), before);
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
}

#[test]
fn aborted_version_may_start_again() {
    for story in [Story::in_folder(), Story::on_branch()] {
        for command in ["pause", "resume", "abort"] {
            story
                .rollout(command, &["--reason", "none"])
                .expect_code(2)
                .says("has no rollout that is running");
        }
        story.start(&[]);
        story.rollout("abort", &["--reason", "a hotfix comes first"]).expect_code(0).says("aborted");
        assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
        assert!(story.sentences().contains("rollout 1 aborted: a hotfix comes first"));
        assert_eq!(story.start(&[])["rollout"]["number"], 2);
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
        let salts: Vec<_> = story
            .suite
            .events("rollout_started")
            .iter()
            .map(|event| event["start"]["salt"].clone())
            .collect();
        assert_ne!(salts[0], salts[1], "other units are treated");
    }
}

#[test]
fn paused_rollout_takes_no_step() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let paused = story.json(11, "pause", &["--reason", "a holiday"]);
    assert_eq!(paused["rollout"]["paused"], "a holiday", "{paused:#}");
    story.advance(11, "paused");
    assert_eq!(story.percent(), 5.0);
    let before = story.suite.ledger();
    story.json(11, "pause", &["--reason", "again"]);
    assert_eq!(story.suite.ledger(), before, "it is paused already");
    let resumed = story.json(0, "resume", &["--reason", "back"]);
    assert_eq!(resumed["rollout"]["paused"], serde_json::Value::Null, "{resumed:#}");
    story.advance(0, "advanced");
}
