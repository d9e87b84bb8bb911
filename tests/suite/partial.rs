//! `run --only-failed` and `run --case`: for debugging, never evidence.

use serde_json::Value;

use crate::support::{Folder, finish};

const WORSE: [&str; 4] =
    ["--candidate", "file:prompts/quiet-regression.md", "--baseline", "file:prompts/baseline.md"];

/// The golden suite after a run that failed.
fn failed() -> Folder {
    let folder = Folder::golden();
    run(&folder, &WORSE).expect_code(10);
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> crate::support::Outcome {
    folder.promptgate(&[&["run", "--offline"], arguments].concat())
}

fn partial(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("promptgate-report/partial/report.json")).expect("report.json is JSON")
}

fn ids(report: &Value) -> Vec<&str> {
    report["cases"].as_array().expect("cases").iter().filter_map(|case| case["id"].as_str()).collect()
}

#[test]
fn only_failed_runs_the_failed_cases_of_the_last_whole_run() {
    let folder = failed();
    let whole = folder.report();
    let expected: Vec<&str> = whole["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .filter(|case| {
            let worse =
                ["broken", "regressed", "missing"].contains(&case["status"].as_str().unwrap_or_default());
            worse || case["failing"].as_array().is_some_and(|failing| !failing.is_empty())
        })
        .filter_map(|case| case["id"].as_str())
        .collect();
    assert!(expected.len() > 2 && expected.len() < 20, "{expected:?}");
    let outcome = run(&folder, &[&["--only-failed"], &WORSE[..]].concat()).expect_code(10);
    let said = format!("partial run: {} of 60 cases", expected.len());
    outcome.says(&said).says("promptgate-report/partial/report.json");
    let report = partial(&folder);
    assert_eq!(ids(&report), expected);
    assert_eq!(report["dataset"]["partial"]["selected_by"], "only_failed");
    assert_eq!((&report["dataset"]["partial"]["of"], &report["repeats"]), (&60.into(), &3.into()));
    assert_eq!(report["dataset"]["partial"]["whole_digest"], whole["dataset"]["digest"]);
    // The last whole report stays, so the list does as well, also after all of its cases pass.
    assert_eq!(folder.report(), whole);
    let outcome = run(&folder, &["--only-failed", "--baseline", "file:prompts/baseline.md"]);
    outcome.says(&said);
    assert_eq!(ids(&partial(&folder)), expected);
}

#[test]
fn partial_run_never_passes() {
    let folder = Folder::golden();
    let baseline = ["--case", "refund-window", "--baseline", "file:prompts/baseline.md"];
    let outcome = run(&folder, &baseline).expect_code(11);
    outcome.says("Every criterion passes on 1 of 60 cases").says("INCONCLUSIVE");
    let report = partial(&folder);
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"inconclusive".into(), &11.into()));
    assert_eq!((&report["reasons"][0]["code"], &report["to_settle"]), (&"partial_run".into(), &Value::Null));
    assert!(report["criteria"].as_array().expect("criteria").iter().all(|it| it["verdict"] == "pass"));
    assert!(
        folder.read("promptgate-report/.gitignore").contains('*'),
        "also where the first run is a partial one"
    );
    // Only `--advisory` excuses it.
    folder.edit("promptgate.yaml", "gate: {repeats", "gate: {inconclusive: pass, repeats");
    run(&folder, &baseline).expect_code(11);
    run(&folder, &[&baseline[..], &["--inconclusive", "pass"]].concat()).expect_code(11);
    let mut command = folder.command(&[&["run", "--offline"], &baseline[..]].concat());
    command.env("PROMPTGATE_INCONCLUSIVE", "pass");
    finish(command).expect_code(11);
    assert_eq!(partial(&folder)["exit_code"], 11);
    run(&folder, &[&baseline[..], &["--advisory"]].concat()).expect_code(0);
}

