//! Cases as rows of text.

use std::collections::HashSet;

use super::concern::{self, Concern};
use super::metric_rows::metric_kind;
use super::number::{self, NONE};
use crate::v1::{Case, CaseStatus, Grade, Metric, MetricKind, Passes, Report};

/// A case as a row.
pub(crate) struct CaseRow<'a> {
    pub(crate) case: &'a Case,
    /// The status, or `must pass`.
    pub(crate) label: &'static str,
    /// Passed trials of the baseline: `3/3`.
    pub(crate) baseline: String,
    /// Passed trials of the candidate.
    pub(crate) candidate: String,
    /// The metric that changed most, with its difference.
    pub(crate) difference: Option<(&'a str, String)>,
}

/// The cases that need attention, most urgent first.
pub(crate) fn worst(report: &Report) -> Vec<CaseRow<'_>> {
    let concerns = concern::concerns(report).into_iter();
    concerns.map(|(concern, case)| case_row(report, case, Some(concern))).collect()
}

/// The other cases whose status is not `same`, in dataset order; without those that noise explains where the run passed.
pub(crate) fn changed(report: &Report) -> Vec<CaseRow<'_>> {
    let is_changed = |row: &CaseRow<'_>| match row.case.status {
        CaseStatus::Same => false,
        CaseStatus::Lower | CaseStatus::Higher => !concern::hides_noise(report),
        _ => true,
    };
    others(report).into_iter().filter(is_changed).collect()
}

/// The cases that need no attention, in dataset order.
pub(crate) fn others(report: &Report) -> Vec<CaseRow<'_>> {
    let worst: HashSet<&str> = worst(report).iter().map(|row| row.case.id.as_str()).collect();
    let others = report.cases.iter().filter(|case| !worst.contains(case.id.as_str()));
    others.map(|case| case_row(report, case, None)).collect()
}

fn case_row<'a>(report: &Report, case: &'a Case, concern: Option<Concern>) -> CaseRow<'a> {
    let passes = |passes: Option<Passes>| {
        passes.map_or_else(|| NONE.to_owned(), |passes| format!("{}/{}", passes.passed, passes.of))
    };
    let difference = case.largest_difference.as_ref().map(|largest| {
        (largest.metric.as_str(), number::signed(metric_kind(report, &largest.metric), largest.difference))
    });
    CaseRow {
        case,
        label: concern::label(report, case, concern),
        baseline: passes(case.baseline_passes),
        candidate: passes(case.candidate_passes),
        difference,
    }
}

/// Counts of cases by status: `2 broken, 1 regressed, 27 same`; without a baseline, of failing and passing cases. Where
/// the run passed, moves within noise are not counted apart. Of equal cases those that fail are counted too.
pub(crate) fn tally(report: &Report) -> String {
    const ORDER: [&str; 13] = [
        "broken",
        "regressed",
        "missing",
        "failing",
        "flaky",
        "lower",
        "higher",
        "fixed",
        "improved",
        "same",
        WITHIN_NOISE,
        "passing",
        "graded",
    ];
    let hides_noise = concern::hides_noise(report);
    let any_moved = hides_noise && any_moved(report);
    let name = |case: &Case| match concern::status(report, case) {
        "same" | "lower" | "higher" if any_moved => WITHIN_NOISE,
        status => status,
    };
    let count = |status: &str| report.cases.iter().filter(|case| name(case) == status).count();
    let parts = ORDER.into_iter().map(|status| (status, count(status))).filter(|(_, count)| *count > 0);
    let parts = parts.map(|(status, count)| {
        let text = format!("{} {status}", number::count(count as u64));
        let fails = |case: &&Case| name(case) == status && fails_in_both(case);
        match report.cases.iter().filter(fails).count() {
            failing if failing > 0 && matches!(status, "same" | WITHIN_NOISE) => {
                format!("{text} ({} failing in both)", number::count(failing as u64))
            }
            _ => text,
        }
    });
    parts.collect::<Vec<String>>().join(", ")
}

/// Whether trials of both variants fail.
fn fails_in_both(case: &Case) -> bool {
    let fails = |passes: Option<Passes>| passes.is_some_and(|passes| passes.passed < passes.of);
    !case.failing.is_empty() && fails(case.candidate_passes) && fails(case.baseline_passes)
}

