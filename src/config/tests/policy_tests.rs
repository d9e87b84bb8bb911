use super::*;
use promptgate_core::model::CaseFacts;

fn cases() -> Vec<CaseFacts> {
    [("a", false), ("b", true)]
        .map(|(id, must_pass)| CaseFacts { id: id.to_owned(), must_pass, ..CaseFacts::default() })
        .to_vec()
}

fn check(name: &str, min: f64, baseline: bool) -> CheckPolicy {
    CheckPolicy { name: name.to_owned(), min, baseline, no_new_failures: false }
}

#[test]
fn policy_criteria_follow_configuration_order() {
    let settings = settings(EXAMPLE);
    let checks = [check("json", 1.0, false), check("term", 0.8, true)];
    let policy = settings.policy(&checks, &cases(), true, &[]).unwrap();
    let criteria: Vec<(&str, &str, Requirement)> =
        policy.criteria.iter().map(|c| (c.id.as_str(), c.metric.as_str(), c.requirement)).collect();
    let not_worse = Requirement::NotWorse { tolerance: 0.0 };
    let limit = |statistic, bound| Requirement::Limit { statistic, bound };
    assert_eq!(
        criteria,
        [
            ("check.json", "check.json", Requirement::EveryTrial),
            ("check.term", "check.term", Requirement::Minimum { value: 0.8 }),
            ("check.term.baseline", "check.term", not_worse),
            ("faithfulness.min", "faithfulness", Requirement::Minimum { value: 0.75 }),
            ("faithfulness.baseline", "faithfulness", not_worse),
            ("relevance.min", "relevance", Requirement::Minimum { value: 0.8 }),
            ("relevance.baseline", "relevance", not_worse),
            ("tone.min", "tone", Requirement::Minimum { value: 0.7 }),
            ("limit.latency_p95", "latency", limit(Statistic::P95, Bound::Absolute(4.0))),
            ("limit.output_tokens_mean", "output_tokens", limit(Statistic::Mean, Bound::MaxIncrease(0.2))),
            ("limit.cost_per_case_usd", "cost_usd", limit(Statistic::Mean, Bound::Absolute(0.01))),
            ("slice.refunds.faithfulness.min", "faithfulness", Requirement::Minimum { value: 0.8 }),
            ("case.b", "", Requirement::MustPass { case: 1, strict: false }),
            ("broken_cases", "", Requirement::BrokenCases { max: 3 }),
        ]
    );
    assert_eq!(policy.criteria[11].tag.as_deref(), Some("refunds"));
    assert_eq!((policy.confidence, policy.resolution, policy.max_missing), (0.95, 0.05, 0.02));
}

#[test]
fn policy_without_baseline_has_no_relative_criteria() {
    let policy = settings(EXAMPLE).policy(&[check("term", 0.8, true)], &cases(), false, &[]).unwrap();
    let ids: Vec<&str> = policy.criteria.iter().map(|criterion| criterion.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "check.term",
            "faithfulness.min",
            "relevance.min",
            "tone.min",
            "limit.latency_p95",
            "limit.cost_per_case_usd",
            "slice.refunds.faithfulness.min",
            "case.b",
        ]
    );
}

#[test]
fn limit_with_both_bounds_gets_two_ids() {
    let text = format!("{START}limits: {{latency_p50: {{max: 800ms, max_increase: 0.5}}}}");
    let policy = settings(&text).policy(&[], &[], true, &[]).unwrap();
    let criteria: Vec<(&str, Requirement)> =
        policy.criteria.iter().map(|c| (c.id.as_str(), c.requirement)).collect();
    let limit = |bound| Requirement::Limit { statistic: Statistic::P50, bound };
    assert_eq!(
        criteria,
        [
            ("limit.latency_p50", limit(Bound::Absolute(0.8))),
            ("limit.latency_p50.baseline", limit(Bound::MaxIncrease(0.5))),
        ]
    );
}

