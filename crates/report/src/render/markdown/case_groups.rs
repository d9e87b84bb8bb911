//! Lists of cases: the worst, then the others shown by the tier.

use minijinja::{Value, context};

use super::{SecondList, Tier};
use crate::v1::{Case, Report, Role};
use crate::view::{self, Sanitizer, number};

/// The cases of a rendering.
pub(super) struct CaseLists<'a> {
    pub(super) worst_title: String,
    /// The worst, which are open.
    pub(super) worst: Vec<view::CaseRow<'a>>,
    pub(super) others_title: String,
    /// The others that need attention or changed, as lines.
    pub(super) others: Vec<Value>,
    /// The number of omitted cases.
    pub(super) left_out: usize,
}

/// Returns the cases of a tier.
pub(super) fn case_lists<'a>(report: &'a Report, tier: Tier, sanitizer: &Sanitizer<'_>) -> CaseLists<'a> {
    let mut worst = view::worst(report);
    let changed = view::changed(report);
    let (need_attention, all) = (worst.len(), worst.len() + changed.len());
    let rest = worst.split_off(tier.worst.min(worst.len()));
    let line = |row: &view::CaseRow<'_>| case_line(row, tier, sanitizer);
    let others: Vec<Value> = match tier.cases {
        SecondList::None => Vec::new(),
        SecondList::Worse => rest.iter().map(line).collect(),
        SecondList::Changed => rest.iter().chain(&changed).map(line).collect(),
    };
    let left_out = all - worst.len() - others.len();
    let count = |count: usize| number::count(count as u64);
    CaseLists {
        worst_title: match (worst.len(), need_attention) {
            (1, 1) => "The case that needs attention".to_owned(),
            (shown, of) if shown == of => format!("The {} cases that need attention", count(of)),
            (shown, of) => format!("The worst {} of {} cases that need attention", count(shown), count(of)),
        },
        others_title: format!("Other cases that changed or need attention ({})", count(others.len())),
        worst,
        others,
        left_out,
    }
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
