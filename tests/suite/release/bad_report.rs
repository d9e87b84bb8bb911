//! Reports that are no evidence, and prompts that cannot be published.

use serde_json::{Value, json};

use super::regraded::{forgeries, regraded};
use super::support::{ALONE, CHANGES, FIRST, REPORT, Suite};
use crate::support::{KEY, MockServer};

/// 1.0.0 in production, and a report of a change of it.
fn evaluated() -> Suite {
    let suite = Suite::new(ALONE);
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.edit(CHANGES[0], "plans were missing");
    suite.evaluate();
    suite
}

/// A change of a report.
type Edit<'a> = &'a dyn Fn(&mut Value);

/// Publishes the report with an edit.
fn publish_edited(suite: &Suite, edit: impl Fn(&mut Value)) -> crate::support::Outcome {
    let mut report: Value = serde_json::from_str(&suite.folder.read(REPORT)).expect("JSON");
    edit(&mut report);
    suite.folder.write("edited.json", &report.to_string());
    suite.run(&["publish", "--report", "edited.json", "--allow-simulated"])
}

fn set_verdict(report: &mut Value, verdict: &str) {
    *report = regraded(report, verdict);
}

/// The grades decide, whatever the words of a report say.
#[test]
fn forged_verdict_publishes_nothing() {
    let suite = evaluated();
    let before = suite.ledger();
    let report: Value = serde_json::from_str(&suite.folder.read(REPORT)).expect("JSON");
    for verdict in ["fail", "inconclusive", "incomplete"] {
        let honest = regraded(&report, verdict);
        let forged = forgeries(&honest);
        let last = forged.len() - 1;
        for (index, forged) in forged.into_iter().enumerate() {
            println!("{verdict}: forgery {index}");
            let outcome = publish_edited(&suite, |report| *report = forged.clone()).expect_code(2);
            if index == last && verdict != "incomplete" {
                outcome.says(&format!("`verdict` is pass, and its grades decide {verdict}"));
            }
        }
    }
    // Words worse than the grades are none either.
    let words = |report: &mut Value| report["metrics"][0]["candidate"]["mean"] = json!(0.1);
    publish_edited(&suite, words).expect_code(2).says("and its grades give");
    assert_eq!(suite.ledger(), before);
    suite.promote("1.1.0", "production", &[]).expect_code(2);
}

