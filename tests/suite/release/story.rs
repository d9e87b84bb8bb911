//! Stories of releases, from the first version on.

use super::support::{ALONE, CHANGES, FIRST, Langfuse, NAME, REPORT, Suite, run_example};
use crate::support::finish;

#[test]
fn offline_example_goes_from_edit_to_rollback() {
    let outcome = run_example("offline.sh");
    for line in [
        "support/reply: published 1.0.0, a major change",
        "0 of 1 approvals",
        "support/reply: 1.0.0 (ff42877945c8) approved by bob",
        "support/reply: production moved for the first time to 1.0.0",
        "support/reply: published 1.1.0, a minor change",
        "support/reply: production moved from 1.0.0 to 1.1.0",
        "support/reply: not published",
        "support/reply: production moved back from 1.1.0 to 1.0.0",
        "in at most three sentences",
        "10 events of 2 versions",
    ] {
        assert!(outcome.stdout.contains(line), "no {line:?} in:\n{}", outcome.stdout);
    }
}

#[test]
fn first_version_waits_for_somebody_else() {
    let mut suite = Suite::on_branch("approvers: [bob]");
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    suite.promote("", "staging", &[]).expect_code(0).says("staging moved for the first time to 1.0.0");
    suite
        .promote("", "production", &[])
        .expect_code(11)
        .says("0 of 1 approvals")
        .says("approve support/reply 1.0.0");
    assert_eq!(suite.label("production"), "");
    // Nobody can claim to be bob, and the author does not approve.
    let local = suite.folder.command(&["approve", NAME, "1.0.0"]);
    let mut claimed = local;
    claimed.env("USER", "bob");
    finish(claimed).expect_code(10).says("nobody can verify the login here");
    assert_eq!(suite.events("approved").len(), 0);
}

#[test]
fn serving_version_is_adopted_without_evidence() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE);
    // Somebody wrote it in the registry, and it serves.
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.publish().expect_code(0);
    let stored = langfuse.saved();
    std::fs::remove_dir_all(suite.folder.path().join("ledger")).unwrap();
    langfuse.server.edit(|prompts| {
        *prompts = stored;
        let version = prompts.version_mut(NAME, 1).unwrap();
        version.config = serde_json::json!({"model": "tiny", "temperature": 0});
        version.labels = vec!["latest".to_owned(), "production".to_owned()];
    });
    suite
        .run(&["reconcile", "--check"])
        .expect_code(10)
        .says("which promptgate did not publish")
        .says("--adopt");
    assert_eq!(suite.ledger(), Vec::new(), "nothing was written");
    suite.run(&["reconcile"]).expect_code(10).says("--adopt");
    suite.run(&["reconcile", "--adopt"]).expect_code(0).says("recorded without evidence");
    suite.run(&["reconcile", "--check"]).expect_code(0).says("the registry agrees with the ledger");
    assert_eq!(suite.label("production"), "1.0.0");
    assert_eq!(suite.events("published")[0]["adopted"], true);
    suite
        .run(&["show", "support/reply@production"])
        .expect_code(0)
        .says("adopted: it served before, without evidence");
    // The next version is compared with it, and it can be returned to.
    suite.release(CHANGES[0], "plans were missing");
    suite.serve("");
    assert_eq!(langfuse.holders("production"), [2]);
    suite.rollback(&[]).expect_code(0).says("to 1.0.0");
    assert_eq!(langfuse.holders("production"), [1]);
}

#[test]
fn hotfix_skips_the_hold_for_a_full_gate_and_an_approval() {
    let suite = Suite::new(&format!("approvers: [bob], staging: {{hold: 24h}}, {ALONE}"));
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("1.1.0", "production", &[]).expect_code(11).says("not on staging");
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(11).says("held on staging until").says("--skip-holds");
    suite.promote("", "production", &["--skip-holds"]).expect_code(2).says("--reason");
    let hotfix = ["--skip-holds", "--reason", "customers cannot pay"];
    suite.promote("", "production", &hotfix).expect_code(11).says("0 of 1 approvals");
    suite.run_with(&[("USER", "bob")], &["approve", NAME, "1.1.0"]).expect_code(0);
    suite
        .promote("", "production", &["--skip-holds", "--reason", " "])
        .expect_code(2)
        .says("expected a reason in words");
    suite.promote("", "production", &hotfix).expect_code(0);
    assert_eq!(suite.label("production"), "1.1.0");
    assert_eq!(suite.events("moved").last().unwrap()["reason"], "customers cannot pay");
}

