//! Ledgers that were changed by hand.

use std::fs;
use std::path::Path;

use promptgate_release::PortError;
use promptgate_release::ports::LedgerStore;
use tempfile::TempDir;

use super::super::Folder;
use super::support::{append, marked, name, publish, run, version};

/// A ledger of one name with two versions and five events.
fn ledger() -> (TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::new(folder.path());
    append(&store, &name("a/b"), &publish(&name("a/b"), 1)).unwrap();
    append(&store, &name("a/b"), &publish(&name("a/b"), 2)).unwrap();
    append(&store, &name("a/b"), &marked("x")).unwrap();
    (folder, store)
}

fn edit(root: &Path, path: &str, change: impl FnOnce(String) -> String) {
    let path = root.join(path);
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text);
    fs::write(path, changed).unwrap();
}

fn assert_damaged<T: std::fmt::Debug>(result: Result<T, PortError>, parts: &[&str]) {
    let error = result.unwrap_err();
    let PortError::Damaged(text) = &error else { panic!("{error:?}") };
    assert!(parts.iter().all(|part| text.contains(part)), "{parts:?}: {text}");
}

#[test]
fn damaged_line_is_named_and_nothing_is_appended() {
    type Damage = (fn(String) -> String, &'static str, &'static str);
    let damages: [Damage; 5] = [
        (|text| text.replacen("alice", "mallory", 1), "jsonl:2", "changed or removed"),
        (|text| text.split_inclusive('\n').skip(1).collect(), "jsonl:1", "changed or removed"),
        (|text| text.trim_end().to_owned(), "jsonl:5", "cut off"),
        (|text| text.replacen("moved", "blessed", 1), "jsonl:2", "not an event"),
        (|text| text[..text.len() / 2].to_owned(), "jsonl:3", "cut off"),
    ];
    for (damage, place, problem) in damages {
        let (folder, store) = ledger();
        let before = run(store.history(&name("a/b"))).unwrap().tip;
        edit(folder.path(), "events/a/b.jsonl", damage);
        let parts = ["events/a/b.jsonl", place, problem];
        assert_damaged(run(store.history(&name("a/b"))), &parts);
        assert_damaged(run(store.verify(&name("a/b"))), &parts);
        let damaged = fs::read(folder.path().join("events/a/b.jsonl")).unwrap();
        assert_damaged(run(store.append(&name("a/b"), &marked("y"), before.as_ref())), &parts);
        assert_eq!(fs::read(folder.path().join("events/a/b.jsonl")).unwrap(), damaged);
    }
}

#[test]
fn events_that_cannot_follow_are_damage() {
    let (folder, store) = ledger();
    // Only a recomputed chain can hold such events.
    let history = run(store.history(&name("a/b"))).unwrap();
    let events: Vec<_> = history.events.into_iter().skip(1).collect();
    let (lines, _) = promptgate_release::chain::lines(None, &events).unwrap();
    fs::write(folder.path().join("events/a/b.jsonl"), lines).unwrap();
    let parts = ["events/a/b.jsonl:1", "cannot follow"];
    assert_damaged(run(store.state(&name("a/b"))), &parts);
    assert_damaged(run(store.verify(&name("a/b"))), &parts);
}

#[test]
fn events_that_are_not_text_are_damage() {
    let (folder, store) = ledger();
    fs::write(folder.path().join("events/a/b.jsonl"), [0xff, b'\n']).unwrap();
    assert_damaged(run(store.history(&name("a/b"))), &["events/a/b.jsonl", "not UTF-8"]);
}

#[test]
fn changed_record_is_mutated() {
    let (folder, store) = ledger();
    let path = "versions/a/b/1.0.0.json";
    edit(folder.path(), path, |text| text.replace("Answer in 1 words", "Obey in 1 words"));
    for error in [
        run(store.record(&name("a/b"), version(1))).unwrap_err(),
        run(store.verify(&name("a/b"))).unwrap_err(),
    ] {
        assert!(matches!(&error, PortError::Mutated(text) if text.contains(path)), "{error:?}");
    }

    // The content is not all: the policy decides what the version needs, the authors who may not approve it.
    for (from, to) in
        [("\"approvals\": 1", "\"approvals\": 0"), ("Shorter answers.", "Longer answers."), ("}\n", "}")]
    {
        let (folder, store) = ledger();
        edit(folder.path(), path, |text| text.replacen(from, to, 1));
        for error in [
            run(store.record(&name("a/b"), version(1))).unwrap_err(),
            run(store.verify(&name("a/b"))).unwrap_err(),
        ] {
            assert!(
                matches!(&error, PortError::Mutated(text) if text.contains("the record of a/b@1.0.0")),
                "{error:?}"
            );
        }
    }

    // The digest in the record does not vouch for it: the events hold the published one.
    let mut record = super::support::record(&name("a/b"), 1);
    record.content.model = "another".into();
    record.digest = record.content.digest();
    fs::write(folder.path().join(path), serde_json::to_string(&record).unwrap()).unwrap();
    let error = run(store.record(&name("a/b"), version(1))).unwrap_err();
    assert!(matches!(&error, PortError::Mutated(_)), "{error:?}");
}

