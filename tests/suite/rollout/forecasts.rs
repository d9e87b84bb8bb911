//! Plans, starts and simulations: what they need to know before a rollout.

use serde_json::json;

use super::support::{METRICS, Story};
use crate::release::support::NAME;

#[test]
fn traffic_of_a_source_that_fails_is_incomplete_and_names_it() {
    let mut story = Story::in_folder();
    let before = story.suite.ledger();
    let commands = [("plan", &[][..]), ("simulate", &["--runs", "1"]), ("start", &["--allow-simulated"])];
    let damaged = [None, Some(""), Some("{"), Some("<!doctype html><title>Sign in</title>")];
    for text in damaged {
        if let Some(text) = text {
            story.suite.folder.write(METRICS, text);
        }
        for (command, flags) in commands {
            story
                .rollout(command, flags)
                .expect_code(12)
                .says("the traffic of support/reply is not known: scores: metrics.json")
                .says("--per-day");
        }
    }
    // A source that answers, and knows nothing of the version in production.
    story.at(1);
    story.metrics(0, &json!({}));
    for (command, flags) in commands {
        story
            .rollout(command, flags)
            .expect_code(2)
            .says("the traffic of support/reply is not known: faithfulness");
    }
    assert_eq!(story.suite.ledger(), before);
    // Traffic that is given needs no source.
    std::fs::remove_file(story.suite.folder.path().join(METRICS)).unwrap();
    story.rollout("plan", &["--per-day", "2000"]).expect_code(0);
    story.start(&[]);
}

#[test]
fn plan_promises_no_days_without_a_chance() {
    let story = Story::in_folder();
    let plan = story.rollout("plan", &["--per-day", "2000"]).expect_code(0);
    let plan = plan.says("an equal version reaches all units in").says(": chance ");
    let widest = plan.stdout.lines().filter(|line| line.contains('─')).map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{}", plan.stdout);
    let hopeless = story.rollout("plan", &["--per-day", "10"]).expect_code(0);
    let hopeless = hopeless.says("an equal version is not expected to reach all units");
    assert!(!hopeless.stdout.contains(" days: "), "{}", hopeless.stdout);
}

#[test]
fn simulation_says_what_deteriorates_and_counts_days_from_its_begin() {
    let story = Story::in_folder();
    let simulate = |flags: &[&str]| story.rollout("simulate", &[&["--runs", "1"], flags].concat());
    let stuck = simulate(&["--per-day", "500", "--drop", "0.01"]).expect_code(0);
    let stuck = stuck.says("faithfulness worse by 0.01").says("overdue since day 7.0");
    assert!(!stuck.stdout.contains("1970"), "{}", stuck.stdout);
    simulate(&["--per-day", "2000"]).expect_code(0).says("an equal version");
    simulate(&["--per-day", "2000", "--guardrail", "x"])
        .expect_code(2)
        .says("there is no guardrail `x`")
        .says("expected one of faithfulness");
}

#[test]
fn simulation_of_any_traffic_ends() {
    let story = Story::in_folder();
    for (drop, result) in [("0", "completed"), ("0.06", "rolled_back")] {
        let simulate = ["rollout", "simulate", NAME, "--per-day", "1e12", "--runs", "3", "--drop", drop];
        let found = story.suite.json(0, &simulate);
        let outcome = json!({"result": result, "runs": 3});
        assert!(found["outcomes"].as_array().unwrap().contains(&outcome), "{found:#}");
        // The seed decides.
        assert_eq!(story.suite.json(0, &simulate), found);
    }
    let simulate = ["rollout", "simulate", NAME, "--per-day"];
    for absurd in ["1e13", "inf", "NaN", "0", "-1"] {
        story.suite.run(&[&simulate[..], &[absurd]].concat()).expect_code(2);
    }
}
