//! The headline of a report: its verdict in a word, and the reasons.

use promptgate_core::text::{Redactor, neutral};

use super::number;
use crate::v1::{Case, EndedKind, FaultKind, Reason, ReasonCode, Report, Verdict};

/// Cases that a reason names.
const NAMED: usize = 5;

/// Whether no answer of the candidate was graded or measured: tables would be empty.
pub(crate) fn nothing_measured(report: &Report) -> bool {
    report.metrics.iter().all(|metric| metric.candidate.mean.is_none())
}

/// The reasons in words: a failed check with its cases, what merely follows from an early end as one. A name is cut
/// only after secrets are out of it, since half of one would not be known.
pub(crate) fn reasons(report: &Report, redactor: &Redactor) -> Vec<String> {
    let early = matches!(report.ended.kind, EndedKind::Stopped | EndedKind::Interrupted);
    let follows =
        |reason: &Reason| early && reason.code == ReasonCode::MissingGrades && reason.criterion.is_some();
    let following = report.reasons.iter().filter(|reason| follows(reason)).count();
    if following < 2 {
        return report.reasons.iter().map(|reason| reason_words(report, reason, redactor)).collect();
    }
    let mut words: Vec<String> = report
        .reasons
        .iter()
        .filter(|reason| !follows(reason))
        .map(|reason| reason_words(report, reason, redactor))
        .collect();
    words.push(format!(
        "{} of {} criteria could not be decided for want of answers.",
        number::count(following as u64),
        number::count(report.criteria.len() as u64)
    ));
    words
}

fn reason_words(report: &Report, reason: &Reason, redactor: &Redactor) -> String {
    let criterion = reason
        .criterion
        .as_ref()
        .filter(|_| reason.code == ReasonCode::CheckFailed)
        .and_then(|id| report.criteria.iter().find(|criterion| criterion.id == *id));
    let Some(criterion) = criterion else { return reason.message.clone() };
    let failing: Vec<&Case> =
        report.cases.iter().filter(|case| case.failing.contains(&criterion.metric)).collect();
    let name = |case: &&Case| neutral::clip(&redactor.redact(&case.id), 32);
    let mut names: Vec<String> = failing.iter().take(NAMED).map(name).collect();
    if failing.len() > NAMED {
        names.push(format!("{} more", number::count((failing.len() - NAMED) as u64)));
    }
    match names.as_slice() {
        [] => reason.message.clone(),
        [name] => format!("{} The case: {name}.", reason.message),
        [names @ .., last] => format!("{} The cases: {} and {last}.", reason.message, names.join(", ")),
    }
}

/// What a report starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Somebody stopped it before it was done, and nothing failed until then.
    Interrupted,
    /// There was no key, and so not one answer.
    NotEvaluated,
    /// The verdict.
    Of(Verdict),
}

impl Standing {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::NotEvaluated => "not evaluated",
            Self::Of(verdict) => verdict.as_str(),
        }
    }
}

/// What the report starts with.
pub(crate) fn standing(report: &Report) -> Standing {
    let without_key =
        || report.ended.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::MissingCredentials);
    match report.verdict {
        verdict if verdict != Verdict::Fail && report.ended.kind == EndedKind::Interrupted => {
            Standing::Interrupted
        }
        Verdict::Incomplete if without_key() && nothing_measured(report) => Standing::NotEvaluated,
        verdict => Standing::Of(verdict),
    }
}

/// Whether the exit code is 0 though the run did not pass.
pub(crate) fn is_let_through(report: &Report) -> bool {
    report.exit_code == 0 && !matches!(report.verdict, Verdict::Pass | Verdict::Unchanged)
}
