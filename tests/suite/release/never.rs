//! Moves that must never happen: without evidence, for a pull request, onto a changed version, or undoing a rollback.

use jiff::{SignedDuration, Timestamp};
use promptgate_adapters::ledger;
use promptgate_release::ports::{Addition, LedgerStore as _};
use promptgate_release::{Actor, ActorSource, Event, EventKind, Label, MoveCause, Name, Version};
use serde_json::Value;

use super::support::{ALONE, CHANGES, FIRST, Langfuse, NAME, REPORT, Suite};
use crate::support::KEY;

#[test]
fn label_moves_only_with_evidence() {
    let suite = Suite::new(ALONE);
    suite.edit(FIRST, "first");
    suite.evaluate();
    let report = suite.folder.read(REPORT);
    suite.publish().expect_code(0);
    let before = suite.ledger();
    // Without --allow-simulated, a simulated evaluation is none.
    let promote = ["promote", NAME, "--to", "staging"];
    suite.run(&promote).expect_code(10).says("the evaluation used the simulated model");
    suite.run(&["publish", "--report", REPORT]).expect_code(10).says("simulated model");
    // The report of one content is not one of another.
    suite.edit(CHANGES[0], "plans were missing");
    suite.publish().expect_code(10).says("the evaluation is of different content");
    assert_eq!(suite.ledger(), before);
    // Nor does an old evaluation replace a newer one.
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.publish().expect_code(0).says("the new evaluation was recorded");
    let newest = suite.json(0, &["show", "support/reply@1.0.0"])["evidence"].clone();
    suite.folder.write("old.json", &report);
    suite.run(&["publish", "--report", "old.json", "--allow-simulated"]).expect_code(0);
    assert_eq!(suite.json(0, &["show", "support/reply@1.0.0"])["evidence"], newest);
}

#[test]
fn pull_request_neither_publishes_nor_promotes() {
    // It has everything: the repository, and the right to push to the ledger.
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("pull_request", "mallory");
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.publish().expect_code(10).says("ran in a job outside the default branch");
    suite.in_job("push", "carol");
    suite.publish().expect_code(0);
    let before = suite.ledger();
    suite.in_job("pull_request", "mallory");
    for to in ["staging", "production"] {
        suite.promote("1.0.0", to, &[]).expect_code(10).says("jobs of pull requests and other branches");
    }
    suite.run(&["approve", NAME, "1.0.0"]).expect_code(10);
    assert_eq!(suite.ledger(), before);
    // A push to another branch is no better, nor is a process outside CI.
    suite.in_job("push", "mallory");
    suite.set("GITHUB_REF", "refs/heads/feature");
    suite.promote("1.0.0", "staging", &[]).expect_code(10).says("other branches");
    suite.edit(CHANGES[0], "plans were missing");
    suite.evaluate();
    suite.publish().expect_code(10);
    suite.set("GITHUB_ACTIONS", "false");
    let local = suite.publish().expect_code(10);
    local.says("the evaluation ran on somebody's machine").says("`ledger: {path: .promptgate/ledger}`");
}

#[test]
fn job_of_a_pull_request_is_no_evidence_in_a_folder_either() {
    let mut suite = Suite::new(ALONE);
    suite.in_job("pull_request", "mallory");
    suite.edit(FIRST, "first");
    suite.evaluate();
    // Everybody can write this ledger, so the event is kept with its source.
    suite.publish().expect_code(0);
    suite.set("GITHUB_ACTIONS", "false");
    suite.promote("", "staging", &[]).expect_code(11).says("ran in a job outside the default branch");
    assert_eq!(suite.label("staging"), "");
}

#[test]
fn evidence_of_another_commit_does_not_count() {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.folder.append("cases.jsonl", "\n");
    suite.folder.write("unrelated.txt", "x\n");
    suite.commit("Something else");
    // The content is the same, and what else changed is not known to have been evaluated.
    suite.publish().expect_code(10).says("the evaluation is of another commit");
}

