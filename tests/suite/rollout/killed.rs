//! `kill -9` of rollouts at each request to the registry; the next call finishes what was begun.

use super::langfuse::at_half;
use super::support::{EQUAL, METRICS, Story};
use crate::release::killed::World;
use crate::release::support::{Langfuse, NAME};

const ADVANCE: [&str; 3] = ["rollout", "advance", NAME];
const ROLLBACK: [&str; 4] = ["rollback", NAME, "--reason", "customers complain"];

/// The registry's holders of production and canary, which the ledger agrees with.
#[track_caller]
fn holders(world: &World) -> (Vec<u64>, Vec<u64>) {
    let number = |label: &str| match world.suite.label(label).as_str() {
        "1.0.0" => vec![1],
        "1.1.0" => vec![2],
        _ => Vec::new(),
    };
    let held = (world.langfuse.holders("production"), world.langfuse.holders("canary"));
    assert_eq!(held, (number("production"), number("canary")));
    held
}

/// Every place where a command can be killed: the method, its position, and whether the request had its effect.
fn places(world: &World, arguments: &[&str], code: i32) -> Vec<(&'static str, usize, bool)> {
    let methods = world.methods(arguments, code);
    let mut places = Vec::new();
    for method in ["GET", "PATCH"] {
        for position in 0..methods.iter().filter(|known| *known == method).count() {
            places.push((method, position, false));
            places.extend((method == "PATCH").then_some((method, position, true)));
        }
    }
    assert!(places.iter().any(|(_, _, processed)| *processed));
    places
}

#[test]
fn next_call_finishes_a_killed_start() {
    let langfuse = Langfuse::start();
    let story = Story::on_langfuse(&langfuse);
    let world = World::new(langfuse, story.suite);
    let start = ["rollout", "start", NAME, "--per-day", "2000", "--allow-simulated"];
    for (method, position, processed) in places(&world, &start, 0) {
        println!("{method} {position} {processed}");
        world.kill(&start, method, position, processed);
        // Where it was killed after its last event, the second one is refused.
        let next = world.suite.run(&start);
        assert!(
            next.code == 0 || next.text().contains("rollout 1 of 1.1.0 has not ended"),
            "{}",
            next.text()
        );
        assert_eq!(holders(&world), (vec![1], vec![2]));
        assert_eq!(world.suite.events("rollout_started").len(), 1);
        world.suite.run(&["reconcile", "--check"]).expect_code(0);
    }
}

#[test]
fn next_call_finishes_a_killed_completion() {
    let langfuse = Langfuse::start();
    let story = at_half(&langfuse);
    let world = World::new(langfuse, story.suite);
    let kills = world.kill_everywhere("advance", &ADVANCE, &ADVANCE, |world| {
        assert_eq!(holders(world), (vec![2], vec![2]));
        let ended = world.suite.events("rollout_ended");
        assert_eq!((ended.len(), &ended[0]["outcome"]), (1, &"completed".into()));
    });
    println!("{kills}");
}

#[test]
fn rollback_undoes_a_killed_completion() {
    let langfuse = Langfuse::start();
    let story = at_half(&langfuse);
    let world = World::new(langfuse, story.suite);
    for (method, position, processed) in places(&world, &ADVANCE, 0) {
        println!("{method} {position} {processed}");
        world.kill(&ADVANCE, method, position, processed);
        world.suite.run(&ROLLBACK).expect_code(0);
        assert_eq!(world.langfuse.holders("production"), [1]);
        // A schedule that comes later does not undo it.
        world.suite.run(&ADVANCE).expect_code(0).says("no rollout is running");
        assert_eq!(holders(&world).0, [1]);
        assert_eq!(world.suite.events("rollout_ended").len(), 1);
        world.suite.run(&["reconcile", "--check"]).expect_code(0);
    }
}

