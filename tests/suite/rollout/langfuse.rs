//! Rollouts over a fake Langfuse: the labels there follow the ledger.

use super::support::{EQUAL, Story};
use crate::release::support::{Langfuse, NAME};

/// A story that is at 50 %, with all that the last step needs.
pub(super) fn at_half(langfuse: &Langfuse) -> Story {
    let mut story = Story::on_langfuse(langfuse);
    story.start(&[]);
    for (hour, step, (control, treatment)) in [(48, 0, EQUAL[0]), (72, 48, EQUAL[1])] {
        story.at(hour);
        story.scores(step, control, treatment);
        story.advance(0, "advanced");
    }
    story.at(96);
    story.scores(72, EQUAL[2].0, EQUAL[2].1);
    story
}

#[test]
fn labels_follow_a_rollout_to_production() {
    let langfuse = Langfuse::start();
    let story = at_half(&langfuse);
    assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![1], vec![2]));
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 50.0));
    story.advance(0, "completed");
    assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![2], vec![2]));
    assert_eq!(story.served(), ("1.1.0".into(), "1.1.0".into(), 0.0));
    story.advance(0, "not_running");
    story.suite.run(&["reconcile", "--check"]).expect_code(0);
}

#[test]
fn harm_and_people_move_canary_back_at_the_registry() {
    let langfuse = Langfuse::start();
    let mut story = Story::on_langfuse(&langfuse);
    let returned = |story: &Story| {
        assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![1], vec![1]));
        assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
        story.suite.run(&["reconcile", "--check"]).expect_code(0);
    };
    story.start(&[]);
    story.json(0, "abort", &["--reason", "a hotfix"]);
    returned(&story);
    story.start(&[]);
    story.suite.rollback(&[]).expect_code(0);
    returned(&story);
    story.start(&["--again", "--reason", "it was the network"]);
    story.at(12);
    story.scores(0, (855, 950), (30, 50));
    story.advance(10, "rolled_back");
    returned(&story);
}

#[test]
fn canary_that_was_moved_back_at_the_registry_ends_the_rollout() {
    for command in [&["rollout", "advance", NAME][..], &["reconcile"]] {
        let langfuse = Langfuse::start();
        let story = at_half(&langfuse);
        langfuse.server.edit(|prompts| prompts.move_label(NAME, 1, "canary"));
        story.suite.run(command).expect_code(0).says("canary was moved back to 1.0.0 at the registry");
        assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![1], vec![1]));
        assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
        assert_eq!(story.suite.events("rollout_ended")[0]["outcome"], "rolled_back");
    }
}

#[test]
fn move_that_is_not_confirmed_is_left_to_the_next_call() {
    let langfuse = Langfuse::start();
    let story = at_half(&langfuse);
    langfuse.server.inject(promptgate_simulated::fake_langfuse::Fault::then("PATCH", |prompts| {
        prompts.move_label(NAME, 1, "production");
    }));
    story.rollout("advance", &[]).expect_code(12).says("the label in the registry changed since it was read");
    assert_eq!(langfuse.holders("production"), [1]);
    story.json(0, "advance", &[]);
    assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![2], vec![2]));
    assert_eq!(story.served(), ("1.1.0".into(), "1.1.0".into(), 0.0));
}
