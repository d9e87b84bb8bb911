//! Cases as rows of text.

use std::collections::HashSet;

use super::concern::{self, Concern};
use super::metric_rows::kind;
use super::number::{self, NONE};
use crate::v1::{Case, CaseStatus, Grade, Passes, Report};

/// A case that wants a look, as a row.
pub(crate) struct CaseRow<'a> {
    /// The case.
    pub(crate) case: &'a Case,
    /// Its status, or that it must pass, in a word.
    pub(crate) words: &'static str,
    /// Trials of the baseline that passed: `3/3`.
    pub(crate) baseline: String,
    /// Trials of the candidate that passed.
    pub(crate) candidate: String,
    /// The metric that lost most, and how much.
    pub(crate) difference: Option<(&'a str, String)>,
}

/// The cases that want a look, the most pressing first.
pub(crate) fn worst(report: &Report) -> Vec<CaseRow<'_>> {
    let concerns = concern::concerns(report).into_iter();
    concerns.map(|(concern, case)| case_row(report, case, Some(concern))).collect()
}

/// The other cases that are not as they were, in dataset order.
pub(crate) fn changed(report: &Report) -> Vec<CaseRow<'_>> {
    let worst: HashSet<&str> = worst(report).iter().map(|row| row.case.id.as_str()).collect();
    let others = |case: &&Case| case.status != CaseStatus::Same && !worst.contains(case.id.as_str());
    report.cases.iter().filter(others).map(|case| case_row(report, case, None)).collect()
}

fn case_row<'a>(report: &Report, case: &'a Case, of: Option<Concern>) -> CaseRow<'a> {
    let passes = |passes: Option<Passes>| {
        passes.map_or_else(|| NONE.to_owned(), |passes| format!("{}/{}", passes.passed, passes.of))
    };
    let difference = case.largest_difference.as_ref().map(|largest| {
        (largest.metric.as_str(), number::signed(kind(report, &largest.metric), largest.difference))
    });
    CaseRow {
        case,
        words: concern::words(report, case, of),
        baseline: passes(case.baseline_passes),
        candidate: passes(case.candidate_passes),
        difference,
    }
}

/// How many cases have which status, in words: `2 broken, 1 regressed, 27 same`; without a baseline how many fail and
/// pass, where anything tells.
pub(crate) fn tally(report: &Report) -> String {
    const ORDER: [&str; 9] =
        ["broken", "regressed", "missing", "failing", "flaky", "fixed", "improved", "same", "passing"];
    let count = |word: &str| report.cases.iter().filter(|case| concern::status(report, case) == word).count();
    let parts = ORDER.into_iter().map(|word| (word, count(word))).filter(|(_, count)| *count > 0);
    let parts: Vec<String> =
        parts.map(|(word, count)| format!("{} {word}", number::count(count as u64))).collect();
    parts.join(", ")
}

/// Whether a grade is among the reasons why its case fails.
pub(crate) fn fails(case: &Case, grade: &Grade) -> bool {
    grade.score.is_none_or(|score| score < 1.0 && case.failing.contains(&grade.scorer))
}
