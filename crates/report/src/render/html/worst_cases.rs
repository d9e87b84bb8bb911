//! The worst cases in the static part of the page: question, reasons, both answers.

use minijinja::value::Serde;
use minijinja::{Value, context};

use crate::v1::{Case, Report};
use crate::view::{self, FailingStatement, Sanitizer, answers, failing_statements, failure_reasons, number};

/// Cases shown.
const MAX_CASES: usize = 8;
/// Characters of a question.
const MAX_QUESTION: usize = 600;

/// Returns the worst cases and the number of further ones.
pub(super) fn worst(report: &Report, order: &[usize], sanitizer: &Sanitizer<'_>) -> (Value, usize) {
    let statements = |case: &Case| -> Vec<FailingStatement> {
        let repeat = view::shown_repeat(case);
        repeat.map_or_else(Vec::new, |repeat| failing_statements(case, repeat, MAX_QUESTION, sanitizer))
    };
    let rows = view::worst(report);
    let more = rows.len().saturating_sub(MAX_CASES);
    let shown = rows.into_iter().take(MAX_CASES).zip(order).map(|(row, index)| context! {
        number => index + 1,
        id => sanitizer.clip(&row.case.id, 120),
        query => sanitizer.clip(&row.case.query, MAX_QUESTION),
        status => row.case.status.as_str(),
        label => row.label,
        before => row.baseline.clone(),
        now => row.candidate.clone(),
        difference => row.difference.as_ref().map_or_else(
            || number::NONE.to_owned(),
            |(metric, difference)| {
                format!("{} {}", number::minus(difference.clone()), sanitizer.clip(metric, 60))
            },
        ),
        failing => row.case.failing.iter().take(8).map(|name| sanitizer.clip(name, 60)).collect::<Value>(),
        reasons => Serde(failure_reasons(row.case, sanitizer)),
        answers => Serde(answers(row.case, sanitizer)),
        statements => Serde(statements(row.case)),
    });
    (shown.collect(), more)
}