#[test]
fn report_that_is_older_than_the_recorded_evaluation_is_not_recorded() {
    let suite = Suite::new(ALONE);
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.publish().expect_code(0);
    let mut report: Value = serde_json::from_str(&suite.folder.read(REPORT)).expect("JSON");
    let started = report["started_at"].as_str().expect("a time");
    report["started_at"] = started.replacen("20", "19", 1).into(); // a century earlier
    suite.folder.write(REPORT, &report.to_string());
    let before = suite.ledger();
    suite.publish().expect_code(0).says("this report is older and was not recorded");
    let publish = ["publish", "--report", REPORT, "--allow-simulated"];
    assert_eq!(suite.json(0, &publish)["result"], "outdated");
    assert_eq!(suite.ledger(), before);
}

#[test]
fn clock_that_goes_back_moves_nothing() {
    let suite = Suite::new(&format!("staging: {{hold: 24h}}, {ALONE}"));
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("", "staging", &[]).expect_code(0);
    suite.promote("", "production", &[]).expect_code(11).says("held on staging until");
    // The clock of whoever moved it next was a year ahead, and now goes back.
    staged_in_a_year(&suite);
    suite.promote("1.1.0", "production", &[]).expect_code(11).says("held on staging until");
    // A second run of the same job changes nothing.
    let before = suite.ledger();
    suite.promote("", "staging", &[]).expect_code(0).says("already points at 1.1.0");
    suite.publish().expect_code(0).says("nothing to record");
    suite.promote("", "production", &[]).expect_code(11);
    assert_eq!(suite.ledger(), before);
}

/// Moves staging to 1.0.0 and back to 1.1.0, by a clock that is a year ahead.
fn staged_in_a_year(suite: &Suite) {
    let name: Name = NAME.parse().expect("a name");
    let at = Timestamp::now().checked_add(SignedDuration::from_hours(24 * 365)).expect("a time");
    let version = |text: &str| text.parse::<Version>().expect("a version");
    let moved = |from: &str, to: &str| Event {
        at,
        actor: Actor { login: "carol".to_owned(), source: ActorSource::Local, run: None },
        kind: EventKind::Moved {
            label: Label::Staging,
            from: Some(version(from)),
            version: version(to),
            cause: MoveCause::Promotion,
            reason: None,
        },
    };
    let events = vec![moved("1.1.0", "1.0.0"), moved("1.0.0", "1.1.0")];
    let ledger = ledger::Folder::new(suite.folder.path().join("ledger"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let tip = ledger.history(&name).await.expect("a history").tip;
        ledger
            .append(&name, &Addition { records: Vec::new(), events }, tip.as_ref())
            .await
            .expect("an append");
    });
}

#[test]
fn scheduled_promotion_does_not_undo_a_rollback() {
    for langfuse in [None, Some(Langfuse::start())] {
        let suite = match &langfuse {
            Some(langfuse) => Suite::on_langfuse(langfuse, ALONE),
            None => Suite::new(ALONE),
        };
        let mut suite = suite.with_two();
        suite.rollback(&[]).expect_code(0);
        suite.in_job("schedule", "carol");
        for version in ["", "1.1.0"] {
            suite.promote(version, "production", &[]).expect_code(10).says("was rolled back");
        }
        assert_eq!(suite.label("production"), "1.0.0");
        // Nor one that was made at the registry, by somebody who does not know promptgate.
        let Some(langfuse) = &langfuse else { continue };
        suite.unset("GITHUB_ACTIONS");
        suite.promote("1.1.0", "production", &["--again", "--reason", "fixed"]).expect_code(0);
        langfuse.server.edit(|prompts| prompts.move_label(NAME, 1, "production"));
        suite.in_job("schedule", "carol");
        suite
            .promote("", "production", &[])
            .expect_code(10)
            .says("recorded as a rollback")
            .says("was rolled back");
        assert_eq!(
            (suite.label("production"), langfuse.holders("production")),
            ("1.0.0".to_owned(), vec![1])
        );
    }
}

#[test]
fn rollback_goes_only_to_what_served() {
    let suite = Suite::new(ALONE);
    suite.release(FIRST, "first");
    suite.rollback(&[]).expect_code(2).says("the label points at no version");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("", "staging", &[]).expect_code(0);
    let before = suite.ledger();
    suite.rollback(&["--to", "1.1.0"]).expect_code(2).says("version 1.1.0 never held the label");
    suite.rollback(&["--to", "9.0.0"]).expect_code(2).says("version 9.0.0 never held the label");
    suite.rollback(&[]).expect_code(2).says("no earlier version is left");
    assert_eq!(suite.ledger(), before);
}

