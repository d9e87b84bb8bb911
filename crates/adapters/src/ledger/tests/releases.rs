//! The assignments of all names beside the events.

use std::fs;

use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{EventKind, Label, MoveCause, Name, PortError, Releases, State};
use promptgate_testing::rollout_start;

use super::super::Folder;
use super::git_server::Server;
use super::support::{append, event, marked, name, publish, run, version};

/// Asserts that the assignments are those of the states of all names.
#[track_caller]
pub(super) fn assert_releases(store: &dyn LedgerStore, seq: u64) {
    let names = run(store.names()).unwrap();
    let states: Vec<State> = names.iter().map(|name| run(store.state(name)).unwrap().unwrap()).collect();
    let releases = run(store.releases()).unwrap();
    assert_eq!(releases.prompts, Releases::entries(names.into_iter().zip(&states)));
    assert_eq!(releases.seq, seq);
}

/// The events of a rollout of version 1 against version 2 of a ledger whose assignments have `seq` 3.
pub(super) fn follow_a_rollout(store: &dyn LedgerStore, name: &Name) {
    let add = |kinds: Vec<EventKind>| {
        let addition = Addition { records: Vec::new(), events: kinds.into_iter().map(event).collect() };
        append(store, name, &addition).unwrap();
    };
    let (treatment, control) = (version(1), version(2));
    let canary =
        |from, to, cause| EventKind::Moved { label: Label::Canary, from, version: to, cause, reason: None };
    add(vec![canary(None, treatment, MoveCause::Rollout)]);
    assert_releases(store, 3);
    let start = rollout_start(1, control, treatment, "salt", &[500, 2_500]);
    add(vec![EventKind::RolloutStarted { start: Box::new(start) }]);
    assert_releases(store, 4);
    let entry = run(store.releases()).unwrap().prompts[name].clone();
    assert_eq!((entry.basis_points, entry.salt.as_str(), entry.rollout), (500, "salt", Some(1)));
    assert_eq!((entry.control, entry.treatment), (control, treatment));
    add(vec![EventKind::RolloutPaused { rollout: 1, reason: "A holiday.".to_owned() }]);
    assert_releases(store, 4);
    let ended = EventKind::RolloutEnded { rollout: 1, outcome: RolloutOutcome::RolledBack, reason: None };
    add(vec![canary(Some(treatment), control, MoveCause::Rollback), ended]);
    assert_releases(store, 5);
    let entry = run(store.releases()).unwrap().prompts[name].clone();
    assert_eq!((entry.basis_points, entry.treatment, entry.rollout), (0, control, Some(1)));
    run(store.verify(name)).unwrap();
}

#[track_caller]
fn damage<T: std::fmt::Debug>(result: Result<T, PortError>, part: &str) {
    let error = result.unwrap_err();
    let is_named = matches!(&error, PortError::Damaged(text)
        if text.contains("releases.json") && text.contains(part));
    assert!(is_named, "{part}: {error:?}");
}

/// Ways to damage the file: the new text, and what is said of it.
fn damages(text: &str) -> Vec<(String, &'static str)> {
    vec![
        (text.replace("\"control\": \"1.1.0\"", "\"control\": \"1.0.0\""), "not that of its events"),
        (text.replace("\"basis_points\": 0", "\"basis_points\": 10000"), "not that of its events"),
        (text.replace("\"a\"", "\"z\""), "not that of its events"),
        (text[..text.len() / 2].to_owned(), "not releases"),
        (text.replace("releases/v1", "releases/v9"), "unknown schema"),
        (text.replace("gb2", "md5"), "unknown algorithm"),
    ]
}