#[test]
fn next_call_finishes_a_killed_rollback() {
    let langfuse = Langfuse::start();
    let mut story = Story::on_langfuse(&langfuse);
    story.start(&[]);
    // Without the rollback, the schedule would take the next step.
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let world = World::new(langfuse, story.suite);
    for (method, position, processed) in places(&world, &ROLLBACK, 0) {
        println!("{method} {position} {processed}");
        world.kill(&ROLLBACK, method, position, processed);
        let is_back = world.langfuse.holders("canary") == [1];
        world.suite.run(&ADVANCE).expect_code(0);
        assert_eq!(holders(&world), (vec![1], if is_back { vec![1] } else { vec![2] }));
        assert_eq!(
            world.suite.events("rollout_stepped").len(),
            usize::from(!is_back),
            "a step after the rollback"
        );
        assert_eq!(world.suite.events("rollout_ended").len(), usize::from(is_back));
        world.suite.run(&["reconcile", "--check"]).expect_code(0);
    }
}

#[test]
fn repeated_rollback_after_a_kill_leaves_production_alone() {
    let langfuse = Langfuse::start();
    let story = Story::on_langfuse(&langfuse).over_the_second();
    let world = World::new(langfuse, story.suite);
    for (method, position, processed) in places(&world, &ROLLBACK, 0) {
        println!("{method} {position} {processed}");
        world.kill(&ROLLBACK, method, position, processed);
        // Where it was killed after its last event, nothing is left to be done.
        let again = world.suite.run(&ROLLBACK);
        assert!(again.code == 0 || again.text().contains("rollout 2 of 1.2.0 ended"), "{}", again.text());
        assert_eq!(holders(&world), (vec![2], vec![2]));
        assert_eq!(world.suite.events("rollout_ended").len(), 2);
        world.suite.run(&["reconcile", "--check"]).expect_code(0);
    }
}

#[test]
fn recorded_harm_is_acted_on_although_its_source_fails_now() {
    let langfuse = Langfuse::start();
    let mut story = Story::on_langfuse(&langfuse);
    story.start(&[]);
    story.at(12);
    story.scores(0, (855, 950), (30, 50));
    let scores = story.suite.folder.read(METRICS);
    let world = World::new(langfuse, story.suite);
    let mut acted = 0;
    for (method, position, processed) in places(&world, &ADVANCE, 10) {
        println!("{method} {position} {processed}");
        world.suite.folder.write(METRICS, &scores);
        world.kill(&ADVANCE, method, position, processed);
        world.suite.folder.write(METRICS, "");
        let looked = world.suite.events("rollout_looked");
        let is_recorded = looked.iter().any(|event| event["harm"] == serde_json::json!(["faithfulness"]));
        let next = world.suite.run(&ADVANCE);
        if !is_recorded {
            assert_eq!(next.code, 12, "{}", next.text());
            continue;
        }
        // Where canary was moved already, that is what ends the rollout.
        assert!(matches!(next.code, 0 | 10), "{}", next.text());
        assert_eq!(holders(&world), (vec![1], vec![1]));
        let ended = world.suite.events("rollout_ended");
        assert_eq!((ended.len(), &ended[0]["outcome"]), (1, &"rolled_back".into()));
        acted += usize::from(next.code == 10);
    }
    assert!(acted > 0, "no kill came between the record and its effect");
}

#[test]
fn next_call_finishes_a_killed_rollback_by_harm() {
    let langfuse = Langfuse::start();
    let mut story = Story::on_langfuse(&langfuse);
    story.start(&[]);
    story.at(12);
    story.scores(0, (855, 950), (30, 50));
    let world = World::new(langfuse, story.suite);
    for (method, position, processed) in places(&world, &ADVANCE, 10) {
        println!("{method} {position} {processed}");
        world.kill(&ADVANCE, method, position, processed);
        let next = world.suite.run(&ADVANCE);
        assert!(matches!(next.code, 0 | 10), "{}", next.text());
        assert_eq!(holders(&world), (vec![1], vec![1]));
        let ended = world.suite.events("rollout_ended");
        assert_eq!((ended.len(), &ended[0]["outcome"]), (1, &"rolled_back".into()));
    }
}