#[test]
fn min_flags_replace_configured_minimums() {
    let text = format!(
        "{START}judge: {{model: j}}\nmetrics: {{relevance: {{baseline: false}}, faithfulness: {{min: 0.5}}}}"
    );
    let minimums =
        [("relevance".to_owned(), 0.1), ("relevance".to_owned(), 0.2), ("check.a".to_owned(), 0.9)];
    let policy = settings(&text).policy(&[check("a", 1.0, false)], &[], true, &minimums).unwrap();
    let criteria: Vec<(&str, Requirement)> =
        policy.criteria.iter().map(|c| (c.id.as_str(), c.requirement)).collect();
    assert_eq!(
        criteria,
        [
            ("check.a", Requirement::Minimum { value: 0.9 }),
            ("relevance.min", Requirement::Minimum { value: 0.2 }),
            ("faithfulness.min", Requirement::Minimum { value: 0.5 }),
            ("faithfulness.baseline", Requirement::NotWorse { tolerance: 0.0 }),
        ]
    );
    let minimums = [("relevanse".to_owned(), 0.2), ("check.b".to_owned(), 0.9)];
    let diagnostics = settings(&text).policy(&[check("a", 1.0, false)], &[], true, &minimums).unwrap_err();
    assert_eq!(
        diagnostics.to_string(),
        "--min: unknown metric `relevanse` (help: did you mean `relevance`?)\n\
         --min: unknown metric `check.b` (help: did you mean `check.a`?)"
    );
}

#[test]
fn slice_on_unknown_check_is_rejected_by_policy() {
    let text = format!("{START}slices:\n  vip:\n    check.a: {{min: 1}}\n    check.term: {{min: 0.9}}");
    let checks = [check("a", 1.0, false), check("term", 1.0, false)];
    let policy = settings(&text).policy(&checks, &[], false, &[]).unwrap();
    assert_eq!(policy.criteria[2].requirement, Requirement::EveryTrial);
    assert_eq!(policy.criteria[3].requirement, Requirement::Minimum { value: 0.9 });
    let diagnostics = settings(&text).policy(&[check("a", 1.0, false)], &[], false, &[]).unwrap_err();
    assert!(
        diagnostics.to_string().contains("promptgate.yaml:7:5: unknown metric `check.term`"),
        "{diagnostics}"
    );
}

#[test]
fn policy_with_duplicate_ids_is_rejected() {
    let checks = [check("a", 1.0, true), check("a.baseline", 1.0, false)];
    let diagnostics = settings(START).policy(&checks, &[], true, &[]).unwrap_err();
    assert!(
        diagnostics.to_string().contains("two criteria would have the id `check.a.baseline`"),
        "{diagnostics}"
    );
}

#[test]
fn minimum_outside_range_is_rejected() {
    assert_eq!(parse_minimum("faithfulness=0.75").unwrap(), ("faithfulness".to_owned(), 0.75));
    assert_eq!(parse_minimum("check.x=1").unwrap(), ("check.x".to_owned(), 1.0));
    for text in ["faithfulness", "faithfulness=", "faithfulness=75", "faithfulness=nan", "faithfulness=-0.1"]
    {
        assert!(parse_minimum(text).is_err(), "{text}");
    }
}

#[test]
fn corrected_minimum_needs_labels_and_a_minimum() {
    let error = |judge: &str, metric: &str| {
        let text = format!("{START}judge: {{{judge}}}\nmetrics: {{relevance: {{{metric}}}}}\n");
        load("f", &text, &check_entry()).unwrap_err().0.remove(0).message
    };
    assert_eq!(
        error("model: j", "min: 0.5, corrected: true"),
        "`corrected` needs the labels of a calibration"
    );
    assert_eq!(error("model: j, calibration: c.json", "corrected: true"), "`corrected` needs a `min`");
    let text = format!(
        "{START}judge: {{model: j, calibration: c.json}}\nmetrics: {{relevance: {{min: 0.5, corrected: true}}}}\n"
    );
    assert!(settings(&text).metrics[0].corrected);
}
