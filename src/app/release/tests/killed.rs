//! A process that is killed between any two effects: the next command finishes.

use std::time::Duration;

use super::*;

/// Runs a command that is killed after each number of operations, until it ends before.
async fn killed_everywhere(
    label: &Label,
    command: impl AsyncFn(&World),
    check: impl Fn(Version, usize),
) -> usize {
    for operations in 0.. {
        let steps = Stepped::killed_after(operations);
        let world = World::with_history(&steps).await;
        // A command that is dead never returns, and the clock of the test has nothing else to wait for.
        let ended = tokio::time::timeout(Duration::from_secs(1), command(&world)).await.is_ok();
        steps.revive();
        command(&world).await;
        check(world.agreed(label).await, operations);
        if ended {
            return operations;
        }
    }
    unreachable!()
}

#[tokio::test(start_paused = true)]
async fn killed_promotion_is_finished_by_the_next_call() {
    let promote = async |world: &World| {
        let promoted = world.promote(version("1.2.0"), Label::Staging).await.unwrap();
        assert!(matches!(promoted.outcome, PromoteOutcome::Done { .. } | PromoteOutcome::Unchanged));
    };
    let kills = killed_everywhere(&Label::Staging, promote, |end, operations| {
        assert_eq!(end, version("1.2.0"), "killed after {operations} operations");
    })
    .await;
    println!("killed at {kills} places");
    assert!(kills > 5);
}

#[tokio::test(start_paused = true)]
async fn killed_rollback_is_finished_by_the_next_call() {
    // The first call may have done everything but say so: the second one then has no target left and changes nothing.
    let rollback = async |world: &World| {
        let _ = world.rollback().await;
    };
    let kills = killed_everywhere(&Label::Production, rollback, |end, operations| {
        assert_eq!(end, version("1.0.0"), "killed after {operations} operations");
    })
    .await;
    println!("killed at {kills} places");
    assert!(kills > 5);
}

#[tokio::test(start_paused = true)]
async fn rollback_after_a_killed_promotion_wins() {
    for operations in 0..40 {
        let steps = Stepped::killed_after(operations);
        let world = World::with_history(&steps).await;
        let promotion = world.promote(version("1.2.0"), Label::Staging);
        let _ = tokio::time::timeout(Duration::from_secs(1), promotion).await;
        steps.revive();
        world.rollback().await.unwrap();
        assert_eq!(
            world.agreed(&Label::Production).await,
            version("1.0.0"),
            "killed after {operations} operations"
        );
    }
}
