//! The worst cases in the static part of the page: question, reasons, both answers.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::trial_data::{EntryData, judgements};
use crate::v1::{Case, Report, Role};
use crate::view::{self, Sanitizer, answers, fails, failure_reasons, number};

/// Cases shown.
const MAX_CASES: usize = 8;
/// Statements shown.
const MAX_STATEMENTS: usize = 2;
/// Verdicts on what is right in an answer.
const ACCEPTED: [&str; 4] = ["supported", "yes", "no_claim", "fulfilled"];
/// Characters of a question.
const MAX_QUESTION: usize = 600;

/// Returns the worst cases and the number of further ones.
pub(super) fn worst(report: &Report, order: &[usize], sanitizer: &Sanitizer<'_>) -> (Value, usize) {
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
        quotes => Serde(failed_statements(row.case, sanitizer)),
    });
    (shown.collect(), more)
}

/// The first statements that the judges do not accept in the answer that is shown, with their quotes.
fn failed_statements(case: &Case, sanitizer: &Sanitizer<'_>) -> Vec<EntryData> {
    let repeat = view::shown_repeat(case);
    let is_shown = |role: Role, of: u32| role == Role::Candidate && Some(of) == repeat;
    let shown = case.trials.readable().find(|trial| is_shown(trial.role, trial.repeat));
    let Some(trial) = shown else { return Vec::new() };
    let failing = trial.grades.iter().filter(|grade| fails(case, grade));
    let entries = failing.flat_map(|grade| judgements(&grade.details, sanitizer)).flat_map(|of| of.entries);
    entries.filter(|entry| !ACCEPTED.contains(&entry.verdict.as_str())).take(MAX_STATEMENTS).collect()
}
