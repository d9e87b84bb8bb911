use super::*;
use crate::fixtures;
use crate::v1::{Criterion, Fault, Interval, MetricKind, Reason};
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
fn tags_that_lost_more_than_all_are_set_against_the_cases_that_rose() {
    let mut report = fixtures::fail();
    set_faithfulness(&mut report, carried(&[("battery", -0.333)], 4.3));
    assert_eq!(
        sentence_of(&report),
        "Faithfulness fell 27.8 points; `battery` fell 33 points, while the other cases rose."
    );
    set_faithfulness(&mut report, carried(&[("a", -0.2), ("b", -0.1), ("c", -0.004)], 1.3));
    assert_eq!(
        sentence_of(&report),
        "Faithfulness fell 27.8 points; `a` fell 20 points, `b` 10 and `c` 0.4, while the other cases rose."
    );
}

/// The failing report with one criterion of faithfulness, with this explanation.
fn failed_by(kind: &str, explanation: &str) -> Report {
    let mut report = fixtures::fail();
    report.criteria.retain(|criterion| criterion.id == "faithfulness.baseline");
    let criterion = &mut report.criteria[0];
    (criterion.kind, criterion.explanation) = (kind.to_owned(), explanation.to_owned());
    (criterion.estimate, criterion.required) = (Some(0.63), Some(0.9));
    report.reasons = vec![Reason {
        code: ReasonCode::ThresholdMissed,
        message: explanation.to_owned(),
        criterion: Some(criterion.id.clone()),
    }];
    set_faithfulness(&mut report, carried(&[("battery", -0.17)], 0.9));
    report
}

#[test]
fn tags_are_not_tied_to_a_number_that_is_no_drop() {
    let report = failed_by("threshold", "Faithfulness averaged 0.63, below the required 0.90.");
    assert_eq!(
        sentence_of(&report),
        "Faithfulness averaged 0.63, below the required 0.90. Faithfulness fell 27.8 points as measured against the \
         baseline; nearly all of it in `battery` (−17)."
    );
    let mut risen = report.clone();
    let metric = risen.metrics.iter_mut().find(|metric| metric.name == "faithfulness").unwrap();
    metric.difference = metric.difference.map(|difference| Interval { mean: 0.0, ..difference });
    assert_eq!(sentence_of(&risen), "Faithfulness averaged 0.63, below the required 0.90.");
    for kind in ["slice", "case"] {
        let text = sentence_of(&failed_by(kind, "Faithfulness on cases tagged refunds averaged 0.63."));
        assert_eq!(text, "Faithfulness on cases tagged refunds averaged 0.63.", "{kind}");
    }
}

#[test]
fn failure_that_the_change_did_not_cause_has_no_tags() {
    let explanation = "Check tone failed on 2 of 90 answers; every answer must pass; the baseline fails it as often (3 of \
                       90): not caused by this change.";
    assert_eq!(sentence_of(&failed_by("check", explanation)), explanation);
}

