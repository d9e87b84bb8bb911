//! The way of a version from staging to all units.

use serde_json::json;

use super::support::{EQUAL, MONITORED, Story, codes};
use crate::release::support::{CHANGES, FIRST, NAME, Suite};

#[test]
fn minor_version_takes_every_step_to_production() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story
            .suite
            .promote("", "production", &[])
            .expect_code(11)
            .says("rollout")
            .says("rollout start support/reply");
        let obstacle = story.suite.json(11, &["promote", NAME, "--to", "production", "--allow-simulated"]);
        assert_eq!(obstacle["obstacles"][0]["code"], "rollout_required", "{obstacle:#}");

        let started = story.start(&["--reason", "plans are named"]);
        assert_eq!(started["result"], "started");
        assert_eq!(started["rollout"]["percent"], 5.0);
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));

        let status = story.suite.json(0, &["status", NAME]);
        assert_eq!(status["prompts"][0]["rollout"]["percent"], 5.0, "{status:#}");
        story.suite.run(&["status", NAME]).expect_code(0).says("rollout 1: 1.1.0 at 5 %, step 1 of 3");

        // The samples are there, and the hold has not ended.
        story.at(47);
        let ((control, all), treated) = EQUAL[0];
        story.scores(0, (control, all), treated);
        let held = story.advance(0, "waiting");
        assert!(codes(&held).contains(&"hold_until".to_owned()), "{held:#}");
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));

        // However overdue, one step a call.
        story.at(160);
        let advanced = story.advance(0, "advanced");
        assert_eq!(
            (&advanced["rollout"]["percent"], &advanced["metrics"][0]["treatment_n"]),
            (&json!(25.0), &json!(400))
        );
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 25.0));
        story.stays(0, "waiting", "missing");
        story.at(320);
        story.scores(160, EQUAL[1].0, EQUAL[1].1);
        assert_eq!(story.advance(0, "advanced")["rollout"]["percent"], 50.0);
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.0));

        story.at(343);
        story.scores(320, EQUAL[2].0, EQUAL[2].1);
        let held = story.advance(0, "waiting");
        assert!(!codes(&held).contains(&"not_worse".to_owned()), "held steps spend nothing: {held:#}");
        story.at(344);
        let completed = story.advance(0, "completed");
        assert!(codes(&completed).contains(&"not_worse".to_owned()), "{completed:#}");
        assert_eq!(story.served(), ("1.1.0".into(), "1.1.0".into(), 0.0));
        story.advance(0, "not_running");

        let show = story.suite.json(0, &["show", "support/reply@1.1.0"]);
        let shares: Vec<f64> = show["exposures"]
            .as_array()
            .expect("exposures")
            .iter()
            .filter_map(|exposure| exposure["percent"].as_f64())
            .collect();
        assert_eq!(shares, [5.0, 25.0, 50.0, 100.0], "{show:#}");

        let log = story.sentences();
        let mut rest = log.as_str();
        for sentence in [
            "canary none → 1.1.0, rollout",
            "rollout 1 of 1.1.0 over 1.0.0 started at 5 %: plans are named",
            "rollout 1: faithfulness: no harm shown",
            "rollout 1 to step 2: 25 %",
            "rollout 1 to step 3: 50 %",
            "shown to be not worse",
            "production 1.0.0 → 1.1.0, rollout",
            "rollout 1 completed",
        ] {
            rest =
                rest.split_once(sentence).unwrap_or_else(|| panic!("no {sentence:?} in order in:\n{log}")).1;
        }
    }
}

#[test]
fn slow_drip_is_held_before_all_units() {
    // A point worse than production, on every step, with a margin of two.
    let mut story = Story::in_folder_with(&MONITORED.replace("0.05", "0.02"));
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, (356, 400));
    story.advance(0, "advanced");
    story.at(72);
    story.scores(48, EQUAL[1].0, (890, 1_000));
    story.advance(0, "advanced");
    story.at(96);
    story.scores(72, EQUAL[2].0, (890, 1_000));
    let waits = story.advance(0, "waiting");
    assert!(codes(&waits).contains(&"not_yet_not_worse".to_owned()), "{waits:#}");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.0));
    // Beyond `max_hold` a person decides.
    story.at(72 + 169);
    let stuck = story.advance(11, "stuck");
    assert!(codes(&stuck).contains(&"max_hold".to_owned()), "{stuck:#}");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.0));
}

