//! Appends to a branch that are killed between two effects, and during the push.

use std::path::Path;
use std::sync::{Arc, Mutex};

use promptgate_release::ports::LedgerStore;

use super::super::GitBranch;
use super::folder_kills::{child, kill_this_process};
use super::git_server::Server;
use super::support::{append, append_until_stored, marked, name, publish, run};

/// Variables that only this test's own child reads.
const CHILD_CLONE: &str = "PROMPTGATE_TEST_LEDGER_CLONE";
const CHILD_POINT: &str = "PROMPTGATE_TEST_LEDGER_POINT";
const CHILD_ID_FILE: &str = "PROMPTGATE_TEST_LEDGER_ID_FILE";

/// Every point of an append that is not rejected, in order.
const POINTS: [&str; 4] = ["read", "committed", "pushed", "recorded"];

#[test]
#[ignore = "the child process of the tests in this file"]
fn child_appends_and_is_killed() {
    let killed_at = std::env::var(CHILD_POINT).unwrap();
    std::fs::write(std::env::var(CHILD_ID_FILE).unwrap(), std::process::id().to_string()).unwrap();
    let on_point = Arc::new(move |point: &'static str| {
        if point == killed_at {
            kill_this_process();
        }
    });
    let store =
        GitBranch::new(std::env::var(CHILD_CLONE).unwrap(), "origin", "promptgate").observed(on_point);
    run(store.refresh()).unwrap();
    append(&store, &name("a"), &publish(&name("a"), 2)).unwrap();
}

fn kill_at(clone: &Path, point: &str, id_file: &Path) {
    let variables = [
        (CHILD_CLONE, clone.to_str().unwrap()),
        (CHILD_POINT, point),
        (CHILD_ID_FILE, id_file.to_str().unwrap()),
    ];
    let status = child("ledger::tests::git_kills::child_appends_and_is_killed", &variables);
    #[cfg(unix)]
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{point}");
    assert!(!status.success());
}

/// The next call in the same clone finds all or nothing, and finishes.
fn finish(server: &Server, store: &GitBranch, is_committed: bool, point: &str) {
    run(store.refresh()).unwrap();
    let history = run(store.verify(&name("a"))).unwrap_or_else(|error| panic!("{point}: {error}")).history;
    assert_eq!(history.events.len(), if is_committed { 4 } else { 2 }, "{point}");
    if !is_committed {
        append(store, &name("a"), &publish(&name("a"), 2)).unwrap();
    }
    append_until_stored(store, &name("a"), &marked("next"));
    let (_other, other) = server.ledger(&[]);
    assert_eq!(run(other.verify(&name("a"))).unwrap().history.events.len(), 5, "{point}");
}

#[cfg(unix)]
#[test]
fn killed_append_is_all_or_nothing_and_the_next_one_finishes() {
    for (index, point) in POINTS.into_iter().enumerate() {
        let server = Server::new();
        let (clone, store) = server.ledger(&[]);
        append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
        kill_at(&clone.path(), point, &server.path().join("id"));
        finish(&server, &store, index >= 2, point);
    }
}

/// The server's hooks kill the client while git pushes. Git goes on alone, so that the events arrive.
#[cfg(unix)]
#[test]
fn append_killed_during_the_push_is_stored() {
    for hook in ["pre-receive", "post-receive"] {
        let server = Server::new();
        let (clone, store) = server.ledger(&[]);
        append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
        let id_file = server.path().join("id");
        server.hook(hook, &format!("kill -9 \"$(cat '{}')\"", id_file.display()));
        kill_at(&clone.path(), "never", &id_file);
        std::fs::remove_file(server.path().join("hooks").join(hook)).unwrap();
        let (_other, reader) = server.ledger(&[]);
        let is_stored = (0..1000).any(|_| {
            run(reader.refresh()).unwrap();
            run(reader.history(&name("a"))).unwrap().events.len() == 4
        });
        assert!(is_stored, "{hook}");
        finish(&server, &store, true, hook);
    }
}

#[test]
fn points_of_an_append_are_all_killed_at() {
    let server = Server::new();
    let (_clone, store) = server.ledger(&[]);
    let reached = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&reached);
    let store = store.observed(Arc::new(move |point| recorded.lock().unwrap().push(point)));
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    assert_eq!(*reached.lock().unwrap(), POINTS);
}
