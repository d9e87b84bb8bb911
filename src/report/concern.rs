//! Which cases want a look, and why, the most pressing first: one order for all that list cases.

use super::v1::{Case, CaseStatus, Report};

/// Why a case wants a look; the first is the most pressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// It must pass, and fewer than half of its trials do: that alone fails the run.
    MustPass,
    /// Every trial passed before, and every one fails now.
    Broken,
    /// It must pass, and some of its trials do not.
    MustPassInDoubt,
    /// It got worse by more than the resolution.
    Regressed,
    /// Something fails in it, and there is no baseline to have got worse than.
    Fails,
    /// An answer or a grade is missing.
    Missing,
}

/// The cases that want a look, by concern, then by loss, then in dataset order.
pub fn concerns(report: &Report) -> Vec<(Concern, &Case)> {
    let alone = report.variants.baseline.is_none();
    let loss = |case: &Case| case.largest_difference.as_ref().map_or(0.0, |largest| largest.difference);
    let found = report.cases.iter().filter_map(|case| of(case, alone).map(|concern| (concern, case)));
    let mut cases: Vec<(Concern, &Case)> = found.collect();
    // The sort is stable: equal ones stay in dataset order.
    cases.sort_by(|(one, case), (two, other)| one.cmp(two).then_with(|| loss(case).total_cmp(&loss(other))));
    cases
}

fn of(case: &Case, alone: bool) -> Option<Concern> {
    let passes = case.candidate_passes.filter(|passes| case.must_pass && passes.passed < passes.of);
    if passes.is_some_and(|passes| passes.passed < passes.of - passes.passed) {
        return Some(Concern::MustPass);
    }
    match case.status {
        CaseStatus::Broken => Some(Concern::Broken),
        _ if passes.is_some() => Some(Concern::MustPassInDoubt),
        CaseStatus::Regressed => Some(Concern::Regressed),
        _ if alone && !case.failing.is_empty() => Some(Concern::Fails),
        CaseStatus::Missing => Some(Concern::Missing),
        CaseStatus::Fixed | CaseStatus::Improved | CaseStatus::Flaky | CaseStatus::Same => None,
    }
}

/// What is said of a case in a word: its status; without a baseline, where nothing can be the same as before, how it
/// does.
pub(super) fn status(report: &Report, case: &Case) -> &'static str {
    match case.status {
        CaseStatus::Same if report.variants.baseline.is_none() => match case.candidate_passes {
            _ if !case.failing.is_empty() => "failing",
            Some(passes) if passes.passed == passes.of => "passing",
            _ => "graded",
        },
        status => status.as_str(),
    }
}

/// The same of a case in a list of concerns: that it must pass comes before what it was before.
pub(super) fn words(report: &Report, case: &Case, concern: Option<Concern>) -> &'static str {
    match concern {
        Some(Concern::MustPass | Concern::MustPassInDoubt) if case.status != CaseStatus::Broken => {
            "must pass"
        }
        _ => status(report, case),
    }
}
