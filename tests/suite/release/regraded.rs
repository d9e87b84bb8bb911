//! Reports of runs with other grades: these decide, so another verdict alone is a forgery.

use promptgate_engine::evaluate;
use promptgate_report::v1::{CriterionVerdict, Verdict};
use promptgate_report::{Report, read};
use serde_json::{Value, json};

/// The report of the same run, if so many grades of the candidate had been 0 that the verdict is this one.
pub(crate) fn regraded(report: &Value, verdict: &str) -> Value {
    if verdict == report["verdict"] {
        return report.clone();
    }
    if verdict == "incomplete" {
        let mut report = report.clone();
        report["ended"]["kind"] = json!("interrupted");
        return decided(&report, 130);
    }
    let code = if verdict == "fail" { 10 } else { 11 };
    let counts: Vec<usize> = if verdict == "fail" { vec![usize::MAX] } else { (1..40).collect() };
    let mut reports = counts.into_iter().map(|count| decided(&with_zeros(report, count), code));
    reports.find(|report| report["verdict"] == verdict).unwrap_or_else(|| panic!("no grades give {verdict}"))
}

/// The report with its first grades of the candidate by a judge set to 0.
fn with_zeros(report: &Value, count: usize) -> Value {
    let mut report = report.clone();
    let cases = report["cases"].as_array_mut().expect("cases");
    let trials = cases.iter_mut().flat_map(|case| case["trials"].as_array_mut().expect("trials"));
    let grades = trials.filter(|trial| trial["role"] == "candidate").flat_map(|trial| {
        trial["grades"]
            .as_array_mut()
            .expect("grades")
            .iter_mut()
            .filter(|grade| grade["judging"].is_object())
    });
    grades.take(count).for_each(|grade| grade["score"] = json!(0.0));
    report
}

/// The report with the decision of its grades.
fn decided(report: &Value, code: u8) -> Value {
    let mut words: Value = report.clone();
    // The words are those of another decision: without them it reads as one that is not decided yet.
    words["verdict"] = json!("incomplete");
    words["exit_code"] = json!(0);
    let mut report: Report = serde_json::from_value(words).expect("a report");
    report.reasons.clear();
    report.warnings.clear();
    let (_, decision) = evaluate::decide(&report.to_run().expect("a run"), &report.policy);
    let report = report.decided(&decision, code);
    let text = serde_json::to_string(&report).expect("JSON");
    read("regraded.json", &text, |_| Err(std::io::ErrorKind::NotFound.into())).expect("no contradiction");
    serde_json::to_value(&report).expect("JSON")
}

/// A forgery: the words of a pass beside the grades of another verdict. Each step removes one more trace.
pub(crate) fn forgeries(report: &Value) -> Vec<Value> {
    let mut report: Report = serde_json::from_value(report.clone()).expect("a report");
    let mut forged = Vec::new();
    report.verdict = Verdict::Pass;
    forged.push(report.clone());
    report.criteria.iter_mut().for_each(|criterion| criterion.verdict = CriterionVerdict::Pass);
    forged.push(report.clone());
    report.reasons.clear();
    forged.push(report.clone());
    report.exit_code = 0;
    forged.push(report.clone());
    report.looks.iter_mut().for_each(|look| look.verdict = Verdict::Pass);
    forged.push(report);
    forged.into_iter().map(|report| serde_json::to_value(report).expect("JSON")).collect()
}
