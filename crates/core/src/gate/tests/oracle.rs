//! Decisions against independently computed fixtures.

use serde_json::Value;

use super::builders::{
    analysis, completed, deterministic, metric, minimum, not_worse, policy, single_outcome,
};
use crate::gate::fill::{Fill, Selection};
use crate::gate::means::contrast;
use crate::model::{CriterionOutcome, CriterionVerdict, Scope, Verdict};
use crate::stats::{Repeated, within_cases};

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/fixtures/oracles/decision.json"))
        .expect("the fixture is JSON")
}

/// Rows of numbers, null as NaN; a bare number is a row of one.
fn rows(value: &Value) -> Vec<Vec<f64>> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let row = |value: &Value| {
        value.as_array().map_or_else(|| vec![number(value)], |row| row.iter().map(number).collect())
    };
    value.as_array().expect("rows").iter().map(row).collect()
}

fn verdict(value: &Value) -> CriterionVerdict {
    serde_json::from_value(Value::String(value.as_str().expect("a verdict").to_lowercase()))
        .expect("a verdict")
}

#[track_caller]
fn close(found: Option<f64>, expected: &Value, name: &str) {
    let (found, expected) = (found.expect("a number"), expected.as_f64().expect("a number"));
    assert!((found - expected).abs() < 1e-9, "{name}: found {found}, expected {expected}");
}

fn interval(outcome: &CriterionOutcome, result: &Value, mean: &str, name: &str) {
    close(outcome.estimate, &result[mean], name);
    close(outcome.lower, &result["lower"], name);
    close(outcome.upper, &result["upper"], name);
}

#[test]
fn baseline_comparisons_match_fixtures() {
    let mut compared = 0;
    for (name, fixture) in oracle().as_object().expect("fixtures") {
        let Some(result) = fixture.get("result") else { continue };
        compared += 1;
        let (ours, theirs) = (rows(&fixture["candidate"]), rows(&fixture["baseline"]));
        assert_eq!(Some(ours.len() as u64), result["n"].as_u64());
        let scores = metric("m", &ours, Some(&theirs));
        let without_exemption = fixture.get("without_exemption");
        if let Some(expected) = without_exemption {
            let outcome = single_outcome(vec![scores.clone()], not_worse("m", 0.0));
            assert_eq!(outcome.verdict, verdict(&expected["verdict"]), "{name}: {}", outcome.explanation);
            close(outcome.lower, &expected["lower"], name);
        }
        // The deterministic suites name temperature 0, and every repeat has the same text.
        let scores = if without_exemption.is_some() { deterministic(scores) } else { scores };
        let run = analysis(vec![scores]);
        let decision = completed(&run, &policy(vec![not_worse("m", 0.0)]));
        let outcome = &decision.criteria[0];
        assert_eq!(outcome.verdict, verdict(&result["verdict"]), "{name}: {}", outcome.explanation);
        interval(outcome, result, "mean_diff", name);
        let summary = &decision.metrics[0];
        let fallback = result["scope"].as_str().expect("a scope").starts_with("population");
        assert_eq!(summary.scope == Scope::Population, fallback, "{name}");
        assert_eq!(decision.warnings.iter().any(|warning| warning.starts_with("with one repeat")), fallback);
        let expected = result["p_worse_exact"].as_f64().expect("a p");
        match outcome.method.as_str() {
            "permutation" | "sign-flip" => close(outcome.p, &result["p_worse_exact"], name),
            "permutation (drawn)" => {
                let error = (expected * (1.0 - expected) / 50_000.0).sqrt();
                assert!((outcome.p.expect("a p") - expected).abs() < 4.0 * error, "{name}: {:?}", outcome.p);
            }
            "literal" => {
                assert_eq!(outcome.p, None, "{name}");
                let (ours, theirs): (Repeated, Repeated) =
                    (ours.into_iter().collect(), theirs.into_iter().collect());
                let permuted = within_cases(&ours, &theirs, &[], 0.0, 1).expect("few scores");
                let error = if permuted.exact { 1e-9 } else { 4.0 * (expected / 50_000.0).sqrt() + 1e-4 };
                assert!((permuted.p - expected).abs() < error, "{name}: {permuted:?}");
            }
            other => panic!("{name}: {other}"),
        }
        let verdict_of_run = match outcome.verdict {
            CriterionVerdict::Pass => Verdict::Pass,
            CriterionVerdict::Fail => Verdict::Fail,
            CriterionVerdict::Inconclusive => Verdict::Inconclusive,
            CriterionVerdict::Incomplete => Verdict::Incomplete,
        };
        assert_eq!(decision.verdict, verdict_of_run);
        assert_eq!(decision.reasons.is_empty(), verdict_of_run == Verdict::Pass);
    }
    assert_eq!(compared, 11);
}

#[test]
fn thresholds_match_fixtures() {
    let all = oracle();
    let noisy = all["threshold"].as_array().expect("fixtures");
    let quiet = all["threshold_deterministic"].as_array().expect("fixtures");
    for fixture in noisy.iter().chain(quiet) {
        let result = &fixture["result"];
        let required = result["T"].as_f64().expect("a threshold");
        let name = format!("threshold {required}");
        let scores = metric("m", &rows(&fixture["scores"]), None);
        let without_exemption = fixture.get("without_exemption");
        if let Some(expected) = without_exemption {
            let outcome = single_outcome(vec![scores.clone()], minimum("m", required));
            assert_eq!(outcome.verdict, verdict(&expected["verdict"]), "{name}: {}", outcome.explanation);
            close(outcome.lower, &expected["lower"], &name);
        }
        let scores = if without_exemption.is_some() { deterministic(scores) } else { scores };
        let outcome = single_outcome(vec![scores.clone()], minimum("m", required));
        assert_eq!(outcome.verdict, verdict(&result["verdict"]), "{name}: {}", outcome.explanation);
        interval(&outcome, result, "mean", &name);
        let strict = completed(
            &analysis(vec![scores]),
            &crate::gate::Policy { resolution: 0.0, ..policy(vec![minimum("m", required)]) },
        );
        assert_eq!(strict.criteria[0].verdict, verdict(&result["strict_verdict"]), "{name}, strict");
    }
    assert_eq!(noisy.len() + quiet.len(), 9);
}

#[test]
fn missing_grade_fills_match_fixture() {
    let all = oracle();
    let fixture = &all["missing_bounds"];
    let run = analysis(vec![metric("m", &rows(&fixture["candidate"]), Some(&rows(&fixture["baseline"])))]);
    let selection = Selection::all(&run, &run.metrics[0], true);
    for (fill, name) in [
        (Fill::Observed, "complete_case_diff"),
        (Fill::Worst, "worst_case_diff"),
        (Fill::Best, "best_case_diff"),
    ] {
        let filled = selection.fill(fill);
        let difference = contrast(&filled, Scope::Population, 1.0);
        close(difference.map(|estimate| estimate.mean), &fixture[name], name);
    }
}
