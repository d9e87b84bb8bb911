//! Failures of a ledger on a branch, and what it must not touch.

use std::fs;

use promptgate_core::text::Secret;
use promptgate_release::PortError;
use promptgate_release::ports::LedgerStore;

use super::super::GitBranch;
use super::folder_kills::child;
use super::git_server::Server;
use super::support::{append, append_until_stored, marked, marks, name, publish, run, version};
use crate::git::fixture::Fixture;
use crate::http::test_server::{Reaction, Server as HttpServer};

fn published(server: &Server) -> (Fixture, GitBranch) {
    let (clone, store) = server.ledger(&[]);
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    (clone, store)
}

#[test]
fn append_leaves_work_tree_index_head_and_hooks_alone() {
    let server = Server::new();
    let (clone, store) = server.ledger(&[]);
    clone.write("prompts/reply.md", "changed\n");
    clone.write("staged.md", "staged\n");
    clone.git(&["add", "staged.md"]);
    for hook in ["pre-push", "reference-transaction", "post-index-change", "pre-commit"] {
        let path = clone.path().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\ntouch \"$(git rev-parse --git-dir)/hook-ran\"\n").unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    clone.git(&["config", "push.followTags", "true"]);
    clone.git(&["config", "core.autocrlf", "true"]);
    clone.git(&["-c", "core.hooksPath=/dev/null", "tag", "-a", "-m", "x", "v1"]);
    let files = |path: &str| fs::read(clone.path().join(".git").join(path)).ok();
    let seen = || (files("index"), files("HEAD"), files("FETCH_HEAD"), files("config"));
    let before = (seen(), fs::read(clone.path().join("prompts/reply.md")).unwrap());
    run(store.refresh()).unwrap();
    append(&store, &name("a"), &publish(&name("a"), 1)).unwrap();
    run(store.refresh()).unwrap();
    run(store.verify(&name("a"))).unwrap();
    assert_eq!((seen(), fs::read(clone.path().join("prompts/reply.md")).unwrap()), before);
    assert!(!clone.path().join(".git/hook-ran").exists(), "a hook of the user ran");
    assert_eq!(clone.git(&["for-each-ref", "--format=%(refname)", "refs/heads"]), "refs/heads/main");
    assert_eq!(server.git(&["for-each-ref", "refs/tags"]), "");
    let message = server.git(&["log", "-1", "--format=%an%n%B%P", "promptgate"]);
    assert!(
        message.starts_with("promptgate\na: publish 1.0.0, move production to 1.0.0 [skip ci]\n"),
        "{message}"
    );
    assert!(message.contains("Promptgate-Nonce: "), "{message}");
    assert_eq!(server.git(&["merge-base", "--all", "--octopus", "promptgate"]), server.tip());
    assert_eq!(server.git(&["rev-list", "--count", "promptgate"]), "1", "an orphan branch");
}

#[test]
fn racing_creators_one_wins() {
    let server = Server::empty();
    let ((_a, first), (_b, second)) = (server.ledger(&[]), server.ledger(&[]));
    for store in [&first, &second] {
        run(store.refresh()).unwrap();
    }
    run(first.append(&name("a"), &publish(&name("a"), 1), None)).unwrap();
    let error = run(second.append(&name("a"), &publish(&name("a"), 1), None)).unwrap_err();
    assert_eq!(error, PortError::Conflict("ledger"));
    // The conflict has fetched what the other wrote.
    assert_eq!(run(second.history(&name("a"))).unwrap().events.len(), 2);
}

#[test]
fn append_of_another_name_is_no_conflict() {
    let server = Server::new();
    let (_a, first) = published(&server);
    let (_b, second) = server.ledger(&[]);
    append(&first, &name("a"), &marked("x")).unwrap();
    run(second.append(&name("b"), &publish(&name("b"), 1), None)).unwrap();
    assert_eq!(marks(&run(second.history(&name("a"))).unwrap().events), ["x"]);
    assert_eq!(run(second.names()).unwrap(), [name("a"), name("b")]);
}