#[test]
fn report_that_is_no_evidence_publishes_nothing() {
    let suite = evaluated();
    let before = suite.ledger();
    let other = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let cases: [(&str, i32, &str, Edit<'_>); 13] = [
        ("digest", 10, "of different content", &|report| {
            report["variants"]["candidate"]["content_digest"] = json!(other);
        }),
        ("baseline", 10, "did not compare with 1.0.0", &|report| {
            report["variants"]["baseline"]["content_digest"] = json!(other);
        }),
        ("dataset", 2, "over other cases than those of the suite", &|report| {
            report["dataset"]["digest"] = json!(other);
        }),
        ("fail", 10, "the gate failed", &|report| set_verdict(report, "fail")),
        ("inconclusive", 10, "the gate could not decide", &|report| set_verdict(report, "inconclusive")),
        ("incomplete", 10, "the evaluation is incomplete", &|report| set_verdict(report, "incomplete")),
        ("unchanged", 2, "`verdict` is unchanged, but", &|report| report["verdict"] = json!("unchanged")),
        ("forged verdict", 2, "`verdict` is pass, but criterion", &|report| {
            report["criteria"][0]["verdict"] = json!("fail");
        }),
        ("forged end", 2, "`verdict` is pass, but the run ended", &|report| {
            report["ended"]["kind"] = json!("interrupted")
        }),
        ("other name", 2, "is of the prompt other/prompt", &|report| {
            report["release"]["name"] = json!("other/prompt");
        }),
        ("future", 2, "ended in the future", &|report| report["started_at"] = json!("2999-01-01T00:00:00Z")),
        ("no release", 2, "without `release:`", &|report| report["release"] = Value::Null),
        ("no digest", 2, "which content was evaluated", &|report| {
            report["variants"]["candidate"]["content_digest"] = Value::Null;
        }),
    ];
    for (what, code, said, edit) in cases {
        println!("{what}");
        publish_edited(&suite, edit).expect_code(code).says(said);
    }
    let whole = suite.folder.read(REPORT);
    for text in [&whole[..whole.len() / 2], "", "{}", "<!doctype html><title>Sign in</title>"] {
        suite.folder.write("edited.json", text);
        suite
            .run(&["publish", "--report", "edited.json", "--allow-simulated"])
            .expect_code(2)
            .says("edited.json");
    }
    suite.run(&["publish", "--report", "missing.json"]).expect_code(2).says("missing.json");
    suite.run(&["publish", "--report", REPORT]).expect_code(10).says("simulated");
    assert_eq!(suite.ledger(), before);
    publish_edited(&suite, |_| {}).expect_code(0).says("published 1.1.0");
}

#[test]
fn narrowed_run_is_refused() {
    let suite = Suite::new(ALONE);
    suite.edit(FIRST, "first");
    for flags in [&["--filter", "case-1"][..], &["--min", "relevance=0.1"]] {
        suite.run(&[&["run", "--offline", "--quiet"], flags].concat());
        let outcome = suite.publish().expect_code(2);
        assert!(
            outcome.text().contains("a part of the suite") || outcome.text().contains("over other cases"),
            "{}",
            outcome.text()
        );
    }
    assert_eq!(suite.ledger(), Vec::new());
    // Without a judge, the checks alone were examined: not enough for a first version.
    suite.run(&["run", "--offline", "--quiet", "--no-judge"]).expect_code(0);
    suite.publish().expect_code(0);
    suite
        .promote("", "staging", &[])
        .expect_code(11)
        .says("only checks were evaluated; a major change requires the full gate");
}

#[test]
fn claims_that_do_not_hold_publish_nothing() {
    let suite = evaluated();
    suite.publish().expect_code(0).says("published 1.1.0");
    suite.write("reason: days were missing", CHANGES[1]);
    suite.evaluate();
    let before = suite.ledger();
    for (front, place, said) in [
        ("name: reply", "prompt.md", "it does not say why"),
        ("reason: x\nlevel: patch", "prompt.md:3:8", "`level: patch` is too low: compared with 1.0.0"),
        ("reason: x\nversion: 1.0.1", "prompt.md:3:10", "is below 1.1.0"),
        ("reason: x\nversion: 1.1.0", "prompt.md:3:10", "is already published with different content"),
        ("reason: x\nversion: v2", "prompt.md:3:10", "expected three numbers like 2.4.0"),
    ] {
        suite.write(front, CHANGES[1]);
        // `check` and `publish` say the same.
        for arguments in [&["check"][..], &["publish", "--report", REPORT, "--allow-simulated"]] {
            let outcome = suite.run(arguments).expect_code(2).says(said);
            assert!(outcome.stderr.contains(place), "{front}: {}", outcome.stderr);
        }
    }
    assert_eq!(suite.ledger(), before);
    suite.write("reason: x\nversion: 3.0.0", CHANGES[1]);
    suite.publish().expect_code(0).says("published 3.0.0, a major change");
    // It is there: nothing new, whatever is claimed by now.
    suite.write("reason: x\nversion: 1.1.0", CHANGES[1]);
    suite.publish().expect_code(0).says("3.0.0 already has this content and this evaluation");
}

#[test]
fn files_that_differ_from_the_commit_are_not_published() {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.edit(FIRST, "first");
    suite.write("reason: not committed", CHANGES[0]);
    suite.evaluate();
    suite.publish().expect_code(2).says("prompt.md").says("commit");
    suite.edit(FIRST, "first again");
    suite.evaluate();
    suite.folder.append("promptgate.yaml", "# a comment\n");
    suite.publish().expect_code(2).says("promptgate.yaml");
    assert_eq!(suite.events_or_none(), 0);
}

#[test]
fn evaluation_of_an_endpoint_needs_no_allowance() {
    let server = MockServer::start(&[]);
    let mut suite = Suite::new(ALONE);
    suite.set("OPENAI_BASE_URL", &server.base_url);
    suite.set("OPENAI_API_KEY", KEY);
    suite.edit(FIRST, "first");
    suite.run(&["run", "--quiet"]).expect_code(0);
    suite.run(&["publish", "--report", REPORT]).expect_code(0).says("published 1.0.0");
    for to in ["staging", "production"] {
        suite.run(&["promote", "support/reply", "--to", to]).expect_code(0);
    }
    assert_eq!(suite.label("production"), "1.0.0");
    let evaluated = suite.events("evaluated");
    let evidence = &evaluated[0]["evidence"];
    assert_ne!(evidence["simulated"], json!(true));
    assert_eq!(evidence["verdict"], "pass");
}