#[test]
fn changed_version_is_neither_served_nor_promoted() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    suite.release(CHANGES[1], "days were missing");
    let mutate = |version: u64, text: &str| {
        langfuse.server.edit(|prompts| {
            prompts.version_mut(NAME, version).unwrap().prompt = text.into();
        });
    };
    mutate(3, "Ignore the passages.");
    suite.promote("1.2.0", "staging", &[]).expect_code(12).says("was changed after it was published");
    suite.run(&["reconcile", "--check"]).expect_code(10).says("was changed after it was published");
    suite.run(&["reconcile"]).expect_code(10).says("this has to be repaired by hand");
    assert_eq!((langfuse.holders("staging"), suite.label("staging")), (vec![2], "1.1.0".to_owned()));
    // A rollback onto it would serve it.
    mutate(1, "Ignore the passages.");
    suite.rollback(&[]).expect_code(12).says("was changed after it was published");
    assert_eq!((langfuse.holders("production"), suite.label("production")), (vec![2], "1.1.0".to_owned()));
    // A changed version that serves is reported.
    mutate(2, "Ignore the passages.");
    suite.promote("1.1.0", "production", &[]).expect_code(12).says("was changed after it was published");
    // A record that was changed in the ledger is no better.
    let suite = Suite::new(ALONE).with_two();
    let record = "ledger/versions/support/reply/1.1.0.json";
    suite.folder.write(record, &suite.folder.read(record).replace("Name the plan", "Name the cat"));
    suite.run(&["get", "support/reply@production"]).expect_code(12);
    suite.promote("1.1.0", "staging", &["--dry-run"]).expect_code(12).says("restore the file");
}

#[test]
fn secret_is_not_published() {
    let mut suite = Suite::new(ALONE);
    suite.set("OPENAI_API_KEY", KEY);
    suite.set("OPENAI_BASE_URL", "http://127.0.0.1:1/v1");
    suite.edit(&format!("{FIRST} The key is {KEY}."), "first");
    suite.run(&["run", "--offline", "--quiet"]);
    let outcome = suite.publish().expect_code(2).says("the prompt holds a secret of this environment");
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
    assert_eq!(suite.ledger(), Vec::new());
    // In the reason it would be read by as many.
    suite.edit(FIRST, &format!("uses {KEY}"));
    suite.evaluate();
    let outcome = suite.publish().expect_code(2).says("holds a secret of this environment");
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.publish().expect_code(0);
    // So would it be in the reason of a move.
    suite
        .promote("", "staging", &["--reason", KEY])
        .expect_code(2)
        .says("holds a secret of this environment");
    // A rollback does not wait for another text.
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.serve("1.1.0");
    suite.run(&["rollback", NAME, "--reason", &format!("the key {KEY} leaked")]).expect_code(0);
    assert_eq!(suite.events("moved").last().unwrap()["reason"], "the key [redacted] leaked");
    for (path, bytes) in suite.ledger() {
        assert!(!String::from_utf8_lossy(&bytes).contains(KEY), "{path}");
    }
}

#[test]
fn nothing_is_ever_deleted_at_the_registry() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    suite.rollback(&[]).expect_code(0);
    langfuse.server.edit(|prompts| {
        prompts.force_label(NAME, 2, "production");
        prompts.move_label(NAME, 1, "staging");
    });
    suite.run(&["reconcile"]).expect_code(0);
    suite.run(&["reconcile", "--adopt"]).expect_code(0);
    suite.promote("1.1.0", "production", &["--again", "--reason", "fixed"]);
    let requests = langfuse.server.requests();
    assert!(requests.len() > 20, "{requests:?}");
    let methods = ["GET", "POST", "PATCH"];
    let other = requests.iter().find(|request| !methods.contains(&request.method.as_str()));
    assert_eq!(other, None);
    // A version is never created with a label that applications read.
    for created in requests.iter().filter(|request| request.method == "POST") {
        let labels = created.body["labels"].to_string();
        assert!(!labels.contains("production") && !labels.contains("staging"), "{labels}");
    }
}
