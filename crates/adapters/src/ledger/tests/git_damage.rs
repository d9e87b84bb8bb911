//! Branches whose commits did more than append.

use promptgate_release::PortError;
use promptgate_release::chain;
use promptgate_release::ports::{LedgerStore, VerifiedCommits};

use super::super::GitBranch;
use super::git_server::Server;
use super::support::{append, marked, name, publish, run};
use crate::git::fixture::Fixture;

/// A branch of four commits with five events.
fn ledger(server: &Server) -> (Fixture, GitBranch) {
    let (clone, store) = server.ledger(&[]);
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    for mark in ["x", "y", "z"] {
        append(&store, &name("a"), &marked(mark)).unwrap();
    }
    (clone, store)
}

/// Rewrites an event, the chain after it and the state, as somebody with a key could.
fn rewrite(clone: &Fixture, mark: &str, to: &str) {
    let path = clone.path().join("events/a.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let tip_before = chain::read(&text).unwrap().tip.unwrap();
    let mut events = chain::read(&text).unwrap().events;
    for event in &mut events {
        let changed =
            serde_json::to_string(event).unwrap().replace(&format!("\"{mark}\""), &format!("\"{to}\""));
        *event = serde_json::from_str(&changed).unwrap();
    }
    let (lines, tip) = chain::lines(None, &events).unwrap();
    std::fs::write(path, lines).unwrap();
    let path = clone.path().join("state/a.json");
    let state = std::fs::read_to_string(&path).unwrap();
    let state = state
        .replace(tip_before.as_str(), tip.unwrap().as_str())
        .replace(&format!("\"{mark}\""), &format!("\"{to}\""));
    std::fs::write(path, state).unwrap();
}

fn damage(store: &GitBranch) -> String {
    run(store.refresh()).unwrap();
    match run(store.verify(&name("a"))) {
        Err(PortError::Damaged(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn commits_that_append_are_counted() {
    let server = Server::new();
    let (_clone, store) = ledger(&server);
    append(&store, &name("b"), &publish(&name("b"), 1)).unwrap();
    let verified = run(store.verify(&name("a"))).unwrap();
    assert_eq!(verified.history.events.len(), 5);
    assert_eq!(verified.commits, Some(VerifiedCommits { count: 4, complete: true }));
}

#[test]
fn rewritten_line_is_found_although_the_chain_is_whole() {
    let server = Server::new();
    let (_clone, store) = ledger(&server);
    server.commit_by_hand("tidy up", |clone| rewrite(clone, "x", "w"));
    let rewriting = server.tip();
    // An honest append on top does not hide it.
    let (_other, other) = server.ledger(&[]);
    append(&other, &name("a"), &marked("after")).unwrap();
    let text = damage(&store);
    assert!(text.contains("events/a.jsonl:3") && text.contains(&rewriting[..12]), "{text}");
}

#[test]
fn line_that_was_changed_and_restored_is_found() {
    let server = Server::new();
    let (_clone, store) = ledger(&server);
    let last = server.git(&["log", "-1", "--format=%B", "promptgate"]);
    // The message of the commit before names the right digest for another content.
    server.commit_by_hand(&last, |clone| rewrite(clone, "y", "v"));
    let rewriting = server.tip();
    server.commit_by_hand("restore", |clone| rewrite(clone, "v", "y"));
    let text = damage(&store);
    assert!(text.contains("events/a.jsonl:4") && text.contains(&rewriting[..12]), "{text}");
}

#[test]
fn removed_and_restored_events_are_found() {
    let server = Server::new();
    let (_clone, store) = ledger(&server);
    let before = server.tip();
    server.commit_by_hand("remove", |clone| {
        std::fs::remove_file(clone.path().join("events/a.jsonl")).unwrap();
        clone.write("events/b.jsonl", "");
    });
    let removing = server.tip();
    server.commit_by_hand("restore", |clone| {
        clone.git(&["checkout", "--quiet", &before, "--", "."]);
    });
    let text = damage(&store);
    assert!(text.contains(&format!("commit {} removed", &removing[..12])), "{text}");

    let server = Server::new();
    let (_clone, store) = ledger(&server);
    let before = server.tip();
    server.commit_by_hand("shorten", |clone| {
        clone.git(&["checkout", "--quiet", "HEAD~2", "--", "."]);
    });
    let shortening = server.tip();
    server.commit_by_hand("restore", |clone| {
        clone.git(&["checkout", "--quiet", &before, "--", "."]);
    });
    let text = damage(&store);
    assert!(text.contains(&shortening[..12]), "{text}");
}

#[test]
fn state_and_records_are_verified_on_a_branch() {
    let server = Server::new();
    let (_clone, store) = ledger(&server);
    server.commit_by_hand("change the state", |clone| {
        let path = clone.path().join("state/a.json");
        let state = std::fs::read_to_string(&path).unwrap().replace("\"minor\"", "\"patch\"");
        std::fs::write(path, state).unwrap();
    });
    assert!(damage(&store).contains("state/a.json"));
    server.commit_by_hand("remove the record", |clone| {
        clone.git(&["checkout", "--quiet", "HEAD~1", "--", "."]);
        std::fs::remove_dir_all(clone.path().join("versions")).unwrap();
    });
    assert!(damage(&store).contains("versions/a/1.0.0.json"));
}

#[test]
fn merge_is_damage() {
    let server = Server::new();
    let (_clone, store) = ledger(&server);
    server.commit_by_hand("merge", |clone| {
        clone.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
        clone.commit("side");
        clone.git(&["checkout", "--quiet", "promptgate"]);
        clone.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    });
    assert!(damage(&store).contains("merges"));
}

#[test]
fn shallow_clone_fetches_the_history_or_says_how_far_it_got() {
    let server = Server::new();
    let (_clone, _store) = ledger(&server);
    let (online, store) = server.ledger(&["--depth=1", "--single-branch"]);
    run(store.refresh()).unwrap();
    let commits = run(store.verify(&name("a"))).unwrap().commits;
    assert_eq!(commits, Some(VerifiedCommits { count: 4, complete: true }));
    assert_eq!(online.git(&["rev-list", "--count", "main"]), "1", "other branches stay shallow");

    let (offline, store) = server.ledger(&["--depth=1", "--single-branch"]);
    run(store.refresh()).unwrap();
    offline.git(&["remote", "set-url", "origin", "file:///nowhere"]);
    let verified = run(store.verify(&name("a"))).unwrap();
    assert_eq!(verified.commits, Some(VerifiedCommits { count: 1, complete: false }));
    assert_eq!(verified.history.events.len(), 5);
}
