//! `criteria` of single cases: the commonest suite, a handful of cases with statements about good answers.

use serde_json::{Value, json};

use crate::servers::{Server, is_judge, list_of, says};
use crate::support::Folder;

/// A prompt, a judge and five cases; no metric, no gate.
fn five() -> Folder {
    let folder = Folder::small(5);
    let at = folder.read("promptgate.yaml").find("checks:").expect("checks");
    let text = folder.read("promptgate.yaml")[..at].to_owned();
    folder.write("promptgate.yaml", &text);
    let rows: String = folder
        .read("cases.jsonl")
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let mut row: Value = serde_json::from_str(line).expect("a row");
            row["criteria"] = json!([
                format!("names {} days", index + 11),
                {"text": "mentions a refund", "weight": 3, "critical": true},
            ]);
            format!("{row}\n")
        })
        .collect();
    folder.write("cases.jsonl", &rows);
    folder
}

fn metric<'a>(report: &'a Value, name: &str) -> Option<&'a Value> {
    report["metrics"].as_array()?.iter().find(|metric| metric["name"] == name)
}

#[test]
fn five_cases_decide_with_one_sentence_about_what_they_cannot_show() {
    let folder = five();
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(0);
    // Nothing but the cases decides, so three repeats are enough.
    let outcome = outcome.says("5 cases, 3 repeats").says("5 must-pass cases").says(
        "5 cases cannot show how often other questions fail: even if all pass, up to 45.1 % of traffic could",
    );
    let warnings = outcome.stdout.lines().filter(|line| line.starts_with("warning")).count();
    assert_eq!(warnings, 1, "{}", outcome.stdout);
    let report = folder.report();
    assert_eq!(report["policy"]["criteria"].as_array().map(Vec::len), Some(5), "{}", report["policy"]);
}

#[test]
fn one_criterion_that_is_not_met_fails_its_case() {
    let folder = five();
    folder.edit("cases.jsonl", "names 15 days", "names 99 weeks");
    folder.promptgate(&["run", "--offline"]).expect_code(10).says("case.case-5").says("4 must-pass cases");
    // Unless the author says that the case need not pass.
    folder.edit("cases.jsonl", "{\"id\":\"case-5\"", "{\"must_pass\":false,\"id\":\"case-5\"");
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("4 must-pass cases");
}

#[test]
fn critical_criterion_fails_its_case_at_any_minimum() {
    // Every item but the critical one is met.
    let server = Server::start(|request, _| {
        if !is_judge(request) {
            return (200, says("Plan 1 gives 11 days."));
        }
        let items = [(1, "yes"), (2, "no")];
        let entries: Vec<Value> = items
            .iter()
            .map(|(id, verdict)| json!({"id": id, "reasoning": "r", "verdict": verdict}))
            .collect();
        (200, says(&json!({ list_of(request): entries }).to_string()))
    });
    for (weight, critical, code) in [("3", "true", 10), ("3", "false", 10), ("1", "false", 0)] {
        let folder = five();
        folder.edit(
            "promptgate.yaml",
            "judge: {model: tiny-judge}",
            "judge: {model: tiny-judge, self_test: false}",
        );
        let rows = folder.read("cases.jsonl");
        let rows = rows.replace("\"weight\":3", &format!("\"weight\":{weight}"));
        folder.write("cases.jsonl", &rows.replace("\"critical\":true", &format!("\"critical\":{critical}")));
        folder.append("promptgate.yaml", "metrics: {criteria: {min: 0.5}}\n");
        let dataset = "dataset: {path: cases.jsonl, must_pass: true}";
        folder.edit("promptgate.yaml", "dataset: cases.jsonl", dataset);
        let arguments = ["run", "--baseline", "none", "--repeats", "3"];
        let outcome = folder.against(&server.base_url, &arguments);
        assert_eq!(outcome.code, code, "{weight} {critical}: {}", outcome.text());
        let score =
            metric(&folder.report(), "criteria").and_then(|metric| metric["candidate"]["mean"].as_f64());
        let expected = match (weight, critical) {
            (_, "true") => 0.0,
            ("3", _) => 0.25,
            _ => 0.5,
        };
        assert_eq!(score, Some(expected), "{weight} {critical}");
    }
}

#[test]
fn checks_of_a_case_count_with_its_criteria() {
    let folder = five();
    folder.edit(
        "cases.jsonl",
        "{\"id\":\"case-2\"",
        "{\"checks\":[{\"contains\":\"banana\"}],\"id\":\"case-2\"",
    );
    folder.promptgate(&["run", "--offline"]).expect_code(10).says("case.case-2");
}

#[test]
fn dataset_says_whether_cases_must_pass() {
    let folder = Folder::small(5);
    for (must_pass, cases) in [("true", 5), ("strict", 5), ("false", 0)] {
        let dataset = format!("dataset: {{path: cases.jsonl, must_pass: {must_pass}}}");
        let text = folder.read("promptgate.yaml");
        let before = text.lines().find(|line| line.starts_with("dataset:")).expect("a dataset");
        folder.edit("promptgate.yaml", before, &dataset);
        folder.promptgate(&["run", "--offline"]).expect_code(0);
        let report = folder.report();
        let ids = report["policy"]["criteria"].as_array().cloned().unwrap_or_default();
        let own =
            ids.iter().filter(|criterion| criterion["id"].as_str().is_some_and(|id| id.starts_with("case.")));
        assert_eq!(own.count(), cases, "{must_pass}");
    }
    folder.edit("promptgate.yaml", "must_pass: false", "must_pass: perhaps");
    folder.promptgate(&["check"]).expect_code(2).says("must_pass");
}

#[test]
fn criteria_without_a_judge_and_a_metric_without_criteria_are_refused() {
    let folder = five();
    folder.edit("promptgate.yaml", "judge: {model: tiny-judge}\n", "");
    folder.promptgate(&["check"]).expect_code(2).says("case-1 has `criteria`, but there is no judge");
    let folder = Folder::small(2);
    folder.append("promptgate.yaml", "  criteria: {min: 0.9}\n");
    folder.promptgate(&["check"]).expect_code(2).says("no case has `criteria`");
}
