//! Metric summaries: slices by tag, correlation with length, reported intervals.

use std::sync::Arc;

use super::builders::{analysis, completed, criterion, metric, minimum, not_worse, policy};
use crate::gate::{Bound, Requirement, Statistic};
use crate::model::CriterionVerdict;

fn constant_rows(values: &[f64]) -> Vec<Vec<f64>> {
    values.iter().map(|value| vec![*value; 3]).collect()
}

#[test]
fn slices_summarize_their_own_cases() {
    let mut run = analysis(vec![metric(
        "m",
        &[vec![1.0, 0.8], vec![0.6, 0.4], vec![0.0, 0.2]],
        Some(&[vec![0.5, 0.5], vec![0.5, 0.5], vec![0.5, 0.5]]),
    )]);
    for (case, tags) in Arc::make_mut(&mut run.cases).iter_mut().zip([vec!["b", "a"], vec!["b"], vec![]]) {
        case.tags = tags.into_iter().map(str::to_owned).collect();
    }
    let slices = completed(&run, &policy(vec![minimum("m", 0.1)])).metrics.swap_remove(0).slices;
    let tags: Vec<_> = slices.iter().map(|slice| (slice.tag.as_str(), slice.cases)).collect();
    assert_eq!(tags, [("a", 1), ("b", 2)]);
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-12, "found {found}, expected {expected}")
    };
    close(slices[1].candidate.mean, 0.7);
    close(slices[1].baseline.expect("a baseline"), 0.5);
    close(slices[1].difference.expect("a difference").mean, 0.2);
    // Two cases, two repeats each with s^2 = 0.02: SE = sqrt(2 x 0.01) / 2 on 2 degrees of freedom.
    let t = 2.919_985_580_355_516;
    close(slices[1].candidate.lower.expect("a bound"), 0.7 - t * 0.02_f64.sqrt() / 2.0);
}

#[test]
fn length_correlates_with_scores_and_with_differences() {
    let lengths: Vec<f64> = (0..12).map(|case| 100.0 + f64::from(case * case)).collect();
    let scores: Vec<f64> = lengths.iter().map(|length| length / 300.0).collect();
    let flat = vec![vec![0.5; 3]; 12];
    let run = analysis(vec![
        metric("m", &constant_rows(&scores), Some(&flat)),
        metric("length", &constant_rows(&lengths), Some(&vec![vec![150.0; 3]; 12])),
    ]);
    let decision = completed(&run, &policy(vec![minimum("m", 0.1)]));
    let correlation = decision.metrics[0].length_correlation.expect("a judged metric");
    assert!((correlation.candidate.expect("enough cases") - 1.0).abs() < 1e-9, "{correlation:?}");
    assert!((correlation.differences.expect("enough cases") - 1.0).abs() < 1e-9, "{correlation:?}");
    assert_eq!(decision.metrics[1].length_correlation, None);
    assert!(decision.warnings.iter().any(|warning| warning.contains("may favor long answers")));
    // A negative correlation is not verbosity bias, and a constant has no correlation.
    let falling: Vec<f64> = scores.iter().rev().copied().collect();
    let run = analysis(vec![
        metric("m", &constant_rows(&falling), None),
        metric("length", &constant_rows(&lengths), None),
    ]);
    let decision = completed(&run, &policy(vec![minimum("m", 0.1)]));
    let correlation = decision.metrics[0].length_correlation.expect("a judged metric");
    assert!(
        correlation.candidate.expect("enough cases") < 0.0 && correlation.differences.is_none(),
        "{correlation:?}"
    );
    assert!(!decision.warnings.iter().any(|warning| warning.contains("may favor long answers")));
    let run = analysis(vec![metric("m", &flat, None), metric("length", &constant_rows(&lengths), None)]);
    let correlation = completed(&run, &policy(vec![minimum("m", 0.1)])).metrics[0].length_correlation;
    assert_eq!(correlation.and_then(|correlation| correlation.candidate), None);
}

#[test]
fn reported_intervals_are_clamped_without_changing_decisions() {
    // Repeats at both ends of the scale: the bounds of Student's t are far outside.
    let ours = vec![vec![1.0, 0.0]];
    let theirs = vec![vec![0.9, 0.1]];
    let run = analysis(vec![metric("m", &ours, Some(&theirs)), metric("latency", &ours, None)]);
    let low = criterion(
        "limit",
        "latency",
        Requirement::Limit { statistic: Statistic::Mean, bound: Bound::Absolute(0.1) },
    );
    let decision = completed(&run, &policy(vec![minimum("m", 0.65), not_worse("m", 0.0), low]));
    let summary = &decision.metrics[0];
    let (mean, difference) = (&summary.candidate, summary.difference.unwrap());
    assert_eq!((mean.lower, mean.upper), (Some(0.0), Some(1.0)));
    assert_eq!((difference.lower, difference.upper), (Some(-1.0), Some(1.0)));
    let bounds = |index: usize| (decision.criteria[index].lower, decision.criteria[index].upper);
    assert_eq!(bounds(0), (Some(0.0), Some(1.0)));
    assert_eq!(bounds(1), (Some(-1.0), Some(1.0)));
    assert!(decision.criteria[..2].iter().all(|outcome| outcome.verdict == CriterionVerdict::Inconclusive));
    // Seconds are not clamped.
    let latency = &decision.metrics[1].candidate;
    assert!(latency.upper.is_some_and(|upper| upper > 1.0), "{latency:?}");
    assert!(latency.lower.is_some_and(|lower| lower < 0.0), "{latency:?}");
}
