//! Clocks that go back, and calls that are doubled.

use std::process::{Child, Stdio};

use super::support::{EQUAL, Story};
use crate::release::support::NAME;

#[test]
fn clock_that_goes_back_moves_nothing() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.at(10);
        story.start(&[]);
        story.at(58);
        story.scores(10, EQUAL[0].0, EQUAL[0].1);
        // Before the start, even with everything that the step needs, and with harm.
        story.at(9);
        story.stays(11, "stuck", "clock_before");
        story.scores(10, EQUAL[0].0, (0, 400));
        story.stays(11, "stuck", "clock_before");
        story.at(58);
        story.scores(10, EQUAL[0].0, EQUAL[0].1);
        story.advance(0, "advanced");
        story.at(57);
        story.stays(11, "stuck", "clock_before");
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 25.0));
    }
}

#[test]
fn failing_source_of_a_clock_that_goes_back_is_not_counted() {
    let mut story = Story::in_folder();
    story.at(10);
    story.start(&[]);
    story.at(9);
    for _ in 0..6 {
        story.stays(11, "stuck", "clock_before");
    }
}

#[test]
fn doubled_call_appends_nothing() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.start(&[]);
        story.at(24);
        story.scores(0, (3_420, 3_800), (180, 200));
        story.advance(0, "waiting");
        // The same data are looked at once: another look would spend a part of the error rate.
        story.stays(0, "waiting", "no_harm");
        story.at(48);
        story.scores(0, EQUAL[0].0, EQUAL[0].1);
        story.advance(0, "advanced");
        story.stays(0, "waiting", "missing");
        assert_eq!(story.suite.events("rollout_stepped").len(), 1);
    }
}

#[test]
fn calls_at_the_same_time_take_one_step() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.start(&[]);
        story.at(48);
        story.scores(0, EQUAL[0].0, EQUAL[0].1);
        let begin = || -> Child {
            let mut command = story.suite.command(&["rollout", "advance", NAME]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the executable runs")
        };
        let running: Vec<Child> = (0..4).map(|_| begin()).collect();
        let ended: Vec<_> =
            running.into_iter().map(|child| child.wait_with_output().expect("an exit")).collect();
        for output in &ended {
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        }
        let advanced = ended
            .iter()
            .filter(|output| String::from_utf8_lossy(&output.stdout).contains("advanced to 25 %"));
        assert_eq!(advanced.count(), 1, "{ended:?}");
        assert_eq!(story.suite.events("rollout_stepped").len(), 1);
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 25.0));
    }
}
