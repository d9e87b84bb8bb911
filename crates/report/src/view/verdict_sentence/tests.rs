use super::*;
use crate::fixtures;
use crate::v1::{Fault, Reason};
use promptgate_core::model::{CarriedBy, TagDrop};
use promptgate_core::text::Secret;

fn sentence_of(report: &Report) -> String {
    why(report, &Redactor::default()).map_or_else(String::new, |why| why.plain())
}

fn carried(tags: &[(&str, f64)], share: f64) -> Option<CarriedBy> {
    let tag = |(tag, difference): &(&str, f64)| TagDrop {
        tag: (*tag).to_owned(),
        cases: 160,
        difference: *difference,
    };
    Some(CarriedBy { tags: tags.iter().map(tag).collect(), share })
}

fn set_faithfulness(report: &mut Report, carried_by: Option<CarriedBy>) {
    let metric = report.metrics.iter_mut().find(|metric| metric.name == "faithfulness").unwrap();
    metric.carried_by = carried_by;
}

#[test]
fn failed_comparison_says_how_far_it_fell_and_where() {
    let mut report = fixtures::fail();
    assert_eq!(sentence_of(&report), "Faithfulness fell 27.8 points.");
    set_faithfulness(&mut report, carried(&[("battery", -0.244), ("helmet", -0.196)], 0.93));
    assert_eq!(
        sentence_of(&report),
        "Faithfulness fell 27.8 points; nearly all of it in `battery` (−24) and `helmet` (−20)."
    );
    set_faithfulness(&mut report, carried(&[("a", -0.2), ("b", -0.1), ("c", -0.004)], 0.6));
    assert_eq!(
        sentence_of(&report),
        "Faithfulness fell 27.8 points; most of it in `a` (−20), `b` (−10) and `c` (−0.4)."
    );
}

#[test]
fn tags_are_redacted_and_cut() {
    let mut report = fixtures::fail();
    let long = "x".repeat(90);
    set_faithfulness(&mut report, carried(&[("sk-live-1234567890", -0.2), (&long, -0.1)], 0.9));
    let redactor = Redactor::new(&[Secret::new("sk-live-1234567890")]);
    let text = why(&report, &redactor).unwrap().plain();
    assert!(text.contains("`[redacted]`") && !text.contains("sk-live") && !text.contains(&long), "{text}");
}

#[test]
fn reason_of_the_sentence_is_not_repeated() {
    let report = fixtures::fail();
    let redactor = Redactor::default();
    let why = why(&report, &redactor);
    let further = further_reasons(&report, why.as_ref(), &redactor);
    assert_eq!(further.len(), report.reasons.len() - 1);
    assert!(!further.iter().any(|reason| reason.contains("27.8 points lower")), "{further:?}");
}

#[test]
fn undecided_run_leads_with_its_open_criterion() {
    let report = fixtures::inconclusive();
    let text = sentence_of(&report);
    let open = |criterion: &Criterion| criterion.verdict == CriterionVerdict::Inconclusive;
    assert!(report.criteria.iter().filter(|of| open(of)).any(|of| text == of.explanation), "{text}");
}

#[test]
fn pass_says_what_is_excluded_and_never_names_a_literal_check() {
    let mut report = fixtures::pass();
    for criterion in report.criteria.iter_mut().filter(|criterion| criterion.kind == "baseline") {
        (criterion.method, criterion.lower) = ("permutation".to_owned(), Some(-0.0213));
    }
    let text = sentence_of(&report);
    assert!(text.starts_with("No drop larger than 2.1 points (in ") && text.ends_with(" repeats."), "{text}");
    assert!(!text.contains("check"), "{text}");
    for criterion in report.criteria.iter_mut().filter(|criterion| criterion.kind == "baseline") {
        (criterion.method, criterion.estimate) = ("literal".to_owned(), Some(0.0));
    }
    assert!(sentence_of(&report).starts_with("No gated metric fell, "), "{}", sentence_of(&report));
    for criterion in report.criteria.iter_mut().filter(|criterion| criterion.kind == "baseline") {
        (criterion.method, criterion.estimate) = ("point".to_owned(), Some(-0.021));
    }
    let text = sentence_of(&report);
    assert!(text.starts_with("The largest measured drop is 2.1 points"), "{text}");
    report.criteria.retain(|criterion| criterion.kind == "check");
    assert!(sentence_of(&report).contains(" met: "), "{}", sentence_of(&report));
}

#[test]
fn infrastructure_failure_has_its_fault_alone() {
    let mut report = fixtures::without_key();
    let redactor = Redactor::default();
    assert!(is_infrastructure_failure(&report));
    assert_eq!(why(&report, &redactor), None);
    assert_eq!(further_reasons(&report, None, &redactor).len(), 1);
    // A judge that failed its self-test is a finding, and a budget a decision of the user.
    for kind in [FaultKind::UnfitJudge, FaultKind::BudgetSpent] {
        report.ended.fault = Some(Fault { kind, ..report.ended.fault.clone().unwrap() });
        assert!(!is_infrastructure_failure(&report), "{kind:?}");
    }
}

#[test]
fn run_that_failed_by_a_count_says_so() {
    let mut report = fixtures::pass();
    report.verdict = Verdict::Fail;
    let message = "4 cases broke; at most 3 are allowed.".to_owned();
    let criterion = Some("broken_cases".to_owned());
    report.reasons = vec![Reason { code: ReasonCode::BrokenCases, message: message.clone(), criterion }];
    let broken = report.criteria.iter_mut().find(|of| of.kind == "broken_cases").unwrap();
    broken.verdict = CriterionVerdict::Fail;
    assert_eq!(sentence_of(&report), message);
}

#[test]
fn interrupted_run_has_no_sentence_unless_it_failed() {
    let mut report = fixtures::interrupted();
    let redactor = Redactor::default();
    assert_eq!(why(&report, &redactor), None);
    let reasons = further_reasons(&report, None, &redactor);
    assert!(reasons[0].contains("interrupted"), "{reasons:?}");
    report.verdict = Verdict::Fail;
    assert!(why(&report, &redactor).is_some());
}
