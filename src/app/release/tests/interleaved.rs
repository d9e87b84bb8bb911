//! Two commands at once: whatever the order of their effects, ledger and registry agree afterwards.

use std::collections::BTreeMap;

use super::*;

/// Interleavings of each story; the seed of a failure is in its message.
const SEEDS: u64 = 200;

async fn stage_next(world: &World) {
    world.promote(version("1.2.0"), Label::Staging).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn rollback_and_promotion_at_once_leave_one_holder() {
    let mut ends = BTreeMap::new();
    for seed in 0..SEEDS {
        let steps = Stepped::interleaved(seed);
        let world = World::with_history(&steps).await;
        stage_next(&world).await;
        let (promoted, rolled_back) =
            tokio::join!(world.promote(version("1.2.0"), Label::Production), async {
                steps.delay().await;
                world.rollback().await
            });
        let rolled_back = rolled_back.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        let end = world.agreed(&Label::Production).await;
        let state = world.memory.state(&world.name).await.unwrap().unwrap();
        let last = state.moves.iter().rfind(|moved| moved.label == Label::Production).unwrap();
        assert_eq!(last.to, end, "seed {seed}");
        // A version that a rollback left is not where production ends.
        assert_ne!(
            Some(end),
            state.versions.iter().find(|(_, v)| v.rolled_back.contains(&Label::Production)).map(|(v, _)| *v),
            "seed {seed}"
        );
        if let Err(failure) = promoted {
            panic!("seed {seed}: {failure:?}");
        }
        *ends.entry((end, rolled_back.from)).or_insert(0) += 1;
    }
    println!("{SEEDS} interleavings, seeds 0..{SEEDS}: {ends:?}");
    assert!(ends.len() > 1, "the seeds made only one order: {ends:?}");
}

/// As the monitor rolls back: from the version that broke its limits alone.
#[tokio::test(start_paused = true)]
async fn rollback_from_a_version_says_whether_it_moved_anything() {
    let mut ends = BTreeMap::new();
    for seed in 0..SEEDS {
        let steps = Stepped::interleaved(seed);
        let world = World::with_history(&steps).await;
        stage_next(&world).await;
        let (promoted, rolled_back) =
            tokio::join!(world.promote(version("1.2.0"), Label::Production), async {
                steps.delay().await;
                world.rollback_from(Some(version("1.1.0"))).await
            });
        promoted.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        world.agreed(&Label::Production).await;
        let state = world.memory.state(&world.name).await.unwrap().unwrap();
        let is_moved = state
            .moves
            .iter()
            .any(|moved| moved.label == Label::Production && moved.cause == MoveCause::Rollback);
        let said = match &rolled_back {
            Ok(rolled_back) => rolled_back.has_moved,
            // It had moved on before.
            Err(Failure::Diagnostics(_)) => false,
            Err(failure) => panic!("seed {seed}: {failure:?}"),
        };
        assert_eq!(said, is_moved, "seed {seed}");
        *ends.entry((said, rolled_back.is_ok())).or_insert(0) += 1;
    }
    println!("{SEEDS} interleavings, seeds 0..{SEEDS}: {ends:?}");
    assert!(ends.contains_key(&(false, true)), "no seed moved production between read and write: {ends:?}");
    assert!(ends.contains_key(&(true, true)), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn two_rollbacks_at_once_leave_one_holder() {
    for seed in 0..SEEDS {
        let steps = Stepped::interleaved(seed);
        let world = World::with_history(&steps).await;
        let (first, second) = tokio::join!(world.rollback(), world.rollback());
        assert!(first.is_ok() || second.is_ok(), "seed {seed}: {first:?} {second:?}");
        assert_eq!(world.agreed(&Label::Production).await, version("1.0.0"), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_promotions_at_once_leave_one_holder() {
    for seed in 0..SEEDS {
        let steps = Stepped::interleaved(seed);
        let world = World::with_history(&steps).await;
        world.publish(version("1.3.0"), Some(version("1.1.0"))).await;
        let (first, second) = tokio::join!(
            world.promote(version("1.2.0"), Label::Staging),
            world.promote(version("1.3.0"), Label::Staging)
        );
        first.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        second.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        let end = world.agreed(&Label::Staging).await;
        assert_eq!(end, version("1.3.0"), "seed {seed}: an older version came after a newer one");
    }
}

#[tokio::test(start_paused = true)]
async fn scheduled_promotion_does_not_undo_a_rollback() {
    for seed in 0..SEEDS {
        let steps = Stepped::interleaved(seed);
        let world = World::with_history(&steps).await;
        // The schedule promotes what serves already, as a doubled run does.
        let (scheduled, rolled_back) =
            tokio::join!(world.promote(version("1.1.0"), Label::Production), world.rollback());
        rolled_back.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        assert_eq!(world.agreed(&Label::Production).await, version("1.0.0"), "seed {seed}: {scheduled:?}");
    }
}