#[test]
fn second_of_two_open_pull_requests_is_evaluated_again() {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    // Both start from 1.0.0, and are merged one after the other.
    suite.edit(CHANGES[0], "plans were missing");
    suite.evaluate();
    suite.publish().expect_code(0).says("published 1.1.0, a minor change");
    suite.edit(CHANGES[1], "days were missing");
    suite.evaluate();
    suite.publish().expect_code(0).says("published 1.2.0, a minor change");
    suite.serve("1.1.0");
    suite
        .promote("1.2.0", "staging", &[])
        .expect_code(11)
        .says("needs gate: the evaluation did not compare with 1.1.0")
        .says("promptgate run --candidate registry:support/reply@1.2.0 --baseline registry:support/reply@production");
    let again = [
        "run",
        "--offline",
        "--quiet",
        "--candidate",
        "registry:support/reply@1.2.0",
        "--baseline",
        "registry:support/reply@production",
    ];
    suite.run(&again).expect_code(0);
    suite.publish().expect_code(0).says("1.2.0 already has this content; the new evaluation was recorded");
    suite.publish().expect_code(0).says("nothing to record");
    suite.serve("1.2.0");
    assert_eq!(suite.label("production"), "1.2.0");
    assert_eq!(suite.events("evaluated").len(), 4);
}

#[test]
fn prompts_of_a_monorepo_are_released_apart() {
    let suite = Suite::on_branch(&format!("{ALONE}, approvers: [bob]"));
    for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
        suite.folder.write(&format!("triage/{name}"), &suite.folder.read(name));
    }
    suite.commit("Add a second prompt");
    let job = suite.job("push", "carol");
    let job: Vec<(&str, &str)> = job.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let at = |arguments: &[&str]| suite.run_with(&job, arguments);
    // Both would write the same versions.
    for config in [".", "triage"] {
        at(&["check", config]).expect_code(2).says("releases the name support/reply as well");
    }
    at(&["rollback", NAME, "--reason", "x"]).expect_code(2);
    suite.folder.edit("triage/promptgate.yaml", "name: support/reply", "name: support/triage");
    suite.write("reason: first", FIRST);
    suite.folder.write("triage/prompt.md", &suite.folder.read("prompt.md"));
    suite.commit("Name the second prompt");
    for config in [".", "triage"] {
        at(&["check", config]).expect_code(0);
        at(&["run", config, "--offline", "--quiet"]).expect_code(0);
        at(&["publish", config, "--report", REPORT, "--allow-simulated"])
            .expect_code(0)
            .says("published 1.0.0");
    }
    for to in ["staging", "production"] {
        at(&["promote", "support/triage", "--to", to, "--allow-simulated"]).expect_code(0);
    }
    at(&["log", "--verify"]).expect_code(0).says("support/reply: 2 events").says("support/triage: 4 events");
    at(&["promote", "support/traige", "--to", "staging"]).expect_code(2).says("did you mean support/triage?");
    // A report of the other prompt is of this content as well, and still another prompt's.
    at(&["publish", ".", "--report", REPORT, "--allow-simulated"])
        .expect_code(2)
        .says("of the prompt support/triage");
}

