//! The headline of a report: its verdict in a word, and the reasons.

use promptgate_core::model::{Requirement, Role};
use promptgate_core::text::{Redactor, neutral};

use super::number;
use crate::v1::{Case, EndedKind, Reason, ReasonCode, Report, Verdict};

/// Cases named in a reason.
const MAX_NAMED: usize = 5;

/// Whether no metric of the candidate has a value, so that all tables would be empty.
pub(crate) fn nothing_measured(report: &Report) -> bool {
    report.metrics.iter().all(|metric| metric.candidate.mean.is_none())
}

/// The reasons as sentences. A failed check names its cases; criteria left undecided by an early end are summarized in
/// one sentence. Names are redacted before they are cut, since half a secret would not be recognized.
pub(crate) fn reasons(report: &Report, redactor: &Redactor) -> Vec<String> {
    let early = matches!(report.ended.kind, EndedKind::Stopped | EndedKind::Interrupted);
    let is_consequence =
        |reason: &Reason| early && reason.code == ReasonCode::MissingGrades && reason.criterion.is_some();
    let consequences = report.reasons.iter().filter(|reason| is_consequence(reason)).count();
    if consequences < 2 {
        return report.reasons.iter().map(|reason| sentence(report, reason, redactor)).collect();
    }
    let mut sentences: Vec<String> = report
        .reasons
        .iter()
        .filter(|reason| !is_consequence(reason))
        .map(|reason| sentence(report, reason, redactor))
        .collect();
    sentences.push(format!(
        "{} of {} criteria could not be decided because answers are missing.",
        number::count(consequences as u64),
        number::count(report.criteria.len() as u64)
    ));
    sentences
}

/// How many of `reasons` come before the next step: those up to the fault that ended the run. The ones behind it follow
/// from it, as missing grades do.
pub(crate) fn reasons_before_help(report: &Report, reasons: usize) -> usize {
    let fault = report.ended.fault.as_ref();
    let is_fault = |reason: &Reason| {
        reason.criterion.is_none() && fault.is_some_and(|fault| fault.message == reason.message)
    };
    report.reasons.iter().position(is_fault).map_or(reasons, |index| (index + 1).min(reasons))
}

/// A reason with the names of the cases that fail its check.
pub(crate) fn sentence(report: &Report, reason: &Reason, redactor: &Redactor) -> String {
    let criterion = reason
        .criterion
        .as_ref()
        .filter(|_| reason.code == ReasonCode::CheckFailed)
        .and_then(|id| report.criteria.iter().find(|criterion| criterion.id == *id));
    let Some(criterion) = criterion else { return reason.message.clone() };
    let failing = report.cases.iter().filter(|case| case.failing.contains(&criterion.metric));
    let requirement = report.policy.criteria.iter().find(|of| of.id == criterion.id).map(|of| of.requirement);
    let is_new = requirement == Some(Requirement::NoNewFailures);
    let (known, failing): (Vec<&Case>, Vec<&Case>) =
        failing.partition(|case| is_new && failed_before(case, &criterion.metric));
    let name = |case: &&Case| neutral::clip(&redactor.redact(&case.id), 32);
    let mut names: Vec<String> = failing.iter().take(MAX_NAMED).map(name).collect();
    if failing.len() > MAX_NAMED {
        names.push(format!("{} more", number::count((failing.len() - MAX_NAMED) as u64)));
    }
    let mut sentence = match names.as_slice() {
        [] => reason.message.clone(),
        [name] => format!("{} Case: {name}.", reason.message),
        [names @ .., last] => format!("{} Cases: {} and {last}.", reason.message, names.join(", ")),
    };
    match known.len() {
        0 => {}
        1 => sentence.push_str(" 1 more case fails it as before."),
        more => sentence.push_str(&format!(" {} more cases fail it as before.", number::count(more as u64))),
    }
    sentence
}

/// Whether a trial of the baseline fails a check.
fn failed_before(case: &Case, metric: &str) -> bool {
    let mut trials = case.trials.readable().filter(|trial| trial.role == Role::Baseline);
    trials.any(|trial| {
        let grade = trial.grades.iter().find(|grade| grade.scorer == metric);
        grade.and_then(|grade| grade.score).is_some_and(|score| score < 1.0)
    })
}

/// The first word of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headline {
    /// The run was interrupted before it failed.
    Interrupted,
    Verdict(Verdict),
}

impl Headline {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Verdict(verdict) => verdict.as_str(),
        }
    }
}

/// Returns the first word of a report.
pub(crate) fn headline(report: &Report) -> Headline {
    match report.verdict {
        verdict if verdict != Verdict::Fail && report.ended.kind == EndedKind::Interrupted => {
            Headline::Interrupted
        }
        verdict => Headline::Verdict(verdict),
    }
}

/// Whether the exit code is 0 although the run did not pass and nobody overrode it.
pub(crate) fn is_non_blocking(report: &Report) -> bool {
    report.exit_code == 0
        && report.overridden.is_none()
        && !matches!(report.verdict, Verdict::Pass | Verdict::Unchanged)
}