#[test]
fn run_that_a_criterion_did_not_decide_leads_with_its_first_reason() {
    let mut report = fixtures::inconclusive();
    let reason = |message: &str, code| Reason { code, message: message.to_owned(), criterion: None };
    report.verdict = Verdict::Fail;
    report.reasons.insert(0, reason("30 of 90 answers are refusals.", ReasonCode::Refusals));
    assert_eq!(sentence_of(&report), "30 of 90 answers are refusals.");
    report.verdict = Verdict::Incomplete;
    report.reasons[0] = reason("5 % of the grades are missing.", ReasonCode::MissingGrades);
    assert_eq!(sentence_of(&report), "5 % of the grades are missing.");
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

/// The passing report with relevance alone compared, by a permutation with this bound; faithfulness has its minimum alone.
fn compared_relevance(lower: f64, faithfulness: Interval) -> Report {
    let mut report = fixtures::pass();
    report.criteria.retain(|criterion| criterion.id != "faithfulness.baseline");
    let of_relevance = |criterion: &&mut Criterion| criterion.id == "relevance.baseline";
    let criterion = report.criteria.iter_mut().find(of_relevance).unwrap();
    (criterion.method, criterion.lower) = ("permutation".to_owned(), Some(lower));
    criterion.estimate = Some(0.01);
    let metric = report.metrics.iter_mut().find(|metric| metric.name == "faithfulness").unwrap();
    metric.difference = Some(faithfulness);
    report
}

#[test]
fn pass_names_the_compared_metric_and_a_gated_one_that_fell() {
    let interval = |mean, upper| Interval { mean, lower: Some(-0.3), upper: Some(upper) };
    let text = |lower, faithfulness| sentence_of(&compared_relevance(lower, faithfulness));
    assert_eq!(text(-0.038, interval(0.1, 0.2)), "No drop in relevance larger than 3.8 points, 3 repeats.");
    assert_eq!(
        text(-0.038, interval(-0.2, -0.1)),
        "No drop in relevance larger than 3.8 points, 3 repeats. Faithfulness fell 20 points and is gated by its minimum \
         alone."
    );
    assert_eq!(
        text(0.001, interval(-0.2, -0.1)),
        "Relevance did not fall, 3 repeats. Faithfulness fell 20 points and is gated by its minimum alone."
    );
    assert_eq!(
        text(0.001, interval(-0.01, 0.02)),
        "Relevance did not fall, 3 repeats. Faithfulness fell 1 point, within noise, and is gated by its minimum alone."
    );
    assert_eq!(text(0.001, interval(0.0, 0.0)), "No gated metric fell, 3 repeats.");
}

#[test]
fn pass_without_a_comparison_names_what_fell() {
    let fell = Interval { mean: -0.2, lower: Some(-0.2), upper: Some(-0.2) };
    let mut report = compared_relevance(-0.01, fell);
    report.criteria.retain(|criterion| criterion.kind != "baseline");
    let text = sentence_of(&report);
    assert!(
        text.ends_with("3 repeats. Faithfulness fell 20 points and is gated by its minimum alone."),
        "{text}"
    );
    // A metric that nothing gates is not named.
    report.criteria.retain(|criterion| criterion.metric != "faithfulness");
    assert!(!sentence_of(&report).contains("Faithfulness fell"), "{}", sentence_of(&report));
}

#[test]
fn repeats_of_a_pass_are_those_of_the_criterion_that_it_names() {
    let mut report = fixtures::pass();
    for criterion in report.criteria.iter_mut().filter(|criterion| criterion.kind == "baseline") {
        let (lower, repeats) = if criterion.metric == "relevance" { (-0.042, 6) } else { (-0.001, 24) };
        (criterion.method, criterion.lower) = ("permutation".to_owned(), Some(lower));
        criterion.repeats = repeats;
    }
    assert_eq!(sentence_of(&report), "No drop larger than 4.2 points (in relevance), 6 repeats.");
}

#[test]
fn one_repeat_of_a_judged_score_excludes_nothing() {
    let rose = Interval { mean: 0.1, lower: Some(0.0), upper: Some(0.2) };
    let mut report = compared_relevance(-0.009, rose);
    let of_relevance = |criterion: &&mut Criterion| criterion.id == "relevance.baseline";
    let criterion = report.criteria.iter_mut().find(of_relevance).unwrap();
    criterion.repeats = 1;
    criterion.method = "sign-flip".to_owned();
    assert_eq!(
        sentence_of(&report),
        "No drop was measured (in relevance), 1 repeat: rare failures are not excluded."
    );
    report.criteria.iter_mut().find(of_relevance).unwrap().estimate = Some(-0.004);
    assert_eq!(
        sentence_of(&report),
        "The largest measured drop is 0.4 points (in relevance), 1 repeat: rare failures are not excluded."
    );
    // The bound of a 0/1 check is exact.
    report.metrics.iter_mut().find(|metric| metric.name == "relevance").unwrap().kind = MetricKind::Check;
    assert_eq!(sentence_of(&report), "No drop in relevance larger than 0.9 points, 1 repeat.");
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
