//! The worst cases in the static part of the page: question, reasons, both answers.

use serde::Serialize;

use crate::v1::Report;
use crate::view::{self, CaseAnswer, Sanitizer, answers, failure_reasons, number};

/// Cases shown.
const MAX_CASES: usize = 8;
/// Characters of a question.
const MAX_QUESTION: usize = 600;

#[derive(Serialize)]
pub(super) struct WorstCase {
    pub(super) number: usize,
    pub(super) id: String,
    pub(super) query: String,
    pub(super) status: &'static str,
    pub(super) label: &'static str,
    pub(super) before: String,
    pub(super) now: String,
    pub(super) difference: String,
    pub(super) failing: Vec<String>,
    pub(super) reasons: Vec<(String, String)>,
    pub(super) answers: Vec<CaseAnswer>,
}

/// Returns the worst cases and the number of further ones.
pub(super) fn worst(report: &Report, order: &[usize], sanitizer: &Sanitizer<'_>) -> (Vec<WorstCase>, usize) {
    let rows = view::worst(report);
    let more = rows.len().saturating_sub(MAX_CASES);
    let shown = rows.into_iter().take(MAX_CASES).zip(order).map(|(row, index)| WorstCase {
        number: index + 1,
        id: sanitizer.clip(&row.case.id, 120),
        query: sanitizer.clip(&row.case.query, MAX_QUESTION),
        status: row.case.status.as_str(),
        label: row.label,
        before: row.baseline.clone(),
        now: row.candidate.clone(),
        difference: row.difference.as_ref().map_or_else(
            || number::NONE.to_owned(),
            |(metric, difference)| {
                format!("{} {}", number::minus(difference.clone()), sanitizer.clip(metric, 60))
            },
        ),
        failing: row.case.failing.iter().take(8).map(|name| sanitizer.clip(name, 60)).collect(),
        reasons: failure_reasons(row.case, sanitizer),
        answers: answers(row.case, sanitizer),
    });
    (shown.collect(), more)
}
