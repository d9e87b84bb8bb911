//! Appends of a folder that are killed between two effects.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use promptgate_release::ports::LedgerStore;

use super::super::Folder;
use super::support::{append, marked, name, publish, run};

/// Variables that only this test's own child reads.
const CHILD_FOLDER: &str = "PROMPTGATE_TEST_LEDGER_FOLDER";
const CHILD_POINT: &str = "PROMPTGATE_TEST_LEDGER_POINT";

/// Every point of an append that publishes, in order.
const POINTS: [&str; 11] = [
    "before the lock",
    "locked",
    "record staged",
    "record stored",
    "events staged",
    "events stored",
    "state staged",
    "state stored",
    "releases staged",
    "releases stored",
    "unlocked",
];

/// Ends this process as `kill -9` does: nothing is flushed, dropped or unlocked.
pub(super) fn kill_this_process() {
    let id = std::process::id().to_string();
    Command::new("kill").args(["-9", &id]).status().unwrap();
    loop {
        std::thread::park();
    }
}

/// Runs one test of this executable in a process of its own.
pub(super) fn child(test: &str, variables: &[(&str, &str)]) -> std::process::ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[test]
#[ignore = "the child process of killed_append_is_all_or_nothing_and_the_next_one_finishes"]
fn child_appends_and_is_killed() {
    let folder = std::env::var(CHILD_FOLDER).unwrap();
    let killed_at = std::env::var(CHILD_POINT).unwrap();
    let on_point = Arc::new(move |point: &'static str| {
        if point == killed_at {
            kill_this_process();
        }
    });
    let store = Folder::new(folder).observed(on_point);
    append(&store, &name("support/reply"), &publish(&name("support/reply"), 2)).unwrap();
}

fn kill_at(folder: &Path, point: &str) {
    let status = child(
        "ledger::tests::folder_kills::child_appends_and_is_killed",
        &[(CHILD_FOLDER, folder.to_str().unwrap()), (CHILD_POINT, point)],
    );
    #[cfg(unix)]
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{point}");
    assert!(!status.success());
}

#[cfg(unix)]
#[test]
fn killed_append_is_all_or_nothing_and_the_next_one_finishes() {
    let prompt = name("support/reply");
    let committed = POINTS.iter().position(|point| *point == "events stored").unwrap();
    for (index, point) in POINTS.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path());
        append(&store, &prompt, &publish(&prompt, 1)).unwrap();
        let before = run(store.history(&prompt)).unwrap();
        kill_at(folder.path(), point);

        // The files that are left are readable without any repair.
        let after = run(store.verify(&prompt)).unwrap_or_else(|error| panic!("{point}: {error}")).history;
        let is_committed = index >= committed;
        assert_eq!(after.events.len() - before.events.len(), if is_committed { 2 } else { 0 }, "{point}");
        let state = run(store.state(&prompt)).unwrap().unwrap();
        assert_eq!(state.versions.len(), if is_committed { 2 } else { 1 }, "{point}");
        let record = run(store.record(&prompt, super::support::version(2))).unwrap();
        assert_eq!(record.is_some(), is_committed, "{point}");

        let production = run(store.releases()).unwrap().prompts[&prompt].control;
        assert_eq!(production, super::support::version(if is_committed { 2 } else { 1 }), "{point}");

        // The next call finishes: the same addition if it was lost, another in any case.
        if !is_committed {
            append(&store, &prompt, &publish(&prompt, 2)).unwrap();
        }
        append(&store, &prompt, &marked("next")).unwrap();
        let finished = run(store.verify(&prompt)).unwrap().history;
        assert_eq!(finished.events.len(), 5, "{point}");
        assert!(
            !folder.path().join("staging").exists() || is_empty(&folder.path().join("staging")),
            "{point}"
        );
        let state = std::fs::read_to_string(folder.path().join("state/support/reply.json")).unwrap();
        let stored = std::fs::read_to_string(folder.path().join("releases.json")).unwrap();
        let stored = promptgate_release::Releases::parse(&stored).unwrap();
        assert_eq!((stored.seq, stored.prompts[&prompt].control), (2, super::support::version(2)), "{point}");
        assert!(state.contains(finished.tip.unwrap().as_str()), "{point}: the state is repaired");
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn points_of_an_append_are_all_killed_at() {
    let folder = tempfile::tempdir().unwrap();
    let reached = Arc::new(std::sync::Mutex::new(Vec::new()));
    let recorded = Arc::clone(&reached);
    let store =
        Folder::new(folder.path()).observed(Arc::new(move |point| recorded.lock().unwrap().push(point)));
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    assert_eq!(*reached.lock().unwrap(), POINTS);
}
