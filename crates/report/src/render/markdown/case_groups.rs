//! The cases that want a look, as rows: the worst, then the others that the tier shows.

use super::table_lines::{CaseLine, Group};
use super::{Listed, Sanitizer, Tier};
use crate::v1::{Case, Report, Role};
use crate::view::{self, number};

/// The worst cases, then the others that the tier shows, and how many are left out.
pub(super) fn groups(report: &Report, tier: Tier, sanitizer: &Sanitizer<'_>) -> (Vec<Group>, usize) {
    let worst = view::worst(report);
    let others = view::changed(report);
    let line = |row: &view::CaseRow<'_>| case_line(row, tier, sanitizer);
    let first: Vec<CaseLine> = worst.iter().take(tier.worst).map(line).collect();
    let rest: Vec<CaseLine> = match tier.cases {
        Listed::None => Vec::new(),
        Listed::Worse => worst.iter().skip(tier.worst).map(line).collect(),
        Listed::Changed => worst.iter().skip(tier.worst).chain(&others).map(line).collect(),
    };
    let left_out = worst.len() + others.len() - first.len() - rest.len();
    let count = |count: usize| number::count(count as u64);
    let groups = [
        Group {
            title: format!("Worst {} of {}", count(first.len()), super::cases(worst.len())),
            rows: first,
        },
        Group { title: format!("Other cases that changed ({})", count(rest.len())), rows: rest },
    ];
    (groups.into_iter().filter(|group| !group.rows.is_empty()).collect(), left_out)
}

/// How many cases a tier lists.
pub(super) fn listed(report: &Report, tier: Tier) -> usize {
    match tier.cases {
        Listed::Changed => view::worst(report).len() + view::changed(report).len(),
        Listed::Worse => view::worst(report).len(),
        Listed::None => 0,
    }
}

fn case_line(row: &view::CaseRow<'_>, tier: Tier, sanitizer: &Sanitizer<'_>) -> CaseLine {
    let failing: Vec<String> =
        row.case.failing.iter().take(3).map(|metric| sanitizer.clip(metric, tier.text.min(40))).collect();
    CaseLine {
        id: sanitizer.clip(&row.case.id, tier.text.min(60)),
        query: sanitizer.clip(&row.case.query, tier.text.min(80)),
        status: row.label,
        baseline: row.baseline.clone(),
        candidate: row.candidate.clone(),
        difference: row.difference.as_ref().map_or_else(
            || number::NONE.to_owned(),
            |(metric, difference)| {
                format!("{} {}", super::minus(difference.clone()), sanitizer.clip(metric, tier.text.min(40)))
            },
        ),
        failing: if failing.is_empty() { number::NONE.to_owned() } else { failing.join(", ") },
        reason: match reason(row.case) {
            none if none.is_empty() => number::NONE.to_owned(),
            reason => sanitizer.clip(&reason, tier.text.min(120)),
        },
    }
}

/// Why the first failing trial of the candidate fails.
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
