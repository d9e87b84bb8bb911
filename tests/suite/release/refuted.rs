//! Evaluations that did not pass, of versions that are published.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::regraded::regraded;
use super::support::{ALONE, CHANGES, FIRST, NAME, REPORT, Suite};
use crate::support::Outcome;

/// The last report with another verdict.
const AGAIN: &str = "again.json";

/// 1.0.0 in production, and 1.1.0, whose evaluation passed, on staging.
fn staged(suite: Suite) -> Suite {
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("1.1.0", "staging", &[]).expect_code(0);
    suite
}

/// Writes the last report as that of a run that began some minutes later and had the grades of this verdict.
pub(crate) fn write_later(suite: &Suite, minutes: i64, verdict: &str) -> Value {
    let mut report: Value = serde_json::from_str(&suite.folder.read(REPORT)).expect("JSON");
    let started: Timestamp = report["started_at"].as_str().expect("a time").parse().expect("a time");
    report["started_at"] = json!((started + SignedDuration::from_mins(minutes)).to_string());
    let report = regraded(&report, verdict);
    suite.folder.write(AGAIN, &report.to_string());
    report
}

/// Publishes such a report.
pub(crate) fn publish_later(suite: &Suite, minutes: i64, verdict: &str, flags: &[&str]) -> Outcome {
    write_later(suite, minutes, verdict);
    suite.run(&[&["publish", "--report", AGAIN, "--allow-simulated"], flags].concat())
}

fn on_branch() -> Suite {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite
}

#[test]
fn failed_evaluation_of_a_published_version_is_the_newest_one() {
    for (verdict, said, code) in
        [("fail", "the gate failed", 10), ("inconclusive", "needs gate: the gate could not decide", 11)]
    {
        for suite in [staged(Suite::new(ALONE)), staged(on_branch())] {
            let before = suite.ledger();
            publish_later(&suite, 1, verdict, &["--dry-run"]).expect_code(10).says("would be recorded");
            assert_eq!(suite.ledger(), before);
            publish_later(&suite, 1, verdict, &[])
                .expect_code(10)
                .says(said)
                .says("recorded as the newest evaluation of 1.1.0");
            let evaluated = suite.events("evaluated");
            assert_eq!((evaluated.len(), &evaluated[2]["evidence"]["verdict"]), (3, &verdict.into()));
            suite.promote("1.1.0", "production", &[]).expect_code(code).says(said);
            assert_eq!(suite.label("production"), "1.0.0");

            // The same report, and an older one, add nothing.
            let before = suite.ledger();
            let again = suite.json(10, &["publish", "--report", AGAIN, "--allow-simulated"]);
            assert_eq!((&again["result"], &again["version"]), (&"refused".into(), &Value::Null), "{again:#}");
            assert!(again["notes"].to_string().contains("1.1.0 already has this evaluation"), "{again:#}");
            publish_later(&suite, -60, verdict, &[]).expect_code(10).says("was not recorded");
            suite.publish().expect_code(0).says("a newer evaluation");
            assert_eq!(suite.ledger(), before);

            // One that passes later ends it.
            publish_later(&suite, 2, "pass", &[]).expect_code(0).says("the new evaluation was recorded");
            suite.promote("1.1.0", "production", &[]).expect_code(0);
        }
    }
}

#[test]
fn evaluation_that_is_no_evidence_does_not_count_against_a_version() {
    let suite = staged(Suite::new(ALONE));
    let before = suite.ledger();
    publish_later(&suite, 1, "incomplete", &[]).expect_code(10).says("the evaluation is incomplete");
    let other = format!("sha256:{}", "0123456789abcdef".repeat(4));
    for variant in ["candidate", "baseline"] {
        let mut report = write_later(&suite, 1, "fail");
        report["variants"][variant]["content_digest"] = json!(other);
        suite.folder.write(AGAIN, &report.to_string());
        suite.run(&["publish", "--report", AGAIN, "--allow-simulated"]).expect_code(10);
    }
    write_later(&suite, 1, "fail");
    suite.run(&["publish", "--report", AGAIN]).expect_code(10).says("simulated model");
    let pull_request: Vec<_> = suite.job("pull_request", "mallory");
    let variables: Vec<(&str, &str)> =
        pull_request.iter().map(|(name, value)| (*name, value.as_str())).collect();
    suite.run_with(&variables, &["publish", "--report", AGAIN, "--allow-simulated"]).expect_code(10);
    assert_eq!(suite.ledger(), before);
    suite.promote("1.1.0", "production", &[]).expect_code(0);
}

#[test]
fn pull_request_makes_no_evaluation_that_counts_against_a_version() {
    let mut suite = staged(on_branch());
    let before = suite.ledger();
    suite.in_job("pull_request", "mallory");
    publish_later(&suite, 1, "fail", &[]).expect_code(10).says("in a job outside the default branch");
    assert_eq!(suite.ledger(), before);
    // Nor does a machine outside CI, whose report says nothing to others.
    for (name, _) in suite.job("push", "carol") {
        suite.unset(name);
    }
    publish_later(&suite, 1, "fail", &[]).expect_code(10).says("on somebody's machine");
    assert_eq!(suite.ledger(), before);
    let status = suite.json(0, &["status", NAME, "--refresh"]);
    assert_eq!(status["prompts"][0]["labels"]["staging"]["version"], "1.1.0", "{status:#}");
}
