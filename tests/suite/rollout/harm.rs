//! Versions that are worse.

use super::support::{Story, codes};
use crate::release::support::NAME;

/// 30 points worse after half a day at 5 %.
const BAD: ((u64, u64), (u64, u64)) = ((855, 950), (30, 50));

#[test]
fn bad_version_is_rolled_back_at_five_percent() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.start(&[]);
        story.at(12);
        story.scores(0, BAD.0, BAD.1);
        let found = story.advance(10, "rolled_back");
        assert!(codes(&found).contains(&"harm".to_owned()), "{found:#}");
        assert_eq!(found["rollout"]["percent"], 5.0, "the percentage that did harm");
        assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
        let log = story.sentences();
        for sentence in [
            "rollout 1: faithfulness: harm shown",
            "canary 1.1.0 → 1.0.0, rollback: harm shown: faithfulness",
            "rollout 1 rolled back: harm shown: faithfulness",
        ] {
            assert!(log.contains(sentence), "no {sentence:?} in:\n{log}");
        }

        // It is terminal: nothing starts it again but a person who says why.
        let before = story.suite.ledger();
        story.advance(0, "not_running");
        let start = ["--per-day", "2000", "--allow-simulated"];
        let refused = story.json(10, "start", &start);
        assert_eq!(
            (&refused["result"], &refused["obstacles"][0]["code"]),
            (&"refused".into(), &"rolled_back".into())
        );
        story.rollout("start", &start).expect_code(10).says("was rolled back").says("--again");
        story.rollout("start", &["--again", "--allow-simulated"]).expect_code(2).says("--reason");
        let refused = story.suite.json(10, &["promote", NAME, "--to", "production", "--allow-simulated"]);
        assert_eq!(refused["obstacles"][0]["code"], "rolled_back", "{refused:#}");
        assert_eq!(story.suite.ledger(), before);

        let again = story.start(&["--again", "--reason", "the judge was wrong"]);
        assert_eq!(again["rollout"]["number"], 2);
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
    }
}

#[test]
fn harm_rolls_back_while_paused_and_without_the_hold() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.json(11, "pause", &["--reason", "a holiday"]);
    story.at(12);
    story.scores(0, BAD.0, BAD.1);
    story.advance(10, "rolled_back");
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
}

#[test]
fn harm_on_the_last_step_rolls_back() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, (6_840, 7_600), (360, 400));
    story.advance(0, "advanced");
    story.at(72);
    story.scores(48, (2_700, 3_000), (900, 1_000));
    story.advance(0, "advanced");
    // All that was seen counts, and half of the units are now worse by far.
    story.at(73);
    story.scores(72, (900, 1_000), (600, 1_000));
    story.advance(10, "rolled_back");
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
}
