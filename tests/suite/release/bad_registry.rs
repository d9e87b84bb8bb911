//! A registry that is down, slow, refuses, or answers something else.

use promptgate_simulated::fake_langfuse::{Fault, FaultAction, VIEWER_SECRET_KEY};

use super::support::{ALONE, CHANGES, FIRST, Langfuse, NAME, REPORT, Suite};
use crate::support::Canned;

fn staged() -> (Langfuse, Suite) {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE);
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("", "staging", &[]).expect_code(0);
    (langfuse, suite)
}

#[test]
fn label_that_was_not_moved_is_moved_by_the_next_call() {
    let status = |status, retry_after| FaultAction::Status { status, retry_after };
    let faults: [(&str, &str, &dyn Fn() -> FaultAction); 8] = [
        ("GET", "401", &|| status(401, None)),
        ("PATCH", "403", &|| status(403, None)),
        ("PATCH", "the registry changed since it was read", &|| status(409, None)),
        ("PATCH", "429", &|| status(429, Some(60))),
        ("GET", "429", &|| status(429, Some(60))),
        ("GET", "the answer is text/html, not JSON", &|| FaultAction::Html),
        ("PATCH", "the answer is text/html, not JSON", &|| FaultAction::Html),
        ("GET", "the answer is not the expected JSON", &|| FaultAction::CutJson),
    ];
    for (method, said, fault) in faults {
        let (langfuse, suite) = staged();
        langfuse
            .server
            .inject(Fault { method: if method == "GET" { "GET" } else { "PATCH" }, action: fault() });
        let outcome = suite.promote("", "production", &[]);
        let outcome = outcome.expect_code(12).says(said);
        assert!(outcome.stderr.contains("error: "), "{}", outcome.stderr);
        assert_eq!(langfuse.holders("production"), [1]);
        assert_eq!(suite.label("production"), "1.0.0");
        suite.promote("1.1.0", "production", &[]).expect_code(0);
        assert_eq!(
            (langfuse.holders("production"), suite.label("production")),
            (vec![2], "1.1.0".to_owned())
        );
    }
}

#[test]
fn answer_that_is_lost_is_no_second_version() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE);
    suite.edit(FIRST, "first");
    suite.evaluate();
    langfuse.server.inject(Fault { method: "POST", action: FaultAction::LostAnswer });
    suite.publish();
    suite.publish().expect_code(0);
    assert_eq!(langfuse.count(), 1);
    langfuse.server.inject(Fault { method: "PATCH", action: FaultAction::LostAnswer });
    suite.promote("", "staging", &[]).expect_code(0);
    assert_eq!(langfuse.holders("staging"), [1]);
}

#[test]
fn registry_that_is_down_fails_each_command_and_changes_nothing() {
    let (langfuse, suite) = staged();
    drop(langfuse);
    let before = suite.ledger();
    for arguments in [
        &["rollback", NAME, "--label", "staging", "--reason", "x"][..],
        &["promote", NAME, "--to", "production", "--allow-simulated"],
        &["reconcile"],
        &["reconcile", "--check"],
        &["pull", NAME],
    ] {
        let outcome = suite.run(arguments).expect_code(12);
        assert!(outcome.stderr.contains("127.0.0.1"), "{arguments:?}: {}", outcome.stderr);
    }
    assert_eq!(suite.ledger(), before);
    // What is read is read from the ledger.
    suite.run(&["status"]).expect_code(0);
    suite.run(&["show", "support/reply@production"]).expect_code(0);
}

#[test]
fn registry_that_does_not_answer_is_given_up() {
    let (langfuse, suite) = staged();
    langfuse.server.inject(Fault { method: "PATCH", action: FaultAction::Hang });
    suite.promote("", "production", &[]).expect_code(12).says("no complete answer within 15 s");
    assert_eq!(langfuse.holders("production"), [1]);
    // A rollback takes the label to where it was, whatever was begun.
    suite.run(&["reconcile"]).expect_code(0);
    suite.rollback(&[]).expect_code(0);
    assert_eq!((langfuse.holders("production"), suite.label("production")), (vec![1], "1.0.0".to_owned()));
}

#[test]
fn keys_that_are_missing_or_wrong_are_named_and_never_shown() {
    let (langfuse, mut suite) = staged();
    let promote = ["promote", NAME, "--to", "production", "--allow-simulated"];
    for (name, value, code, said) in [
        ("LANGFUSE_SECRET_KEY", "", 2, "LANGFUSE_SECRET_KEY is not set"),
        ("LANGFUSE_PUBLIC_KEY", "", 2, "LANGFUSE_PUBLIC_KEY is not set"),
        ("LANGFUSE_SECRET_KEY", "sk-lf-somebody-else-0123", 12, "401"),
        ("LANGFUSE_SECRET_KEY", VIEWER_SECRET_KEY, 12, "403"),
    ] {
        let outcome = suite.run_with(&[(name, value)], &promote).expect_code(code).says(said);
        assert!(value.is_empty() || !outcome.text().contains(value), "{}", outcome.text());
    }
    assert_eq!(langfuse.holders("production"), [1]);
    // Another server answers.
    let page = Canned::answering("200 OK", "text/html", "<!doctype html><title>Welcome</title>");
    let address = page.base_url.trim_end_matches("/v1");
    suite.folder.edit("promptgate.yaml", &langfuse.server.base_url(), address);
    suite.run(&promote).expect_code(12).says("text/html, not JSON");
    suite.unset("LANGFUSE_SECRET_KEY");
    suite
        .run(&["publish", "--report", REPORT, "--allow-simulated"])
        .expect_code(2)
        .says("LANGFUSE_SECRET_KEY is not set");
}
