//! Files of the repository and texts of the ledger are data: they write nothing, and no terminal obeys them.

use jiff::Timestamp;
use promptgate_adapters::ledger;
use promptgate_release::ports::{Addition, LedgerStore as _};
use promptgate_release::{Actor, ActorSource, Approval, ApprovalSource, Event, EventKind, Name, State};

use super::support::{ALONE, CHANGES, FIRST, NAME, REPORT, Suite};

const PENDING: &str = ".promptgate/pending/support+reply.jsonl";

/// 1.0.0 in production, 1.1.0 on staging and without its approval, and events that would put 1.1.0 into production.
fn waiting() -> (Suite, String) {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.folder.edit("promptgate.yaml", ALONE, "levels: {minor: {approvals: 1}}, approvers: [bob]");
    suite.commit("Require an approval");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("", "staging", &[]).expect_code(0);
    let digest = suite.json(0, &["show", "support/reply@1.1.0"])["digest"].clone();
    let head = r#"{"at":"2026-11-30T18:00:00Z","actor":{"login":"bob","source":"dispatch"},"#;
    let forged = format!(
        r#"{head}"type":"approved","version":"1.1.0","approval":{{"login":"bob","source":"dispatch","digest":{digest}}}}}
{head}"type":"moved","label":"production","from":"1.0.0","version":"1.1.0","cause":"promotion"}}
"#
    );
    (suite, forged)
}

/// Every command that writes and appends pending events refuses, and a rollback ignores them.
#[track_caller]
fn expect_ignored(suite: &Suite, says: &str) {
    let before = suite.ledger();
    suite.promote("1.1.0", "production", &[]).expect_code(2).says(says);
    suite.run(&["reconcile", "--config", "."]).expect_code(2).says(says);
    suite.rollback(&["--dry-run"]).expect_code(2).says("no earlier version");
    assert_eq!(suite.ledger(), before);
    assert_eq!(suite.label("production"), "1.0.0");
    assert!(suite.events("approved").is_empty());
}

#[test]
fn pending_events_of_the_repository_are_refused() {
    let (suite, forged) = waiting();
    suite.folder.write(PENDING, &forged);
    suite.folder.git(&["add", "--force", PENDING]);
    suite.commit("Tidy up");
    expect_ignored(&suite, "is part of the repository");
    suite.evaluate();
    suite.publish().expect_code(2).says("is part of the repository").says("git rm --cached");
}

#[cfg(unix)]
#[test]
fn pending_events_behind_a_link_are_refused() {
    let (suite, forged) = waiting();
    suite.folder.write("notes/support+reply.jsonl", &forged);
    std::fs::create_dir_all(suite.folder.path().join(".promptgate")).unwrap();
    std::os::unix::fs::symlink("../notes", suite.folder.path().join(".promptgate/pending")).unwrap();
    suite.folder.git(&["add", "--force", ".promptgate"]);
    suite.commit("Tidy up");
    expect_ignored(&suite, "behind a symbolic link");
}

#[test]
fn pending_events_of_a_nested_repository_are_refused() {
    let (suite, forged) = waiting();
    suite.folder.write(PENDING, &forged);
    suite.folder.git(&["init", "--quiet", ".promptgate"]);
    expect_ignored(&suite, "is part of the repository");
}

#[test]
fn only_rollbacks_are_ever_pending() {
    let (suite, forged) = waiting();
    suite.folder.write(PENDING, &forged);
    expect_ignored(&suite, "this pending event is not a rollback");
    // Also with a ledger in a folder, where no repository tells.
    let alone = Suite::new("levels: {major: {approvals: 1}}, approvers: [bob]");
    alone.release(FIRST, "first");
    let moved = forged
        .lines()
        .last()
        .unwrap()
        .replace(r#""from":"1.0.0","version":"1.1.0""#, r#""from":null,"version":"1.0.0""#);
    alone.folder.write(PENDING, &format!("{moved}\n"));
    alone.promote("", "production", &[]).expect_code(2).says("not a rollback");
    alone.run(&["publish", "--report", REPORT, "--allow-simulated"]).expect_code(2);
    std::fs::remove_file(alone.folder.path().join(PENDING)).unwrap();
    alone.promote("", "production", &[]).expect_code(11).says("0 of 1 approvals");
    assert_eq!((alone.label("production"), NAME), (String::new(), "support/reply"));
}

/// Commands to a terminal and to the runner of a job.
const HOSTILE: &str = "mallory\n::error::pwned\r::stop-commands::x\u{1b}[31m\u{9b}2J##[command]pwned\u{202e}";

#[test]
fn texts_of_the_ledger_are_printed_without_commands() {
    let suite = Suite::new("levels: {major: {approvals: 1}}, approvers: [bob]");
    suite.release(FIRST, "first");
    let name: Name = NAME.parse().expect("a name");
    let ledger = ledger::Folder::new(suite.folder.path().join("ledger"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let history = ledger.history(&name).await.expect("a history");
        let state = State::fold(&history.events).expect("a state");
        let version = state.latest().expect("a version");
        let actor =
            Actor { login: HOSTILE.to_owned(), source: ActorSource::Local, run: Some(HOSTILE.to_owned()) };
        let digest = state.versions[&version].digest.clone();
        let source = ApprovalSource::Unverified;
        let approval =
            Approval { login: HOSTILE.to_owned(), teams: vec![HOSTILE.to_owned()], source, digest };
        let event = |kind| Event { at: Timestamp::now(), actor: actor.clone(), kind };
        let events = vec![
            event(EventKind::Approved { version, approval }),
            event(EventKind::Registered { version, registry: HOSTILE.to_owned(), id: HOSTILE.to_owned() }),
        ];
        let addition = Addition { records: Vec::new(), events };
        ledger.append(&name, &addition, history.tip.as_ref()).await.expect("an append");
    });
    let show = format!("{NAME}@1.0.0");
    for (code, arguments) in [
        (11, &["promote", NAME, "--to", "production", "--allow-simulated"][..]),
        (0, &["status", NAME]),
        (0, &["log", NAME]),
        (0, &["show", &show]),
        (11, &["promote", NAME, "--to", "production", "--allow-simulated", "--format", "json"]),
        (0, &["log", NAME, "--format", "json"]),
        (0, &["show", &show, "--format", "json"]),
    ] {
        let outcome = suite.run(arguments).expect_code(code);
        let text = outcome.text();
        assert!(text.contains("mallory") || arguments[0] == "status", "{arguments:?}: {text}");
        let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
        assert!(!text.lines().any(is_command), "{arguments:?}: {text}");
        // JSON escapes what a terminal would obey, and nothing that a program would miss.
        let control: &[char] = match arguments.contains(&"json") {
            true => &['\u{1b}', '\r'],
            false => &['\u{1b}', '\u{9b}', '\r', '\u{202e}'],
        };
        assert!(!text.contains(control), "{arguments:?}: {text:?}");
    }
}
