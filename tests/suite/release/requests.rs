//! Names, labels and versions that are not there, and ledgers that cannot be used.

use promptgate_simulated::fake_langfuse::{PUBLIC_KEY, SECRET_KEY};

use super::support::{ALONE, CHANGES, FIRST, Langfuse, NAME, REPORT, Suite};
use crate::support::{Folder, git};

#[test]
fn unknown_names_labels_and_versions_are_errors() {
    let suite = Suite::new(ALONE).with_two();
    let before = suite.ledger();
    for (arguments, said) in [
        (&["promote", "support/rely", "--to", "staging"][..], "did you mean support/reply?"),
        (&["promote", "Support/Reply", "--to", "staging"], "did you mean `support/reply`?"),
        (&["promote", "support/reply@1.0.0", "--to", "staging"], "give `1.0.0` as an argument of its own"),
        (&["promote", NAME, "9.0.0", "--to", "staging"], "support/reply has no version 9.0.0"),
        (&["promote", NAME, "v1.0.0", "--to", "staging"], "invalid version `v1.0.0`: expected three numbers"),
        (&["promote", NAME, "--to", "latest"], "latest"),
        (&["promote", NAME], "--to"),
        (&["rollback", "support/rely", "--reason", "x"], "did you mean support/reply?"),
        (&["rollback", NAME], "--reason"),
        (&["rollback", NAME, "--to", "9.0.0", "--reason", "x"], "version 9.0.0 never held the label"),
        (&["rollback", NAME, "--label", "canary", "--reason", "x"], "the label points at no version"),
        (&["rollback", NAME, "--label", "latest", "--reason", "x"], "always points at the newest version"),
        (&["approve", NAME, "9.0.0"], "no version 9.0.0"),
        (&["approve", "support/rely", "1.0.0"], "did you mean support/reply?"),
        (&["reconcile", "support/rely"], "did you mean support/reply?"),
        (&["pull", NAME], "the embedded registry holds only what was published from here"),
        (&["publish"], "--report"),
        (&["publish", "elsewhere", "--report", REPORT], "elsewhere"),
    ] {
        let outcome = suite.run(arguments).expect_code(2);
        assert!(outcome.text().contains(said), "{arguments:?}: {}", outcome.text());
    }
    assert_eq!(suite.ledger(), before);
    let empty = Suite::new(ALONE);
    empty
        .promote("", "staging", &[])
        .expect_code(2)
        .says("has no published version")
        .says("promptgate publish");
    empty.rollback(&[]).expect_code(2).says("the label points at no version");
}

#[test]
fn clone_that_never_fetched_the_ledger_says_so() {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    let clone = Folder::new();
    let url = format!("file://{}", suite.remote.as_ref().expect("a remote").display());
    git(clone.path(), &["clone", "--quiet", "--single-branch", "--branch", "main", &url, "."]);
    let run = |arguments: &[&str]| clone.promptgate(arguments).expect_code(0);
    run(&["status"]).says("as last fetched").says("the ledger has no prompts");
    run(&["log"]).says("`promptgate log --refresh` fetches it first");
    clone.promptgate(&["show", NAME]).expect_code(2).says("fetch only with `--refresh`");
    let fetched = run(&["status", "--refresh"]).says("latest   1.0.0");
    assert!(!fetched.text().contains("as last fetched"), "{}", fetched.text());
    run(&["status"]).says("as last fetched").says("latest   1.0.0");
}

#[test]
fn publish_without_a_commit_asks_for_one() {
    let folder = Folder::small(3);
    folder.append("promptgate.yaml", "release: {ledger: {path: ledger}}\n");
    folder.git(&["init", "--quiet"]);
    folder.promptgate(&["run", "--offline", "--quiet"]);
    let outcome = folder.promptgate(&["publish", "--report", REPORT]).expect_code(2);
    outcome.says("no commits yet").says("help: commit what is to be published first");
}

#[test]
fn configuration_without_release_says_what_to_add() {
    let folder = Folder::small(3);
    folder.promptgate(&["run", "--offline", "--quiet"]).expect_code(0);
    for arguments in [&["publish", "--report", REPORT][..], &["reconcile"]] {
        folder.promptgate(arguments).expect_code(2).says("no `release:`").says("release: {ledger: git}");
    }
    for arguments in [
        &["promote", "small", "--to", "staging"][..],
        &["rollback", "small", "--reason", "x"],
        &["approve", "small", "1.0.0"],
        &["pull", "small"],
    ] {
        folder
            .promptgate(arguments)
            .expect_code(2)
            .says("no configuration releases small")
            .says("ledger: git");
    }
}

