//! Concurrent writers of one folder.

use std::collections::BTreeSet;
use std::sync::Arc;

use promptgate_release::ports::LedgerStore;

use super::super::Folder;
use super::schedule::Schedule;
use super::support::{append, append_until_stored, assert_all_marks, marked, marks, name, publish, run};

#[test]
fn threads_append_every_event_once_and_in_order() {
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let prompt = name("support/reply");
    append(&Folder::new(folder.path()), &prompt, &publish(&prompt, 1)).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, prompt) = (Folder::new(folder.path()), &prompt);
            scope.spawn(move || {
                for number in 0..EACH {
                    append_until_stored(&store, prompt, &marked(&format!("w{writer}-{number}")));
                }
            });
        }
    });
    let verified = run(Folder::new(folder.path()).verify(&prompt)).unwrap();
    assert_all_marks(&marks(&verified.history.events), WRITERS, EACH);
}

/// Every interleaving of three writers, one of which publishes, leaves one order that all of them agree on.
#[test]
fn interleavings_lose_and_double_nothing() {
    const SEEDS: u64 = 200;
    const WRITERS: usize = 3;
    let prompt = name("support/reply");
    let mut orders = BTreeSet::new();
    let mut turns = 0;
    let mut conflicts = 0;
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().unwrap();
        append(&Folder::new(folder.path()), &prompt, &publish(&prompt, 1)).unwrap();
        let schedule = Schedule::new(WRITERS);
        let attempts: u32 = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let stops = schedule.clone();
                    let on_point = Arc::new(move |point| stops.stop(writer, point));
                    let store = Folder::new(folder.path()).observed(on_point);
                    let (schedule, prompt) = (&schedule, &prompt);
                    scope.spawn(move || {
                        schedule.wait_for_start(writer);
                        let addition =
                            if writer == 0 { publish(prompt, 2) } else { marked(&format!("w{writer}-0")) };
                        let attempts = append_until_stored(&store, prompt, &addition);
                        schedule.end(writer);
                        attempts
                    })
                })
                .collect();
            turns += schedule.drive(seed);
            writers.into_iter().map(|writer| writer.join().unwrap()).sum()
        });
        conflicts += attempts - u32::try_from(WRITERS).unwrap();
        let verified = run(Folder::new(folder.path()).verify(&prompt)).unwrap();
        let found = marks(&verified.history.events);
        assert_all_marks(&found, WRITERS - 1, 1);
        assert_eq!(verified.history.events.len(), 2 + 2 + 2, "seed {seed}");
        orders.insert(
            verified.history.events.iter().map(|event| format!("{:?}", event.kind)).collect::<Vec<_>>(),
        );
    }
    println!("folder: {SEEDS} interleavings, seeds 0 to {}, {turns} turns, {conflicts} conflicts", SEEDS - 1);
    assert!(conflicts > 0, "writers must meet");
    assert_eq!(orders.len(), 6, "every order of three writers occurs");
}
