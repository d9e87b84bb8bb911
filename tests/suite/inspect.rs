//! `promptgate case` and `promptgate history` over saved reports.

use serde_json::Value;

use crate::support::{Folder, repository};

fn validates(schema: &str, document: &Value) {
    let path = repository().join(format!("schema/{schema}.schema.json"));
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

fn fixture(folder: &Folder, name: &str, to: &str) {
    let path = repository().join(format!("tests/fixtures/reports/{name}.json"));
    folder.write(to, &std::fs::read_to_string(path).expect("a report"));
}

#[test]
fn case_shows_both_answers_and_why_it_fails() {
    let folder = Folder::new();
    fixture(&folder, "fail", "promptgate-report/report.json");
    let outcome = folder.promptgate(&["case", "refund-002"]).expect_code(0);
    for part in [
        "refund-002 · broken",
        "question    ",
        "repeat 1    baseline ",
        "promptgate-report/report.json, case 2 of 6",
    ] {
        assert!(outcome.stdout.contains(part), "no {part:?} in\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 100), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
    let json =
        folder.promptgate(&["case", "refund-002", "promptgate-report", "--format", "json"]).expect_code(0);
    let case: Value = serde_json::from_str(&json.stdout).expect("JSON");
    validates("case-result", &case);
    let report = folder.report();
    assert_eq!(case["case"], report["cases"][1]);
    assert_eq!((&case["position"], &case["of"]), (&2.into(), &6.into()));
    let marks = case["marks"].as_array().expect("marks");
    assert_eq!(marks.len(), case["case"]["trials"].as_array().expect("trials").len());
    let failing = marks.iter().filter(|mark| mark["role"] == "candidate" && mark["passed"] == false).count();
    assert_eq!(failing, 3, "{marks:?}");
}

#[test]
fn case_without_a_baseline_has_the_status_of_the_table() {
    let folder = Folder::new();
    fixture(&folder, "no_baseline", "promptgate-report/report.json");
    let shown = |folder: &Folder| folder.promptgate(&["case", "refund-001"]).expect_code(0).stdout;
    assert!(shown(&folder).contains("refund-001 · passing"), "{}", shown(&folder));
    let mut report = folder.report();
    report["cases"][0]["failing"] = serde_json::json!(["faithfulness"]);
    report["cases"][0]["candidate_passes"]["passed"] = 0.into();
    folder.write("promptgate-report/report.json", &report.to_string());
    assert!(shown(&folder).contains("refund-001 · failing"), "{}", shown(&folder));
}

#[test]
fn report_takes_a_folder_and_by_default_the_last_one() {
    let folder = Folder::new();
    folder.promptgate(&["report"]).expect_code(2).says("no report of an earlier run").says("promptgate run");
    fixture(&folder, "fail", "promptgate-report/report.json");
    fixture(&folder, "pass", "other/report.json");
    assert!(folder.promptgate(&["report"]).expect_code(0).stdout.contains("FAIL"));
    for report in ["other", "other/report.json"] {
        assert!(folder.promptgate(&["report", report]).expect_code(0).stdout.contains("PASS"), "{report}");
    }
    folder.promptgate(&["report", "none"]).expect_code(2).says("cannot read this report");
}

#[test]
fn case_names_what_is_missing() {
    let folder = Folder::new();
    folder
        .promptgate(&["case", "a"])
        .expect_code(2)
        .says("no report of an earlier run")
        .says("promptgate run");
    folder.promptgate(&["case", "a", "none.json"]).expect_code(2).says("cannot read this report");
    fixture(&folder, "fail", "gate/report.json");
    folder.promptgate(&["case", "refund-02", "gate"]).expect_code(2).says("did you mean `refund-002`?");
    folder
        .promptgate(&["case", "refund", "gate"])
        .expect_code(2)
        .says("cases whose id contains it: refund-001");
    folder.write("gate/report.json", "[]");
    folder
        .promptgate(&["case", "refund-002", "gate/report.json"])
        .expect_code(2)
        .says("not a promptgate report");
}

#[test]
fn case_of_a_newer_partial_run_is_pointed_out() {
    let folder = Folder::new();
    fixture(&folder, "fail", "promptgate-report/report.json");
    fixture(&folder, "fail", "promptgate-report/partial/report.json");
    let quiet = folder.promptgate(&["case", "refund-002"]).expect_code(0);
    assert_eq!(quiet.stderr, "", "it is not newer");
    let mut report: Value =
        serde_json::from_str(&folder.read("promptgate-report/partial/report.json")).expect("JSON");
    report["started_at"] = "2099-01-01T00:00:00Z".into();
    folder.write("promptgate-report/partial/report.json", &report.to_string());
    let outcome = folder.promptgate(&["case", "refund-002"]).expect_code(0);
    assert!(
        outcome.stderr.contains("promptgate case refund-002 promptgate-report/partial"),
        "{}",
        outcome.stderr
    );
}

/// Reports of one suite whose faithfulness falls, in a folder each.
fn reports(folder: &Folder, means: &[f64]) {
    let path = repository().join("tests/fixtures/reports/fail.json");
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a report")).expect("JSON");
    for (index, mean) in means.iter().enumerate() {
        let mut report = saved.clone();
        report["started_at"] = format!("2026-11-{:02}T08:00:00Z", index + 1).into();
        (report["usage"]["cached"], report["usage"]["cached_judgements"]) = (0.into(), 0.into());
        for metric in report["metrics"].as_array_mut().expect("metrics") {
            if metric["name"] == "faithfulness" {
                let of = &mut metric["candidate"];
                (of["mean"], of["lower"], of["upper"]) =
                    ((*mean).into(), (mean - 0.02).into(), (mean + 0.02).into());
            }
        }
        folder.write(&format!("reports/day-{index}/report.json"), &report.to_string());
    }
}

#[test]
fn history_lists_runs_and_finds_drift() {
    let folder = Folder::new();
    reports(&folder, &[0.90, 0.90, 0.89, 0.88, 0.87, 0.85, 0.84, 0.83]);
    let outcome = folder.promptgate(&["history", "reports"]).expect_code(0);
    let text = &outcome.stdout;
    assert!(text.contains("8 runs, 2026-11-01 to 2026-11-08"), "{text}");
    let row = |day: &str| text.lines().position(|line| line.trim_start().starts_with(day)).expect("a row");
    assert!(row("2026-11-01") < row("2026-11-08"), "{text}");
    let outcome = outcome.says("below the 5 before, beyond noise").says("Averages of the last 3 runs");
    assert_eq!(outcome.stderr, "");

    let json = folder.promptgate(&["history", "reports", "--format", "json"]).expect_code(0);
    let history: Value = serde_json::from_str(&json.stdout).expect("JSON");
    validates("history", &history);
    let trend =
        history["trends"].as_array().expect("trends").iter().find(|it| it["metric"] == "faithfulness");
    assert_eq!(trend.expect("a trend")["status"], "lower");

    folder.promptgate(&["history", "reports", "--format", "html", "--out", "history.html"]).expect_code(0);
    let page = folder.read("history.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg") && !page.contains("<script"));
    folder
        .promptgate(&["history", "reports", "--out", "reports"])
        .expect_code(2)
        .says("expected a file, found a folder");
    // Neither does a device become a file. By a link, since root could replace the device itself.
    #[cfg(unix)]
    {
        let link = folder.path().join("device.html");
        std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
        folder
            .promptgate(&["history", "reports", "--out", "device.html"])
            .expect_code(2)
            .says("expected a regular file");
        assert!(link.is_symlink());
    }
}

#[test]
fn history_names_and_skips_what_is_no_report_of_the_suite() {
    let folder = Folder::new();
    reports(&folder, &[0.9, 0.9]);
    folder.write("reports/cut/report.json", "{\"schema\": \"promptgate.report/v1\"");
    folder.write("reports/other/facts.json", "{\"verdict\": \"pass\"}");
    folder.write("reports/v9.json", "{\"schema\": \"promptgate.report/v9\"}");
    // A copy is no second run.
    folder.write("reports/copy.json", &folder.read("reports/day-0/report.json"));
    let mut other: Value = serde_json::from_str(&folder.read("reports/day-0/report.json")).expect("JSON");
    other["name"] = "another".into();
    folder.write("reports/another/report.json", &other.to_string());
    let outcome = folder.promptgate(&["history", "reports"]).expect_code(0);
    assert!(outcome.stdout.contains("2 runs"), "{}", outcome.stdout);
    for warning in [
        "skipped reports/cut/report.json: the report is cut off",
        "skipped reports/another/report.json: from the suite `another`",
        "skipped reports/v9.json: the report has version",
    ] {
        assert_eq!(outcome.stderr.matches(warning).count(), 1, "{warning} in\n{}", outcome.stderr);
    }
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    let outcome = folder.promptgate(&["history", "reports", "--suite", "another"]).expect_code(0);
    assert!(outcome.stdout.starts_with("another · 1 run"), "{}", outcome.stdout);
}

#[test]
fn history_without_a_report_is_an_error() {
    let folder = Folder::new();
    folder.promptgate(&["history"]).expect_code(2).says("cannot read: ");
    folder.promptgate(&["history", "none"]).expect_code(2).says("--> none");
    folder.write("empty/notes.txt", "nothing");
    folder
        .promptgate(&["history", "empty"])
        .expect_code(2)
        .says("no report found")
        .says("promptgate run --out");
    folder.write("empty/report.json", "");
    folder.promptgate(&["history", "empty"]).expect_code(2).says("the report is empty");
    reports(&folder, &[0.9]);
    let outcome = folder.promptgate(&["history", "reports", "--suite", "none"]).expect_code(2);
    outcome.says("no report of the suite `none` found");
}