#[test]
fn rollbacks_go_back_one_after_the_other() {
    for langfuse in [None, Some(Langfuse::start())] {
        let suite = match &langfuse {
            Some(langfuse) => Suite::on_langfuse(langfuse, ALONE),
            None => Suite::new(ALONE),
        };
        let suite = suite.with_two();
        suite.release(CHANGES[1], "days were missing");
        suite.serve("1.2.0");
        suite
            .rollback(&[])
            .expect_code(0)
            .says("moved back from 1.2.0 to 1.1.0")
            .says("applications follow within");
        // `serve` reads a ledger in a folder every second.
        let bound = if langfuse.is_some() { "within 60 s" } else { "within 61 s" };
        suite.rollback(&[]).expect_code(0).says("moved back from 1.1.0 to 1.0.0").says(bound);
        suite.rollback(&[]).expect_code(2).says("no earlier version is left");
        assert_eq!(suite.label("production"), "1.0.0");
        // 1.1.0 was rolled back itself.
        suite.rollback(&["--to", "1.1.0"]).expect_code(2).says("was itself rolled back").says("--again");
        suite.rollback(&["--to", "1.0.0"]).expect_code(2).says("already points at version 1.0.0");
        if let Some(langfuse) = &langfuse {
            assert_eq!(langfuse.holders("production"), [1]);
        }
        suite.promote("1.2.0", "production", &[]).expect_code(10).says("was rolled back").says("--again");
        suite.promote("1.2.0", "production", &["--again"]).expect_code(2).says("--reason");
        let again = ["--again", "--reason", "it was the network"];
        // Its evaluation compared with 1.1.0.
        suite.promote("1.2.0", "production", &again).expect_code(11).says("did not compare with 1.0.0");
        let evaluate = ["run", "--offline", "--quiet", "--candidate", "registry:support/reply@1.2.0"];
        suite.run(&evaluate).expect_code(0);
        suite.publish().expect_code(0).says("the new evaluation was recorded");
        suite.promote("1.2.0", "production", &again).expect_code(0);
        assert_eq!(suite.label("production"), "1.2.0");
    }
}

#[test]
fn promotion_below_production_says_rollback() {
    let suite = Suite::new(ALONE).with_two();
    for to in ["staging", "production"] {
        suite
            .promote("1.0.0", to, &[])
            .expect_code(10)
            .says("older than 1.1.0: use rollback to return to it")
            .says("promptgate rollback support/reply --to 1.0.0 --reason TEXT");
    }
    suite.promote("1.1.0", "production", &[]).expect_code(0).says("already points at 1.1.0");
    assert_eq!(suite.label("production"), "1.1.0");
}

#[test]
fn reconcile_restores_what_the_registry_lost() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    suite.run(&["reconcile", "--check"]).expect_code(0);
    // The newest version is gone, and its labels with it.
    langfuse.server.edit(|prompts| prompts.versions.get_mut(NAME).unwrap().truncate(1));
    let before = suite.ledger();
    let found = suite.run(&["reconcile", "--check"]).expect_code(10);
    let found = found.says("version 1.1.0 is not in the registry").says("repair: created");
    found.says("production is on no version, expected 1.1.0");
    assert_eq!(suite.ledger(), before, "--check writes nothing");
    assert_eq!(langfuse.count(), 1);
    suite.run(&["reconcile"]).expect_code(0).says("done: created").says("done: moved to 1.1.0");
    suite.run(&["reconcile", "--check"]).expect_code(0);
    assert_eq!((langfuse.holders("production"), langfuse.count()), (vec![2], 2));
    // Two holders, as two moves at the same time leave them.
    langfuse.server.edit(|prompts| prompts.force_label(NAME, 1, "staging"));
    suite
        .run(&["reconcile", "--check"])
        .expect_code(10)
        .says("staging is on 1.1.0 and 1.0.0, expected 1.1.0");
    suite.run(&["reconcile"]).expect_code(0);
    assert_eq!(langfuse.holders("staging"), [2]);
    // Somebody moved it back in the web interface: that is a rollback.
    langfuse.server.edit(|prompts| prompts.move_label(NAME, 1, "production"));
    suite.run(&["reconcile"]).expect_code(0).says("recorded as a rollback");
    assert_eq!(suite.label("production"), "1.0.0");
    assert_eq!(langfuse.holders("production"), [1]);
    assert_eq!(suite.events("moved").last().unwrap()["cause"], "rollback");
}