#[test]
fn record_that_cannot_be_used_is_damage() {
    type Damage = (fn(String) -> String, &'static str);
    let damages: [Damage; 4] = [
        (
            |text| text.replace("promptgate.version/v1", "promptgate.version/v7"),
            "unknown schema `promptgate.version/v7`",
        ),
        (|_| "{}".to_owned(), "missing field `schema`"),
        (|text| text.replace("\"1.0.0\"", "\"1.1.0\""), "the record of a/b@1.1.0, expected a/b@1.0.0"),
        (|text| text.replace("\"reason\"", "\"motive\""), "not a record: missing field `reason`"),
    ];
    for (damage, problem) in damages {
        let (folder, store) = ledger();
        edit(folder.path(), "versions/a/b/1.0.0.json", damage);
        assert_damaged(run(store.record(&name("a/b"), version(1))), &["versions/a/b/1.0.0.json", problem]);
        assert_damaged(run(store.verify(&name("a/b"))), &[problem]);
    }
    let (folder, store) = ledger();
    fs::remove_file(folder.path().join("versions/a/b/1.0.0.json")).unwrap();
    assert_damaged(run(store.record(&name("a/b"), version(1))), &["1.0.0.json", "missing"]);
    assert_damaged(run(store.verify(&name("a/b"))), &["1.0.0.json", "missing"]);
}

#[test]
fn state_that_differs_from_the_events_fails_verification() {
    let (folder, store) = ledger();
    edit(folder.path(), "state/a/b.json", |text| text.replacen("minor", "patch", 1));
    assert_damaged(run(store.verify(&name("a/b"))), &["state/a/b.json", "not that of the events"]);
    edit(folder.path(), "state/a/b.json", |text| text.replace("promptgate.state/v1", "promptgate.state/v9"));
    assert_damaged(run(store.verify(&name("a/b"))), &["state/a/b.json", "unknown schema"]);
    // A state that cannot be read is folded, and the next append replaces it.
    let state = run(store.state(&name("a/b"))).unwrap().unwrap();
    assert_eq!(state.versions.len(), 2);
    append(&store, &name("a/b"), &marked("y")).unwrap();
    run(store.verify(&name("a/b"))).unwrap();
}

#[test]
fn removed_events_fail_verification() {
    let (folder, store) = ledger();
    fs::remove_file(folder.path().join("events/a/b.jsonl")).unwrap();
    assert_damaged(run(store.verify(&name("a/b"))), &["state/a/b.json"]);
}

#[test]
fn folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let store = Folder::new(folder.path());
    for error in [
        append(&store, &name("a"), &publish(&name("a"), 1)).unwrap_err(),
        run(store.refresh()).unwrap_err(),
        run(store.names()).unwrap_err(),
    ] {
        assert!(matches!(&error, PortError::Invalid(text) if text.contains("is not a ledger")), "{error:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn links_in_a_ledger_are_refused() {
    let (folder, store) = ledger();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::remove_dir_all(folder.path().join("versions")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("versions")).unwrap();
    assert_damaged(append(&store, &name("a/b"), &publish(&name("a/b"), 3)), &["versions", "symbolic link"]);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn folder_that_cannot_be_written_is_unavailable() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("file"), "").unwrap();
    let store = Folder::new(parent.path().join("file/ledger"));
    let error = append(&store, &name("a"), &publish(&name("a"), 1)).unwrap_err();
    assert!(matches!(&error, PortError::Unavailable(text) if text.contains("file/ledger")), "{error:?}");
}

#[cfg(unix)]
#[test]
fn links_below_the_ledger_lead_nowhere() {
    for (link, is_version) in
        [("events/a", false), ("versions/a", true), ("versions/a/b", true), ("state/a", false)]
    {
        let (folder, store) = ledger();
        let outside = tempfile::tempdir().unwrap();
        let inside = folder.path().join(link);
        fs::rename(&inside, outside.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("moved"), &inside).unwrap();
        let before = fs::read_dir(outside.path().join("moved")).unwrap().count();
        let tip = run(store.history(&name("a/b"))).ok().and_then(|history| history.tip);
        let refused = match is_version {
            true => run(store.record(&name("a/b"), version(1))).unwrap_err(),
            false => run(store.state(&name("a/b"))).unwrap_err(),
        };
        assert!(
            matches!(&refused, PortError::Unavailable(text) if text.contains("symbolic link")),
            "{refused:?}"
        );
        // A state that cannot be written is folded by readers; nothing else may be left out.
        let appended = run(store.append(&name("a/b"), &publish(&name("a/b"), 3), tip.as_ref()));
        assert_eq!(appended.is_ok(), link == "state/a", "{link}: {appended:?}");
        assert_eq!(fs::read_dir(outside.path().join("moved")).unwrap().count(), before, "{link}");
    }
}

#[test]
fn record_that_could_not_be_read_again_is_not_stored() {
    let (_folder, store) = ledger();
    let tip = run(store.history(&name("a/b"))).unwrap().tip;
    let mut addition = publish(&name("a/b"), 3);
    let record = &mut addition.records[0];
    let mut deep = serde_json::Value::Null;
    for _ in 0..130 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    record.content.parameters.insert("x".to_owned(), deep);
    record.digest = record.content.digest();
    let digest_of_record = record.digest.clone();
    for event in &mut addition.events {
        if let promptgate_release::EventKind::Published { digest, .. } = &mut event.kind {
            *digest = digest_of_record.clone();
        }
    }
    let error = run(store.append(&name("a/b"), &addition, tip.as_ref())).unwrap_err();
    assert!(
        matches!(&error, PortError::Invalid(text) if text.contains("cannot be stored: recursion limit")),
        "{error:?}"
    );
    assert_eq!(run(store.history(&name("a/b"))).unwrap().tip, tip);
}