#[test]
fn partial_report_is_no_evidence() {
    let folder = failed();
    let only = ["--case", "refund-window", "--baseline", "file:prompts/baseline.md"];
    run(&folder, &only).expect_code(11);
    let partial = "promptgate-report/partial/report.json";
    for arguments in [
        &["compare", "promptgate-report/report.json", partial][..],
        &["compare", partial, "promptgate-report/report.json"],
        &["run", "--offline", "--baseline", "report:promptgate-report/partial/report.json"],
        &["plan", "--after", partial],
    ] {
        let outcome = folder.promptgate(arguments).expect_code(2);
        outcome.says("this report is of a partial run: 1 of 60 cases");
    }
    // A filter that selects the same case is a run of its own.
    let spec = "report:promptgate-report/partial/report.json";
    run(&folder, &["--filter", "refund-window", "--baseline", spec]).expect_code(2).says("partial run");
    run(&folder, &["--case", "refund-window", "--baseline", spec]).expect_code(11);
}

#[test]
fn whole_report_is_the_baseline_of_a_partial_run() {
    let folder = failed();
    let spec = "report:promptgate-report/report.json";
    run(&folder, &["--case", "refund-duration", "--case", "shipping-cost", "--baseline", spec]);
    let report = partial(&folder);
    assert_eq!(ids(&report), ["refund-duration", "shipping-cost"]);
    let baseline = |report: &Value, id: &str| -> Vec<String> {
        let cases = report["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["id"] == id).expect("the case");
        let trials = case["trials"].as_array().expect("trials").iter();
        trials.filter(|trial| trial["role"] == "baseline").map(|trial| trial["output"].to_string()).collect()
    };
    let candidate = |report: &Value, id: &str| -> Vec<String> {
        let cases = report["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["id"] == id).expect("the case");
        let trials = case["trials"].as_array().expect("trials").iter();
        trials.filter(|trial| trial["role"] == "candidate").map(|trial| trial["output"].to_string()).collect()
    };
    for id in ["refund-duration", "shipping-cost"] {
        assert_eq!(baseline(&report, id), candidate(&folder.report(), id), "{id}");
    }
}

#[test]
fn missing_reports_and_cases_are_errors_with_the_next_step() {
    let folder = Folder::golden();
    run(&folder, &["--only-failed"])
        .expect_code(2)
        .says("no report of an earlier run")
        .says("run the whole suite first");
    let outcome = run(&folder, &["--case", "refund-windw", "--case", "battery-1"]).expect_code(2);
    outcome
        .says("did you mean `refund-window`?")
        .says("no case `battery-1`")
        .says("2 errors; nothing was called");
    folder.write("promptgate-report/report.json", "{\"schema\": \"promptgate.report/v1\"");
    run(&folder, &["--only-failed"]).expect_code(2).says("the report is cut off");
    for arguments in [
        &["run", "--only-failed", "--case", "a"][..],
        &["run", "--only-failed", "--shard", "1/2"],
        &["run", "--case", "a", "--shard", "1/2"],
    ] {
        folder.promptgate(arguments).expect_code(2).says("cannot be used with");
    }
    for flag in ["--only-failed", "--case=a"] {
        folder.promptgate(&["ci", flag]).expect_code(2).says("unexpected argument");
    }
}

#[test]
fn only_failed_needs_a_failed_case_of_this_suite() {
    let folder = Folder::small(3);
    run(&folder, &[]).expect_code(0);
    run(&folder, &["--only-failed"])
        .expect_code(3)
        .says("no case failed or got worse in promptgate-report/report.json");
    let folder = failed();
    folder.edit("promptgate.yaml", "name: customer-support", "name: another");
    run(&folder, &["--only-failed"])
        .expect_code(2)
        .says("from the suite `customer-support`, expected `another`");
    folder.edit("promptgate.yaml", "name: another", "name: customer-support");
    let cases = folder
        .read("cases.jsonl")
        .replace("\"id\":\"", "\"id\":\"new-")
        .replace("\"id\": \"", "\"id\": \"new-");
    folder.write("cases.jsonl", &cases);
    run(&folder, &["--only-failed"]).expect_code(2).says("failed cases of this report exists any more");
}