#[test]
fn configuration_with_errors_is_named_where_no_other_releases_the_prompt() {
    let suite = Suite::new(ALONE).with_two();
    let whole = suite.folder.read("promptgate.yaml");
    suite.folder.write("promptgate.yaml", &whole.replace("ledger: {", "ledgers: {"));
    suite
        .run(&["rollout", "status", NAME])
        .expect_code(2)
        .says("no configuration releases support/reply: promptgate.yaml has errors")
        .says("promptgate check promptgate.yaml")
        .says("unknown key `ledgers`");
    // Its errors do not matter to a prompt of another one, nor to a name that is nearly right.
    suite.folder.write("elsewhere/promptgate.yaml", &whole.replace("path: ledger", "path: ../ledger"));
    suite.run(&["status", NAME]).expect_code(0);
    suite.run(&["rollout", "status", "support/replay"]).expect_code(2).says("did you mean support/reply?");
}

#[test]
fn damaged_ledger_stops_every_command() {
    let suite = Suite::new(ALONE).with_two();
    suite.edit(CHANGES[1], "days were missing");
    suite.evaluate();
    let path = "ledger/events/support/reply.jsonl";
    let whole = suite.folder.read(path);
    let lines: Vec<&str> = whole.lines().collect();
    let middle = lines.len() / 2;
    let without = [&lines[..middle], &lines[middle + 1..]].concat().join("\n") + "\n";
    let swapped = whole.replacen("\"carol\"", "\"mallory\"", 1).replacen("\"unknown\"", "\"mallory\"", 1);
    let broken = lines.iter().enumerate().map(|(at, line)| if at == middle { "{" } else { line });
    let broken = broken.collect::<Vec<_>>().join("\n") + "\n";
    for damaged in [without, swapped, broken] {
        assert_ne!(damaged, whole);
        suite.folder.write(path, &damaged);
        let before = suite.ledger();
        for arguments in [
            &["publish", "--report", REPORT, "--allow-simulated"][..],
            &["promote", NAME, "--to", "production", "--allow-simulated"],
            &["rollback", NAME, "--reason", "x"],
            &["approve", NAME, "1.1.0"],
        ] {
            suite.run(arguments).expect_code(12).says("promptgate log --verify");
        }
        suite.run(&["log", "--verify"]).expect_code(10);
        assert_eq!(suite.ledger(), before);
    }
    suite.folder.write(path, &whole);
    suite.publish().expect_code(0);
}

#[test]
fn ledger_that_cannot_be_reached_stops_all_but_a_rollback_at_the_registry() {
    let langfuse = Langfuse::start();
    let suite = on_branch_and_langfuse(&langfuse).with_two();
    suite.release(CHANGES[1], "days were missing");
    suite.serve("1.2.0");
    let remote = suite.remote.clone().unwrap();
    let away = remote.with_extension("away");
    std::fs::rename(&remote, &away).unwrap();
    suite.promote("1.1.0", "staging", &[]).expect_code(12).says("origin");
    suite.publish().expect_code(12);
    suite
        .rollback(&[])
        .expect_code(0)
        .says("moved back from 1.2.0 to 1.1.0")
        .says("its last known state is used")
        .says("pending event:");
    assert_eq!(langfuse.holders("production"), [2]);
    // The second one knows of the first.
    suite.rollback(&[]).expect_code(0).says("moved back from 1.1.0 to 1.0.0");
    assert_eq!(langfuse.holders("production"), [1]);
    std::fs::rename(&away, &remote).unwrap();
    // The next command that writes appends them, and promotes nothing that was rolled back.
    suite
        .promote("1.2.0", "production", &[])
        .expect_code(10)
        .says("appended 2 pending events")
        .says("was rolled back");
    assert_eq!((suite.label("production"), langfuse.holders("production")), ("1.0.0".to_owned(), vec![1]));
    assert_eq!(suite.events("moved").iter().filter(|event| event["cause"] == "rollback").count(), 2);
    suite.run(&["reconcile", "--check"]).expect_code(0);
}