#[test]
fn declining_hook_stops_at_once_with_its_message() {
    let server = Server::new();
    let (_clone, store) = published(&server);
    let count = server.path().join("declined");
    server.hook(
        "pre-receive",
        &format!("echo x >> '{}'\necho 'only the release job may write here' >&2\nexit 1", count.display()),
    );
    let error = append(&store, &name("a"), &marked("x")).unwrap_err();
    let PortError::Refused(text) = &error else { panic!("{error:?}") };
    for part in [
        "only the release job may write here",
        "pre-receive hook declined",
        "branch `promptgate` at `origin`",
        "allow this key in the branch's rules",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(fs::read_to_string(count).unwrap(), "x\n", "one push");
    assert_eq!(run(store.history(&name("a"))).unwrap().events.len(), 2);
}

#[test]
fn push_that_was_stored_although_the_connection_was_lost_succeeds() {
    let server = Server::new();
    let (_clone, store) = published(&server);
    // The process that answers the client.
    server.hook("post-receive", "kill -9 $PPID");
    append(&store, &name("a"), &marked("x")).unwrap();
    append(&store, &name("a"), &marked("y")).unwrap();
    assert_eq!(marks(&run(store.verify(&name("a"))).unwrap().history.events), ["x", "y"]);
}

#[test]
fn push_that_was_not_stored_because_the_connection_was_lost_is_unavailable() {
    let server = Server::new();
    let (_clone, store) = published(&server);
    server.hook("pre-receive", "kill -9 $PPID");
    let error = append(&store, &name("a"), &marked("x")).unwrap_err();
    assert!(matches!(&error, PortError::Unavailable(text) if text.contains("hung up")), "{error:?}");
    fs::remove_file(server.path().join("hooks/pre-receive")).unwrap();
    append(&store, &name("a"), &marked("x")).unwrap();
}

#[test]
fn locked_branch_is_unavailable_not_refused() {
    let server = Server::new();
    let (_clone, store) = published(&server);
    let lock = server.path().join("refs/heads/promptgate.lock");
    fs::write(&lock, "").unwrap();
    let error = append(&store, &name("a"), &marked("x")).unwrap_err();
    assert!(matches!(&error, PortError::Unavailable(_)), "{error:?}");
    fs::remove_file(lock).unwrap();
    append(&store, &name("a"), &marked("x")).unwrap();
}

#[test]
fn missing_repository_remote_or_server_is_named() {
    let outside = tempfile::tempdir().unwrap();
    let (alone, server) = (Fixture::new(), Server::new());
    let gone = Fixture::new();
    gone.git(&["remote", "add", "origin", "file:///nowhere/at/all"]);
    let closed = Fixture::new();
    closed.git(&["remote", "add", "origin", "http://bob:hunter22@127.0.0.1:1/a"]);
    let (clone, _) = server.ledger(&[]);
    let cases = [
        (outside.path().to_owned(), "not in a git repository", "Invalid"),
        (alone.path(), "no remote `origin`", "Invalid"),
        (gone.path(), "/nowhere/at/all", "Unavailable"),
        (closed.path(), "127.0.0.1", "Unavailable"),
        (clone.path().join("missing"), "does not exist", "Unavailable"),
    ];
    for (folder, part, kind) in cases {
        let error = run(GitBranch::new(folder, "origin", "promptgate").refresh()).unwrap_err();
        assert!(format!("{error:?}").starts_with(kind), "{part}: {error:?}");
        assert!(
            error.to_string().contains(part) && !error.to_string().contains("hunter22"),
            "{part}: {error}"
        );
    }
    let error = run(GitBranch::new(outside.path(), "origin", "promptgate").state(&name("a"))).unwrap_err();
    assert!(matches!(&error, PortError::Invalid(_)), "{error:?}");
    let error =
        append(&GitBranch::new(alone.path(), "origin", "promptgate"), &name("a"), &publish(&name("a"), 1));
    assert!(matches!(&error, Err(PortError::Invalid(text)) if text.contains("git remote add")), "{error:?}");
}

#[test]
#[ignore = "the child process of missing_git_is_named, which has no PATH"]
fn child_without_git() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(GitBranch::new(folder.path(), "origin", "promptgate").refresh()).unwrap_err();
    assert!(
        matches!(&error, PortError::Unavailable(text) if text.contains("git is not installed")),
        "{error:?}"
    );
    let error = run(GitBranch::new(folder.path(), "origin", "promptgate").state(&name("a"))).unwrap_err();
    assert!(
        matches!(&error, PortError::Unavailable(text) if text.contains("git is not installed")),
        "{error:?}"
    );
}