#[test]
fn damaged_assignments_of_a_folder_are_named_and_written_again() {
    let ledger = || {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path());
        append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
        append(&store, &name("b"), &publish(&name("b"), 1)).unwrap();
        append(&store, &name("a"), &publish(&name("a"), 2)).unwrap();
        (folder, store)
    };
    let (folder, _) = ledger();
    let text = fs::read_to_string(folder.path().join("releases.json")).unwrap();
    for (damaged, problem) in damages(&text) {
        assert_ne!(damaged, text, "{problem}");
        let (folder, store) = ledger();
        let path = folder.path().join("releases.json");
        fs::write(&path, &damaged).unwrap();
        if damaged.contains("\"z\"") {
            // An interrupted first append leaves a file without the name as well.
            run(store.verify(&name("a"))).unwrap();
        } else {
            damage(run(store.verify(&name("a"))), problem);
        }
        append(&store, &name("b"), &publish(&name("b"), 2)).unwrap();
        run(store.verify(&name("a"))).unwrap();
        run(store.verify(&name("b"))).unwrap();
        let releases = run(store.releases()).unwrap();
        assert!(releases.seq > 3, "{problem}: {}", releases.seq);
        assert_releases(&store, releases.seq);
        assert_eq!(Releases::parse(&fs::read_to_string(&path).unwrap()), Ok(releases));
    }
}

#[test]
fn missing_assignments_are_written_with_a_number_above_all_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::new(folder.path());
    for number in 1..=3 {
        append(&store, &name("a"), &publish(&name("a"), number)).unwrap();
    }
    assert_releases(&store, 3);
    fs::remove_file(folder.path().join("releases.json")).unwrap();
    append(&store, &name("a"), &publish(&name("a"), 4)).unwrap();
    // Six events came before.
    assert_releases(&store, 7);
}

#[test]
fn assignments_that_a_commit_damaged_are_named_and_written_again() {
    let server = Server::new();
    let (_clone, store) = server.ledger(&[]);
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    append(&store, &name("a"), &publish(&name("a"), 2)).unwrap();
    for index in 0..damages("").len() {
        let text = server.git(&["show", "promptgate:releases.json"]);
        let (damaged, problem) = damages(&text).swap_remove(index);
        assert_ne!(damaged, text, "{problem}");
        server.commit_by_hand("edit", |clone| clone.write("releases.json", &damaged));
        run(store.refresh()).unwrap();
        damage(run(store.verify(&name("a"))), problem);
        append(&store, &name("a"), &marked("x")).unwrap();
        run(store.verify(&name("a"))).unwrap();
        assert_releases(&store, run(store.releases()).unwrap().seq);
    }
    server.commit_by_hand("remove", |clone| fs::remove_file(clone.path().join("releases.json")).unwrap());
    run(store.refresh()).unwrap();
    damage(run(store.verify(&name("a"))), "not that of its events");
}

#[test]
fn number_that_goes_back_is_named_with_its_commit() {
    let server = Server::new();
    let (_clone, store) = server.ledger(&[]);
    for number in 1..=3 {
        append(&store, &name("a"), &publish(&name("a"), number)).unwrap();
    }
    let text = server.git(&["show", "promptgate:releases.json"]);
    server.commit_by_hand("edit", |clone| {
        clone.write("releases.json", text.replace("\"seq\": 3", "\"seq\": 2"))
    });
    let commit = server.tip();
    run(store.refresh()).unwrap();
    damage(run(store.verify(&name("a"))), &format!("commit {} has seq 2 after 3", &commit[..12]));
}

#[test]
fn damaged_state_of_another_name_keeps_its_assignment() {
    let server = Server::new();
    let (_clone, store) = server.ledger(&[]);
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    append(&store, &name("b"), &publish(&name("b"), 1)).unwrap();
    server.commit_by_hand("edit", |clone| clone.write("state/a.json", "{}"));
    run(store.refresh()).unwrap();
    append(&store, &name("b"), &publish(&name("b"), 2)).unwrap();
    let releases = run(store.releases()).unwrap();
    assert_eq!(releases.prompts[&name("a")].control, version(1));
    assert_eq!(releases.prompts[&name("b")].control, version(2));
    assert_eq!(releases.seq, 3);
}

#[test]
fn ledger_without_assignments_is_read_as_if_it_had_them() {
    let server = Server::new();
    let (_clone, store) = server.ledger(&[]);
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    server.commit_by_hand("remove", |clone| fs::remove_file(clone.path().join("releases.json")).unwrap());
    let (_other, other) = server.ledger(&[]);
    run(other.refresh()).unwrap();
    assert_releases(&other, 3);
}
