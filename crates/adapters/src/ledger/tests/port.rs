//! The contract of the port, held by every ledger.

use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::{Event, EventKind, Label, PortError, State};

use super::super::{Folder, GitBranch};
use super::git_server::Server;
use super::releases::assert_releases;
use super::support::{append, event, marked, name, publish, record, run, version};

fn conformance(store: &dyn LedgerStore) {
    let (reply, other) = (name("support/reply"), name("support"));
    run(store.refresh()).unwrap();
    assert_eq!(run(store.names()).unwrap(), []);
    assert_eq!(run(store.history(&reply)).unwrap().tip, None);
    assert_eq!(run(store.state(&reply)).unwrap(), None);
    assert_eq!(run(store.record(&reply, version(1))).unwrap(), None);
    assert_eq!(run(store.verify(&reply)).unwrap().history.events, []);
    assert_releases(store, 0);

    let first = publish(&reply, 1);
    let tip = run(store.append(&reply, &first, None)).unwrap();
    assert_eq!(run(store.history(&reply)).unwrap().tip, Some(tip.clone()));
    let second = publish(&reply, 2);
    let conflict = run(store.append(&reply, &second, None)).unwrap_err();
    assert_eq!(conflict, PortError::Conflict("ledger"));
    assert_releases(store, 1);

    // Another name, even in the same folder, does not move this one.
    run(store.append(&other, &publish(&other, 1), None)).unwrap();
    assert_releases(store, 2);
    let tip = run(store.append(&reply, &second, Some(&tip))).unwrap();
    assert_eq!(run(store.names()).unwrap(), [other.clone(), reply.clone()]);

    let history = run(store.history(&reply)).unwrap();
    assert_eq!(without_records(&history.events), [first.events, second.events].concat());
    assert_eq!(history.tip, Some(tip));
    let state = run(store.state(&reply)).unwrap().unwrap();
    assert_eq!(state, State::fold(&history.events).unwrap());
    assert_eq!(state.at_label(&Label::Production), Some(version(2)));
    assert_eq!(run(store.record(&reply, version(2))).unwrap(), Some(record(&reply, 2)));
    assert_eq!(run(store.record(&reply, version(3))).unwrap(), None);
    assert_eq!(run(store.verify(&reply)).unwrap().history, history);

    assert_releases(store, 3);
    rejects_what_it_could_not_read(store);
    assert_eq!(run(store.history(&reply)).unwrap(), history, "a rejected addition leaves nothing");
    assert_releases(store, 3);
    super::releases::follow_a_rollout(store, &reply);
}

/// Events without the digests of the records, which the ledger fills in.
fn without_records(events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    for event in &mut events {
        if let EventKind::Published { record, .. } = &mut event.kind {
            assert!(record.take().is_some(), "the digest of the record");
        }
    }
    events
}

fn rejects_what_it_could_not_read(store: &dyn LedgerStore) {
    let reply = name("support/reply");
    let invalid = |addition: &Addition, part: &str| {
        let error = append(store, &reply, addition).unwrap_err();
        assert!(matches!(&error, PortError::Invalid(text) if text.contains(part)), "{part}: {error:?}");
    };
    invalid(&Addition::default(), "at least one event");
    invalid(&publish(&reply, 2), "published twice");
    let mut unknown = marked("x");
    unknown.events[0].kind = EventKind::Abandoned { label: Label::Staging, version: version(9) };
    invalid(&unknown, "was not published");
    invalid(&Addition { records: Vec::new(), ..publish(&reply, 3) }, "without a record");
    invalid(&Addition { records: vec![record(&reply, 3)], ..marked("x") }, "is not published");
    let mut changed = publish(&reply, 3);
    changed.records[0].content.model = "another".into();
    invalid(&changed, "without a record of the same content");
    let mut twice = publish(&reply, 3);
    twice.records.push(record(&reply, 3));
    invalid(&twice, "two records");

    for reserved in ["a.json/b", "a/b.jsonl", ".gitmodules/x", "promptgate/releases"] {
        let error = run(store.append(&name(reserved), &publish(&name(reserved), 1), None)).unwrap_err();
        assert!(matches!(&error, PortError::Invalid(text) if text.contains(reserved)), "{error:?}");
    }
    let kind = EventKind::Moved {
        label: Label::Production,
        from: None,
        version: version(1),
        cause: promptgate_release::MoveCause::Rollback,
        reason: None,
    };
    invalid(&Addition { records: Vec::new(), events: vec![event(kind)] }, "was moved from no version");
}

#[test]
fn folder_conforms() {
    let parent = tempfile::tempdir().unwrap();
    let store = Folder::new(parent.path().join("deep/ledger"));
    assert!(store.is_local());
    assert!(store.location().starts_with("folder /"));
    conformance(&store);
}

#[test]
fn git_branch_conforms() {
    let server = Server::new();
    let clone = server.clone_at(&[]);
    let store = GitBranch::new(clone.path(), "origin", "promptgate");
    assert!(!store.is_local());
    assert_eq!(store.location(), "branch `promptgate` at `origin`");
    conformance(&store);
}

#[test]
fn git_branch_conforms_in_a_shallow_clone() {
    let server = Server::new();
    let clone = server.clone_at(&["--depth=1", "--single-branch"]);
    conformance(&GitBranch::new(clone.path().join("prompts"), "origin", "releases/promptgate"));
}

#[test]
fn git_branch_conforms_with_an_address_as_remote() {
    let server = Server::empty();
    let folder = crate::git::fixture::Fixture::new();
    conformance(&GitBranch::new(folder.path(), &server.url(), "promptgate"));
    assert_eq!(folder.git(&["for-each-ref", "refs/remotes", "refs/heads"]), "");
}
