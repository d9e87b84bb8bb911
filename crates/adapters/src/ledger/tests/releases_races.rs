//! Writers of different names, which share the file of the assignments.

use std::sync::Arc;

use promptgate_release::ports::LedgerStore;

use super::super::Folder;
use super::git_server::Server;
use super::releases::assert_releases;
use super::schedule::Schedule;
use super::support::{append_until_stored, name, publish, run, version};

/// The name of a writer.
fn own(writer: usize) -> promptgate_release::Name {
    name(["a", "b/c", "d"][writer])
}

/// Interleavings of writers that each move production of their own name: no assignment is lost, and the number rises by
/// one with each.
#[test]
fn interleavings_in_a_folder_keep_every_assignment() {
    const SEEDS: u64 = 100;
    const WRITERS: usize = 3;
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().unwrap();
        let schedule = Schedule::new(WRITERS);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let stops = schedule.clone();
                let on_point = Arc::new(move |point| stops.stop(writer, point));
                let store = Folder::new(folder.path()).observed(on_point);
                let schedule = &schedule;
                scope.spawn(move || {
                    schedule.wait_for_start(writer);
                    for number in 1..=2 {
                        append_until_stored(&store, &own(writer), &publish(&own(writer), number));
                    }
                    schedule.end(writer);
                });
            }
            schedule.drive(seed);
        });
        let store = Folder::new(folder.path());
        assert_releases(&store, WRITERS as u64 * 2);
        for writer in 0..WRITERS {
            assert_eq!(
                run(store.releases()).unwrap().prompts[&own(writer)].control,
                version(2),
                "seed {seed}"
            );
            run(store.verify(&own(writer))).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    }
}

/// The same on a branch, where a writer of another name moves the tip between the commit and the push.
#[test]
fn interleavings_on_a_branch_keep_every_assignment() {
    const SEEDS: u64 = 25;
    let server = Server::new();
    let clones = [server.ledger(&[]), server.ledger(&["--depth=1", "--single-branch"])];
    let mut retried = 0;
    for seed in 0..SEEDS {
        let schedule = Schedule::new(clones.len());
        let commits: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = clones
                .iter()
                .enumerate()
                .map(|(writer, (_, store))| {
                    let committed = Arc::new(std::sync::atomic::AtomicUsize::new(0));
                    let (stops, counter) = (schedule.clone(), Arc::clone(&committed));
                    let on_point = Arc::new(move |point| {
                        if point == "committed" {
                            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        }
                        stops.stop(writer, point);
                    });
                    let store = store.clone().observed(on_point);
                    let schedule = &schedule;
                    scope.spawn(move || {
                        schedule.wait_for_start(writer);
                        let attempts =
                            append_until_stored(&store, &own(writer), &publish(&own(writer), seed + 1));
                        schedule.end(writer);
                        assert_eq!(attempts, 1, "expected no conflict with a writer of another name");
                        committed.load(std::sync::atomic::Ordering::Relaxed)
                    })
                })
                .collect();
            schedule.drive(seed);
            writers.into_iter().map(|writer| writer.join().unwrap()).sum()
        });
        retried += commits - clones.len();
        let (_, store) = &clones[0];
        run(store.refresh()).unwrap();
        assert_releases(store, (seed + 1) * 2);
    }
    assert!(retried > 0, "writers must meet");
    for writer in 0..clones.len() {
        let verified = run(clones[0].1.verify(&own(writer))).unwrap();
        assert_eq!(verified.commits.unwrap().count as u64, SEEDS);
    }
}
