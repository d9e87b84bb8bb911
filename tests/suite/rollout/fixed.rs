//! A/B tests: a fixed percentage, compared and never advanced.

use super::support::{Story, codes};

#[test]
fn fixed_percentage_never_advances() {
    let mut story = Story::in_folder();
    for percent in ["0", "100", "50.001", "half"] {
        story.rollout("start", &["--percent", percent]).expect_code(2).says("expected a percentage");
    }
    let started = story.json(0, "start", &["--percent", "50", "--allow-simulated"]);
    assert_eq!(
        (&started["rollout"]["kind"], &started["rollout"]["percent"]),
        (&"fixed".into(), &50.0.into())
    );
    for hour in [24, 48, 200, 2_000] {
        story.at(hour);
        let n = 1_000 * u64::try_from(hour).unwrap();
        story.scores(0, (9 * n / 10, n), (9 * n / 10, n));
        let waits = story.advance(0, "waiting");
        assert!(codes(&waits).contains(&"fixed".to_owned()), "{waits:#}");
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.0));
    }
    let shown = story.json(0, "status", &[]);
    assert_eq!(shown["metrics"][0]["control_n"], 2_000_000);
    assert_eq!(
        (&shown["metrics"][0]["control"], &shown["metrics"][0]["treatment"]),
        (&0.9.into(), &0.9.into())
    );
    story
        .rollout("status", &[])
        .expect_code(0)
        .says("A/B test over 1.0.0")
        .says("faithfulness 0.900 2000000 0.900 2000000")
        .says("stays at its percentage");
    // Production does not follow; it ends by a person.
    story.json(0, "abort", &["--reason", "the test has ended"]);
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
}

#[test]
fn harm_ends_a_test() {
    let mut story = Story::in_folder();
    story.json(0, "start", &["--percent", "50", "--allow-simulated"]);
    story.at(24);
    story.scores(0, (900, 1_000), (600, 1_000));
    story.advance(10, "rolled_back");
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
}

#[test]
fn test_of_most_units_needs_a_reason() {
    let story = Story::in_folder();
    let most = ["--percent", "50.01", "--allow-simulated"];
    let before = story.suite.ledger();
    story.rollout("start", &most).expect_code(2).says("needs `--reason TEXT`");
    let blank = [&most[..], &["--reason", " "]].concat();
    story.rollout("start", &blank).expect_code(2).says("expected a reason in words");
    assert_eq!(story.suite.ledger(), before);
    story.json(0, "start", &[&most[..], &["--reason", "a holdout"]].concat());
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.01));
}