#[test]
fn pending_rollback_never_undoes_a_newer_promotion() {
    let langfuse = Langfuse::start();
    let suite = on_branch_and_langfuse(&langfuse).with_two();
    let mut other = suite.clone_of();
    other.in_job("push", "dave");
    let remote = suite.remote.clone().unwrap();
    let away = remote.with_extension("away");
    std::fs::rename(&remote, &away).unwrap();
    suite.rollback(&[]).expect_code(0).says("pending event:");
    std::fs::rename(&away, &remote).unwrap();
    // Somebody else finds the label there, and promotes it again.
    other
        .promote("1.1.0", "production", &["--again", "--reason", "it was the network"])
        .expect_code(0)
        .says("recorded as a rollback");
    suite.publish().expect_code(0).says("1 came too late: the ledger has newer moves");
    assert_eq!((suite.label("production"), langfuse.holders("production")), ("1.1.0".to_owned(), vec![2]));
}

#[test]
fn server_that_declines_the_push_stops_at_once_with_its_message() {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.edit(FIRST, "first");
    suite.evaluate();
    let hook = suite.remote.as_ref().unwrap().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'branch rules: only the deploy key may push' >&2\nexit 1\n")
        .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    suite.publish().expect_code(12).says("only the deploy key may push").says("allow this key");
    std::fs::remove_file(&hook).unwrap();
    suite.publish().expect_code(0).says("published 1.0.0");
}

#[test]
fn pull_brings_the_version_of_the_registry_for_review() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    suite.run(&["pull", NAME]).expect_code(0).says("is 1.1.0, which was published from git; nothing to pull");
    langfuse.server.edit(|prompts| {
        prompts.version_mut(NAME, 2).unwrap().prompt =
            format!("{} Be kind.\n\n{{{{context}}}}", CHANGES[0]).into();
    });
    let before = suite.folder.read("prompt.md");
    suite.run(&["pull", NAME, "--dry-run"]).expect_code(0).says("would be written to");
    assert_eq!(suite.folder.read("prompt.md"), before);
    suite.run(&["pull", NAME]).expect_code(0).says("written to");
    assert!(suite.folder.read("prompt.md").contains("Be kind."), "{}", suite.folder.read("prompt.md"));
    let branch = ["pull", NAME, "--branch", "pulled"];
    suite
        .run_with(&[("LANGFUSE_SECRET_KEY", "")], &branch)
        .expect_code(2)
        .says("LANGFUSE_SECRET_KEY is not set");
}

#[test]
fn pulled_version_becomes_a_commit_of_its_author() {
    let langfuse = Langfuse::start();
    let suite = on_branch_and_langfuse(&langfuse).with_two();
    langfuse.server.edit(|prompts| {
        let version = prompts.version_mut(NAME, 2).unwrap();
        version.prompt = format!("{} Be kind.\n\n{{{{context}}}}", CHANGES[0]).into();
    });
    let head = suite.folder.git(&["rev-parse", "HEAD"]);
    let pulled = suite.json(0, &["pull", NAME, "--branch", "pulled"]);
    assert_eq!((&pulled["result"], &pulled["branch"]), (&"branch".into(), &"pulled".into()));
    assert_eq!(pulled["commit"], suite.folder.git(&["rev-parse", "pulled"]));
    // The work tree and main are as they were: a pull request is for people.
    assert_eq!(suite.folder.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(suite.folder.git(&["status", "--porcelain"]), "");
    assert_eq!(suite.folder.git(&["diff", "--name-only", "main", "pulled"]), "prompt.md");
    assert!(suite.folder.git(&["show", "pulled:prompt.md"]).contains("Be kind."));
    suite.run(&["pull", NAME, "--branch", "pulled"]).expect_code(2).says("pulled");
}

/// A ledger on a branch, a fake Langfuse, and a job of main.
fn on_branch_and_langfuse(langfuse: &Langfuse) -> Suite {
    let registry = format!("registry: {{langfuse: {{base_url: \"{}\"}}}}", langfuse.server.base_url());
    let mut suite = Suite::on_branch(&format!("{registry}, {ALONE}"));
    suite.set("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY);
    suite.set("LANGFUSE_SECRET_KEY", SECRET_KEY);
    suite.in_job("push", "carol");
    suite
}
