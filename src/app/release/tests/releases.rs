//! The assignments as a prompt of the registry.

use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{MoveCause, Releases};
use promptgate_testing::rollout_start;

use super::super::releases::{ReleasesState, compare, name, publish_releases_in};
use super::*;

/// A world with a rollout of 1.2.0 against 1.1.0, and the registry of the assignments.
async fn world(steps: &Stepped) -> (World, Arc<MemoryRegistry>) {
    let world = World::with_history(steps).await;
    let start = rollout_start(1, version("1.1.0"), version("1.2.0"), "salt", &[500]);
    let canary = EventKind::Moved {
        label: Label::Canary,
        from: None,
        version: version("1.2.0"),
        cause: MoveCause::Rollout,
        reason: None,
    };
    world.add(Vec::new(), vec![canary, EventKind::RolloutStarted { start: Box::new(start) }]).await;
    (world, Arc::new(MemoryRegistry::default()))
}

async fn end(world: &World) {
    let outcome = RolloutOutcome::Aborted;
    world.add(Vec::new(), vec![EventKind::RolloutEnded { rollout: 1, outcome, reason: None }]).await;
}

/// The assignments that an application reads at the label production.
fn read(server: &MemoryRegistry) -> Releases {
    let holders = server.holders(&Label::Production);
    let [id] = holders.as_slice() else { panic!("{holders:?}") };
    Releases::parse(&server.text(id)).unwrap()
}

#[tokio::test]
async fn assignments_are_published_once_and_again_after_a_change() {
    let (world, server) = world(&Stepped::none()).await;
    let publish = async || publish_releases_in(world.ledger.as_ref(), server.as_ref(), &stamp("ci")).await;
    let releases = world.memory.releases().await.unwrap();
    assert_eq!(publish().await, Ok(Some(releases.seq)));
    assert_eq!(read(&server), releases);
    assert_eq!(publish().await, Ok(None));
    assert_eq!(server.count(), 1);
    end(&world).await;
    assert_eq!(publish().await, Ok(Some(releases.seq + 1)));
    assert_eq!(read(&server).prompts[&world.name].basis_points, 0);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn prompts_without_rollouts_publish_nothing() {
    let world = World::with_history(&Stepped::none()).await;
    let server = MemoryRegistry::default();
    assert_eq!(publish_releases_in(world.ledger.as_ref(), &server, &stamp("ci")).await, Ok(None));
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn assignments_without_their_label_or_changed_are_repaired() {
    let (world, server) = world(&Stepped::none()).await;
    let publish = async || publish_releases_in(world.ledger.as_ref(), server.as_ref(), &stamp("ci")).await;
    let releases = world.memory.releases().await.unwrap();
    publish().await.unwrap();
    // A writer that was killed between the version and its label.
    server.unset(&Label::Production);
    assert_eq!(publish().await, Ok(Some(releases.seq)));
    assert_eq!(server.count(), 1);
    server.mutate("1");
    let state = compare(&releases, server.as_ref(), &name().unwrap()).await;
    assert_eq!(state, Ok(ReleasesState::Stale { found: None, seq: releases.seq }));
    let refused = publish().await.unwrap_err();
    assert!(matches!(refused, promptgate_release::PortError::Mutated(_)), "{refused:?}");
    end(&world).await;
    publish().await.unwrap();
    assert_eq!(read(&server), world.memory.releases().await.unwrap());
}

#[tokio::test]
async fn later_assignments_in_the_registry_are_not_replaced() {
    let (world, server) = world(&Stepped::none()).await;
    let publish = async || publish_releases_in(world.ledger.as_ref(), server.as_ref(), &stamp("ci")).await;
    publish().await.unwrap();
    let before = read(&server);
    world.memory.replace_releases(Releases { seq: 1, ..before.clone() });
    let refused = publish().await.unwrap_err().to_string();
    assert!(refused.contains(&format!("has seq {}, above 1 of the ledger", before.seq)), "{refused}");
    assert_eq!(read(&server), before);
}

/// Two writers at once, one of which changes the ledger meanwhile: the registry ends with the last assignments.
#[tokio::test(start_paused = true)]
async fn interleaved_publications_end_with_the_last_assignments() {
    let mut counts = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let steps = Stepped::interleaved(seed);
        let (world, server) = world(&steps).await;
        let registry = steps.registry(server.clone());
        let writer = stamp("ci");
        let publish = async || publish_releases_in(world.ledger.as_ref(), &registry, &writer).await;
        let (first, second) = tokio::join!(publish(), async {
            steps.delay().await;
            end(&world).await;
            publish().await
        });
        first.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        second.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(read(&server), world.memory.releases().await.unwrap(), "seed {seed}");
        counts.insert(server.count());
    }
    assert!(counts.len() > 1, "the seeds made only one order: {counts:?}");
}
