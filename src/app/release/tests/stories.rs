//! Commands one after another.

use super::*;

#[tokio::test]
async fn label_moved_back_at_the_registry_is_adopted_as_a_rollback() {
    let world = World::with_history(&Stepped::none()).await;
    world.server.point(&Label::Production, "1");
    let promoted = world.promote(version("1.1.0"), Label::Production).await.unwrap();
    assert_eq!(
        promoted.notes,
        ["production was moved back to 1.0.0 at the registry: recorded as a rollback"],
        "{:?}",
        promoted.outcome
    );
    let PromoteOutcome::Refused(obstacles) = &promoted.outcome else { panic!("{:?}", promoted.outcome) };
    assert!(obstacles.contains(&promptgate_release::promotion::Obstacle::RolledBack));
    assert_eq!(world.agreed(&Label::Production).await, version("1.0.0"));
}

#[tokio::test]
async fn label_on_a_version_that_never_held_it_stops_the_promotion() {
    let world = World::with_history(&Stepped::none()).await;
    world.server.point(&Label::Staging, "3");
    let failure = world.promote(version("1.2.0"), Label::Staging).await.unwrap_err();
    let Failure::Incomplete(diagnostics) = failure else { panic!("{failure:?}") };
    assert!(diagnostics.0[0].message.contains("never held it"), "{diagnostics:?}");
}

#[tokio::test]
async fn mutated_version_gets_no_label() {
    let world = World::with_history(&Stepped::none()).await;
    world.server.mutate("3");
    let failure = world.promote(version("1.2.0"), Label::Staging).await.unwrap_err();
    let Failure::Incomplete(diagnostics) = failure else { panic!("{failure:?}") };
    assert!(diagnostics.0[0].message.contains("was changed after it was published"), "{diagnostics:?}");
    assert_eq!(world.agreed(&Label::Staging).await, version("1.1.0"));
}

#[tokio::test]
async fn rollback_twice_goes_back_twice() {
    let world = World::with_history(&Stepped::none()).await;
    world.promote(version("1.2.0"), Label::Staging).await.unwrap();
    world.promote(version("1.2.0"), Label::Production).await.unwrap();
    assert_eq!(world.rollback().await.unwrap().to, version("1.1.0"));
    assert_eq!(world.rollback().await.unwrap().to, version("1.0.0"));
    let failure = world.rollback().await.unwrap_err();
    assert!(matches!(failure, Failure::Diagnostics(_)), "{failure:?}");
    assert_eq!(world.agreed(&Label::Production).await, version("1.0.0"));
}

#[tokio::test]
async fn rollback_without_the_ledger_is_done_at_the_registry_and_leaves_an_event() {
    let world = World::with_history(&Stepped::none()).await;
    world.memory.set_unavailable(Some("no route to host"));
    let rolled_back = world.rollback().await.unwrap();
    assert_eq!(world.server.holders(&Label::Production), ["1"]);
    assert!(rolled_back.pending.is_some_and(|line| line.contains("rollback")), "{:?}", rolled_back.notes);
    // The next call finds what happened at the registry.
    world.memory.set_unavailable(None);
    world.promote(version("1.2.0"), Label::Production).await.unwrap();
    assert_eq!(world.agreed(&Label::Production).await, version("1.0.0"));
}