#[test]
fn start_requires_the_controls_of_production() {
    let approvals = "major: {approvals: 0}, minor: {approvals: 1}";
    let policy = MONITORED.replace("major: {approvals: 0}", approvals);
    let story = Story::in_folder_with(&format!("approvers: [bob], {policy}"));
    let start = ["--per-day", "2000"];
    let simulated = ["--per-day", "2000", "--allow-simulated"];
    let before = story.suite.ledger();
    let codes = |code, flags: &[&str]| {
        let found = story.json(code, "start", flags);
        let obstacles = found["obstacles"].as_array().unwrap().iter();
        obstacles.map(|obstacle| obstacle["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(10, &start), ["simulated", "approvals"]);
    assert_eq!(codes(11, &simulated), ["approvals"]);
    story.rollout("start", &simulated).expect_code(11).says("0 of 1 approvals").says("promptgate approve");
    assert_eq!(story.suite.ledger(), before, "a refused start writes nothing");
    story.suite.run_with(&[("USER", "bob")], &["approve", NAME, "1.1.0"]).expect_code(0);

    // A newer version that was not on staging.
    story.suite.release(CHANGES[1], "days were missing");
    assert_eq!(codes(11, &[&["1.2.0"][..], &simulated].concat()), ["approvals", "not_staged"]);
    story.rollout("start", &["9.0.0", "--allow-simulated"]).expect_code(2).says("no version 9.0.0");
    story.rollout("start", &["1.0.0", "--allow-simulated"]).expect_code(2).says("serves 1.0.0 already");

    story
        .rollout("start", &simulated)
        .expect_code(0)
        .says("rollout 1 of 1.1.0 started at 5 %")
        .says("next: `promptgate rollout advance support/reply` observes the step");
}

#[test]
fn start_of_a_version_that_is_not_on_staging_says_what_puts_it_there() {
    let suite = Suite::new(MONITORED);
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    let start = ["rollout", "start", NAME, "--per-day", "2000", "--allow-simulated"];
    suite
        .run(&start)
        .expect_code(2)
        .says("1.1.0 of support/reply is not on staging")
        .says("`promptgate rollout advance support/reply` puts 1.1.0 on staging first");
    suite
        .run(&["rollout", "start", NAME, "1.0.0", "--allow-simulated"])
        .expect_code(2)
        .says("serves 1.0.0 already");
    suite.run(&["rollout", "advance", NAME, "--allow-simulated"]).expect_code(0).says("is on staging now");
    suite.run(&start).expect_code(0);
}

#[test]
fn start_refuses_evidence_against_another_version() {
    let story = Story::in_folder_with(&format!("approvers: [bob], {MONITORED}"));
    story.suite.release(CHANGES[1], "days were missing");
    story.suite.promote("1.2.0", "staging", &[]).expect_code(0);
    // A hotfix takes production on: the evaluation of 1.2.0 compared with 1.0.0.
    let hotfix = ["--skip-holds", "--reason", "customers cannot pay"];
    story.suite.promote("1.1.0", "production", &hotfix).expect_code(11).says("0 of 1 approvals");
    story.suite.run_with(&[("USER", "bob")], &["approve", NAME, "1.1.0"]).expect_code(0);
    story.suite.promote("1.1.0", "production", &hotfix).expect_code(0);
    let start = ["--per-day", "2000", "--allow-simulated"];
    let found = story.json(11, "start", &start);
    assert_eq!(found["obstacles"][0]["code"], "stale_baseline", "{found:#}");
    story
        .rollout("start", &start)
        .expect_code(11)
        .says("needs gate")
        .says("--candidate registry:support/reply@1.2.0");
}

#[test]
fn hopeless_rollout_starts_only_anyway() {
    let story = Story::in_folder();
    let before = story.suite.ledger();
    story
        .rollout("start", &["--per-day", "40", "--allow-simulated"])
        .expect_code(2)
        .says("at 40 scored requests a day")
        .says("promptgate rollout plan support/reply --kind canary --per-day 40")
        .says("--anyway");
    assert_eq!(story.suite.ledger(), before);
    let started = story.json(0, "start", &["--per-day", "40", "--allow-simulated", "--anyway"]);
    assert_eq!(started["result"], "started");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
}