/// The meaning of the statuses in a report that are not plain: `regressed: fell by more than noise explains; …`; `None`
/// without any.
pub(crate) fn legend(report: &Report) -> Option<String> {
    let hides_noise = concern::hides_noise(report);
    let meanings = [
        (CaseStatus::Broken, "broken: every trial passed before and none now"),
        (CaseStatus::Fixed, "fixed: none passed before and every trial now"),
        (CaseStatus::Regressed, "regressed: fell by more than noise explains"),
        (CaseStatus::Improved, "improved: rose by more than noise explains"),
        (CaseStatus::Flaky, "flaky: passes and fails within one variant"),
        (CaseStatus::Lower, "lower: fell, but alone no more than noise can"),
        (CaseStatus::Higher, "higher: rose, but alone no more than noise can"),
        (CaseStatus::Missing, "missing: not graded"),
    ];
    let is_hidden =
        |status: CaseStatus| hides_noise && matches!(status, CaseStatus::Lower | CaseStatus::Higher);
    let shown = meanings
        .into_iter()
        .filter(|(status, _)| !is_hidden(*status) && report.cases.iter().any(|case| case.status == *status));
    let mut shown: Vec<&str> = shown.map(|(_, meaning)| meaning).collect();
    if any_moved(report) && shows_no_noise(report) {
        shown.push("one repeat shows no noise: no case was tested");
    }
    (!shown.is_empty()).then(|| shown.join("; "))
}

fn any_moved(report: &Report) -> bool {
    report.cases.iter().any(|case| matches!(case.status, CaseStatus::Lower | CaseStatus::Higher))
}

/// Whether no gated score has repeats of either variant.
fn shows_no_noise(report: &Report) -> bool {
    let is_gated = |metric: &&Metric| {
        matches!(metric.kind, MetricKind::Check | MetricKind::Judge)
            && report.criteria.iter().any(|criterion| criterion.metric == metric.name)
    };
    let repeats = |metric: &Metric| {
        metric.candidate.repeats.max(metric.baseline.as_ref().map_or(0, |baseline| baseline.repeats))
    };
    report.metrics.iter().filter(is_gated).all(|metric| repeats(metric) <= 1)
}

/// Cases that are the same or moved within noise.
const WITHIN_NOISE: &str = "same within noise";

/// Whether a grade contributes to the failure of its case.
pub(crate) fn fails(case: &Case, grade: &Grade) -> bool {
    grade.score.is_none_or(|score| score < 1.0 && case.failing.contains(&grade.scorer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::v1::Verdict;

    #[test]
    fn equal_cases_that_fail_in_both_variants_are_counted() {
        let mut report = fixtures::fail();
        let same = report.cases.iter().filter(|case| case.status == CaseStatus::Same).count();
        assert!(same > 1 && tally(&report).contains(&format!("{same} same")), "{}", tally(&report));
        assert!(!tally(&report).contains("in both"), "{}", tally(&report));
        let case = report.cases.iter_mut().find(|case| case.status == CaseStatus::Same).unwrap();
        case.failing = vec!["faithfulness".to_owned()];
        (case.candidate_passes, case.baseline_passes) =
            (Some(Passes { passed: 0, of: 3 }), Some(Passes { passed: 0, of: 3 }));
        assert!(tally(&report).contains(&format!("{same} same (1 failing in both)")), "{}", tally(&report));
        report.verdict = Verdict::Pass;
        assert!(tally(&report).contains("(1 failing in both)"), "{}", tally(&report));
    }

    #[test]
    fn legend_says_that_one_repeat_tests_no_case() {
        let mut report = fixtures::inconclusive();
        report.cases[0].status = CaseStatus::Lower;
        let text = legend(&report).unwrap();
        assert!(text.contains("lower: fell, but alone no more than noise can"), "{text}");
        assert!(!text.contains("one repeat"), "{text}");
        for metric in &mut report.metrics {
            metric.candidate.repeats = 1;
            metric.baseline.as_mut().unwrap().repeats = 1;
        }
        let text = legend(&report).unwrap();
        assert!(text.ends_with("one repeat shows no noise: no case was tested"), "{text}");
        // Also where a pass does not list such cases.
        report.verdict = Verdict::Pass;
        assert!(legend(&report).is_some_and(|text| text.contains("no case was tested")));
        report.cases.iter_mut().for_each(|case| case.status = CaseStatus::Same);
        assert_eq!(legend(&report), None);
    }
}