#[test]
fn missing_git_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let path = [("PATH", empty.path().to_str().unwrap())];
    assert!(child("ledger::tests::git_errors::child_without_git", &path).success());
}

#[test]
fn branch_that_is_not_a_ledger_is_named() {
    let server = Server::new();
    let (clone, _) = server.ledger(&[]);
    let store = GitBranch::new(clone.path(), "origin", "main");
    run(store.refresh()).unwrap();
    for error in [
        run(store.state(&name("a"))).unwrap_err(),
        append(&store, &name("a"), &publish(&name("a"), 1)).unwrap_err(),
        run(store.names()).unwrap_err(),
    ] {
        assert!(
            matches!(&error, PortError::Damaged(text) if text.contains("`main`") && text.contains("not a ledger")),
            "{error:?}"
        );
    }
}

#[test]
fn deleted_and_rewritten_branches_are_damage() {
    let server = Server::new();
    let (_clone, store) = published(&server);
    let first = server.tip();
    append(&store, &name("a"), &marked("x")).unwrap();
    server.git(&["update-ref", "refs/heads/promptgate", &first]);
    for error in [run(store.refresh()).unwrap_err(), append(&store, &name("a"), &marked("y")).unwrap_err()] {
        assert!(matches!(&error, PortError::Damaged(text) if text.contains("was rewritten")), "{error:?}");
    }
    assert_eq!(server.tip(), first, "nothing is pushed over it");
    server.git(&["update-ref", "-d", "refs/heads/promptgate"]);
    let error = run(store.refresh()).unwrap_err();
    assert!(
        matches!(&error, PortError::Damaged(text) if text.contains("was deleted") && text.contains("git push origin")),
        "{error:?}"
    );
}

#[test]
fn token_is_sent_as_a_header_and_never_shown() {
    let response = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let script = vec![Reaction::Write(response.into()); 8];
    let http = runtime.block_on(HttpServer::start(script));
    let clone = Fixture::new();
    let remote = http.base_url();
    clone.git(&["remote", "add", "origin", &remote]);
    // A CI checkout leaves a header of a token that may not write.
    let scope = remote.trim_end_matches("v1");
    clone.git(&["config", &format!("http.{scope}.extraheader"), "Authorization: Basic b2xk"]);
    let token = "ghs_0123456789abcdef";
    let store = GitBranch::new(clone.path(), "origin", "promptgate").with_token(Secret::new(token));
    let error = run(store.refresh()).unwrap_err();
    assert!(matches!(&error, PortError::Refused(text) if text.contains("403")), "{error:?}");
    assert!(!format!("{error:?} {store:?}").contains(token));
    let received = http.received();
    let head = &received[0].head;
    assert_eq!(head.matches("authorization:").count(), 1, "{head}");
    assert!(head.contains(&"eC1hY2Nlc3MtdG9rZW46Z2hzXzAxMjM0NTY3ODlhYmNkZWY=".to_lowercase()), "{head}");

    let plain = Fixture::new();
    plain.git(&["remote", "add", "origin", "http://git.example.org/a"]);
    let store = GitBranch::new(plain.path(), "origin", "promptgate").with_token(Secret::new(token));
    let error = run(store.refresh()).unwrap_err();
    assert!(matches!(&error, PortError::Invalid(text) if text.contains("unencrypted")), "{error:?}");
}

#[test]
fn shallow_clone_fetches_one_commit_and_appends() {
    let server = Server::new();
    let (_clone, store) = published(&server);
    append(&store, &name("a"), &marked("x")).unwrap();
    let (shallow, reader) = server.ledger(&["--depth=1", "--single-branch"]);
    run(reader.refresh()).unwrap();
    assert_eq!(shallow.git(&["rev-list", "--count", "refs/remotes/origin/promptgate"]), "1");
    assert_eq!(run(reader.record(&name("a"), version(1))).unwrap().unwrap().number, 1);
    append(&reader, &name("a"), &marked("y")).unwrap();
    append(&store, &name("a"), &marked("z")).unwrap_err();
    append_until_stored(&store, &name("a"), &marked("z"));
    run(reader.refresh()).unwrap();
    assert_eq!(marks(&run(reader.history(&name("a"))).unwrap().events), ["x", "y", "z"]);
    assert_eq!(shallow.git(&["rev-list", "--count", "main"]), "1", "other branches stay shallow");
}
