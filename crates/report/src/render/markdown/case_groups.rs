//! Lists of cases: the worst, then the others shown by the tier.

use minijinja::{Value, context};

use super::{SecondList, Tier};
use crate::v1::{Case, CaseStatus, Report, Role};
use crate::view::{self, Sanitizer, number};

/// Returns the lists of cases and the number of omitted cases.
pub(super) fn groups(report: &Report, tier: Tier, sanitizer: &Sanitizer<'_>) -> (Value, usize) {
    let worst = view::worst(report);
    let others = view::changed(report);
    let line = |row: &view::CaseRow<'_>| case_line(row, tier, sanitizer);
    let first: Vec<Value> = worst.iter().take(tier.worst).map(line).collect();
    let rest: Vec<&view::CaseRow<'_>> = match tier.cases {
        SecondList::None => Vec::new(),
        SecondList::Worse => worst.iter().skip(tier.worst).collect(),
        SecondList::Changed => worst.iter().skip(tier.worst).chain(&others).collect(),
    };
    let left_out = worst.len() + others.len() - first.len() - rest.len();
    // A case without its grades has not changed as far as anyone knows.
    let (missing, rest): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|row| row.case.status == CaseStatus::Missing);
    let lines = |rows: Vec<&view::CaseRow<'_>>| -> Vec<Value> { rows.into_iter().map(line).collect() };
    let count = |count: usize| number::count(count as u64);
    let of = number::counted(worst.len() as u64, "case");
    let groups = [
        (format!("Worst {} of {of}", count(first.len())), first),
        (format!("Other cases that changed ({})", count(rest.len())), lines(rest)),
        (format!("Cases with missing grades ({})", count(missing.len())), lines(missing)),
    ];
    let groups = groups.into_iter().filter(|(_, rows)| !rows.is_empty());
    (groups.map(|(title, rows)| context! { title, rows }).collect(), left_out)
}

/// The number of cases listed by a tier.
pub(super) fn listed_count(report: &Report, tier: Tier) -> usize {
    match tier.cases {
        SecondList::Changed => view::worst(report).len() + view::changed(report).len(),
        SecondList::Worse => view::worst(report).len(),
        SecondList::None => 0,
    }
}

fn case_line(row: &view::CaseRow<'_>, tier: Tier, sanitizer: &Sanitizer<'_>) -> Value {
    let failing: Vec<String> =
        row.case.failing.iter().take(3).map(|metric| sanitizer.clip(metric, tier.text.min(40))).collect();
    context! {
        id => sanitizer.clip(&row.case.id, tier.text.min(60)),
        query => sanitizer.clip(&row.case.query, tier.text.min(80)),
        status => row.label,
        baseline => row.baseline.clone(),
        candidate => row.candidate.clone(),
        difference => row.difference.as_ref().map_or_else(
            || number::NONE.to_owned(),
            |(metric, difference)| {
                format!("{} {}", number::minus(difference.clone()), sanitizer.clip(metric, tier.text.min(40)))
            },
        ),
        failing => if failing.is_empty() { number::NONE.to_owned() } else { failing.join(", ") },
        reason => match reason(row.case) {
            reason if reason.is_empty() => number::NONE.to_owned(),
            reason => sanitizer.clip(&reason, tier.text.min(120)),
        },
    }
}

/// The reason of the first failing grade of the candidate, else its first fault.
fn reason(case: &Case) -> String {
    let mut fault = None;
    for trial in case.trials.readable().filter(|trial| trial.role == Role::Candidate) {
        if let Some(grade) = trial.grades.iter().find(|grade| view::fails(case, grade)) {
            return grade.reason.clone();
        }
        fault = fault.or_else(|| trial.error.as_ref().map(|fault| fault.message.clone()));
    }
    fault.unwrap_or_default()
}
