//! Concurrent writers of one repository.

use std::sync::Arc;

use promptgate_release::PortError;
use promptgate_release::ports::LedgerStore;

use super::super::{GitBranch, pause};
use super::git_server::Server;
use super::schedule::Schedule;
use super::support::{append, assert_all_marks, marked, marks, name, publish, run};

/// Appends as the application does, with pauses; returns the number of attempts.
fn append_with_pauses(store: &GitBranch, mark: &str) -> u32 {
    for attempt in 1.. {
        run(store.refresh()).unwrap();
        match append(store, &name("a"), &marked(mark)) {
            Ok(_) => return attempt,
            Err(PortError::Conflict(_)) => std::thread::sleep(pause(attempt)),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("a u32 of attempts")
}

fn race(server: &Server, stores: &[GitBranch], each: usize) {
    let attempts: Vec<u32> = std::thread::scope(|scope| {
        let writers: Vec<_> = stores
            .iter()
            .enumerate()
            .map(|(writer, store)| {
                let append = move |number| append_with_pauses(store, &format!("w{writer}-{number}"));
                scope.spawn(move || (0..each).map(append).collect::<Vec<_>>())
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let (sum, max) = (attempts.iter().sum::<u32>(), attempts.iter().max().unwrap());
    println!("{} writers of {each} events: {sum} attempts, at most {max} for one event", stores.len());
    let (_clone, reader) = server.ledger(&[]);
    run(reader.refresh()).unwrap();
    let verified = run(reader.verify(&name("a"))).unwrap();
    assert_all_marks(&marks(&verified.history.events), stores.len(), each);
    let commits = verified.commits.unwrap();
    assert_eq!((commits.count, commits.complete), (stores.len() * each + 1, true));
}

#[test]
fn clones_append_every_event_once_and_in_order() {
    let server = Server::new();
    let (_clone, first) = server.ledger(&[]);
    append(&first, &name("a"), &publish(&name("a"), 1)).unwrap();
    let shallow: &[&str] = &["--depth=1", "--single-branch"];
    let clones: Vec<_> =
        (0..8).map(|writer| server.ledger(if writer % 2 == 0 { shallow } else { &[] })).collect();
    let stores: Vec<GitBranch> = clones.iter().map(|(_, store)| store.clone()).collect();
    race(&server, &stores, 3);
}

#[test]
fn writers_in_one_clone_append_every_event_once_and_in_order() {
    let server = Server::new();
    let (_clone, store) = server.ledger(&[]);
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    race(&server, &vec![store; 4], 3);
}

/// Interleavings of two writers at every point of an append, over one repository that keeps all events.
#[test]
fn interleavings_lose_and_double_nothing() {
    const SEEDS: usize = 200;
    let server = Server::new();
    let clones = [server.ledger(&[]), server.ledger(&["--depth=1", "--single-branch"])];
    append(&clones[0].1, &name("a"), &publish(&name("a"), 1)).unwrap();
    run(clones[1].1.refresh()).unwrap();
    let mut turns = 0;
    let mut conflicts = 0;
    for seed in 0..SEEDS {
        let schedule = Schedule::new(clones.len());
        let attempts: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = clones
                .iter()
                .enumerate()
                .map(|(writer, (_, store))| {
                    let stops = schedule.clone();
                    let store = store.clone().observed(Arc::new(move |point| stops.stop(writer, point)));
                    let schedule = &schedule;
                    scope.spawn(move || {
                        schedule.wait_for_start(writer);
                        let addition = marked(&format!("w{writer}-{seed}"));
                        // A conflict has fetched the new tip.
                        let lost = (1..).find(|_| match append(&store, &name("a"), &addition) {
                            Ok(_) => true,
                            Err(PortError::Conflict(_)) => false,
                            Err(error) => panic!("seed {seed}: {error}"),
                        });
                        schedule.end(writer);
                        lost.unwrap()
                    })
                })
                .collect();
            turns += schedule.drive(seed as u64);
            writers.into_iter().map(|writer| writer.join().unwrap()).sum()
        });
        conflicts += attempts - clones.len();
    }
    println!("git: {SEEDS} interleavings, seeds 0 to {}, {turns} turns, {conflicts} conflicts", SEEDS - 1);
    assert!(conflicts > 0, "writers must meet");
    run(clones[0].1.refresh()).unwrap();
    let verified = run(clones[0].1.verify(&name("a"))).unwrap();
    assert_all_marks(&marks(&verified.history.events), clones.len(), SEEDS);
    assert_eq!(verified.commits.unwrap().count, clones.len() * SEEDS + 1);
}
