//! Production or sources that change under a running rollout.

use super::support::{EQUAL, Story, codes};
use crate::release::refuted::publish_later;
use crate::release::support::{Langfuse, NAME};

#[test]
fn changed_sources_hold_until_a_person_accepts_them() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let text = story.suite.folder.read("metrics.json");
    story.suite.folder.write("other.json", &text);
    story.suite.folder.edit("promptgate.yaml", "json: metrics.json", "json: other.json");
    story.stays(11, "stuck", "sources_changed");
    // Not even harm counts: the figures are of something else.
    story.suite.folder.write("other.json", &text.replace("\"successes\":360", "\"successes\":0"));
    story.stays(11, "stuck", "sources_changed");
    story.suite.folder.write("other.json", &text);
    story.json(0, "resume", &["--reason", "the file was renamed"]);
    story.advance(0, "advanced");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 25.0));
}

#[test]
fn start_with_sources_that_changed_needs_a_reason() {
    let story = Story::in_folder();
    story.suite.folder.edit("promptgate.yaml", "json: metrics.json", "json: other.json");
    let before = story.suite.ledger();
    let start = ["--per-day", "2000", "--allow-simulated"];
    story.rollout("start", &start).expect_code(2).says("sources of metrics").says("--reason");
    assert_eq!(story.suite.ledger(), before);
    story.start(&["--reason", "the file was renamed"]);
}

#[test]
fn production_that_moved_holds() {
    let langfuse = Langfuse::start();
    let mut story = Story::on_langfuse(&langfuse).over_the_second();
    assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![2], vec![3]));

    // Somebody moves production back in the web interface.
    langfuse.server.edit(|prompts| prompts.move_label(NAME, 1, "production"));
    story.at(144);
    let held = story.advance(11, "stuck");
    assert!(held["findings"].to_string().contains("production_moved"), "{held:#}");
    assert!(held["notes"].to_string().contains("recorded as a rollback"), "{held:#}");
    assert_eq!(story.served(), ("1.0.0".into(), "1.2.0".into(), 5.0));
    story.stays(11, "stuck", "production_moved");
    // Ending it gives all units what production serves now, not the version that was taken from it.
    story.json(0, "abort", &["--reason", "production moved"]);
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
    assert_eq!((langfuse.holders("production"), langfuse.holders("canary")), (vec![1], vec![1]));
}

#[test]
fn evaluation_that_fails_during_a_rollout_holds_it() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    publish_later(&story.suite, 1, "fail", &[]).expect_code(10).says("its rollout does not go on");
    let held = story.advance(0, "waiting");
    assert!(codes(&held).contains(&"gate_failed".to_owned()), "{held:#}");
    assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
    publish_later(&story.suite, 2, "pass", &[]).expect_code(0);
    story.advance(0, "advanced");
}
