//! The sentence below the verdict, for all renderings: why it is what it is, in plain words.
//!
//! Of a run that did not pass it is the deciding criterion with the tags that carry its drop. Of a run that passed it
//! is the drop that is excluded. An infrastructure failure has none: its reason is the fault.

mod passed;
mod tags;

use serde::Serialize;

use super::deciding::deciding;
use super::headline::sentence;
use super::number::points;
use crate::v1::{CriterionVerdict, EndedKind, FaultKind, Metric, Reason, ReasonCode, Report, Verdict};
use promptgate_core::gate::NOT_CAUSED;
use promptgate_core::text::Redactor;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Whether it is the name of a tag, which is shown as code.
    pub(crate) is_name: bool,
}

/// Why the verdict is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) pieces: Vec<Piece>,
    /// The criterion that it is about. Its reason would say the same again.
    pub(crate) criterion: Option<String>,
}

impl Why {
    fn of(text: String, criterion: Option<&str>) -> Self {
        Self { pieces: vec![Piece { text, is_name: false }], criterion: criterion.map(str::to_owned) }
    }

    /// The sentence as text, with names in backticks.
    pub(crate) fn plain(&self) -> String {
        let piece =
            |piece: &Piece| if piece.is_name { format!("`{}`", piece.text) } else { piece.text.clone() };
        self.pieces.iter().map(piece).collect()
    }

    fn push(&mut self, text: &str) {
        match self.pieces.last_mut().filter(|last| !last.is_name) {
            Some(last) => last.text.push_str(text),
            None => self.pieces.push(Piece { text: text.to_owned(), is_name: false }),
        }
    }
}

/// Whether a fault of key, network, endpoint or machine ended the run before it could be decided. Such a report has
/// only the fault and the next step: no number in it is about the change.
pub(crate) fn is_infrastructure_failure(report: &Report) -> bool {
    let is_infrastructure = |kind: FaultKind| {
        !matches!(
            kind,
            FaultKind::UnfitJudge
                | FaultKind::BudgetSpent
                | FaultKind::DatasetChanged
                | FaultKind::TargetChanged
                | FaultKind::Interrupted
                | FaultKind::NotCached
        )
    };
    report.verdict == Verdict::Incomplete
        && report.ended.kind == EndedKind::Stopped
        && report.ended.fault.as_ref().is_some_and(|fault| is_infrastructure(fault.kind))
}

/// The sentence below the verdict, redacted; `None` where the reasons say it all.
pub(crate) fn why(report: &Report, redactor: &Redactor) -> Option<Why> {
    match report.verdict {
        Verdict::Inconclusive | Verdict::Incomplete if report.ended.kind == EndedKind::Interrupted => None,
        _ if report.ended.fault.is_some() && report.verdict != Verdict::Fail => None,
        Verdict::Unchanged => None,
        Verdict::Pass => {
            let text = passed::excluded(report)?;
            Some(Why::of(redactor.redact(&text).into_owned(), None))
        }
        Verdict::Fail | Verdict::Inconclusive | Verdict::Incomplete => undecided_or_failed(report, redactor),
    }
}

/// The criterion that decides, or the first reason where no score has the verdict of the run: refusals, a count or missing
/// grades may have decided it.
fn undecided_or_failed(report: &Report, redactor: &Redactor) -> Option<Why> {
    // A count may be what the change caused, where a score is not.
    let is_caused = |explanation: &str| !explanation.contains(NOT_CAUSED);
    let first_is_caused = report.reasons.first().is_some_and(|first| is_caused(&first.message));
    let Some(worst) = deciding(report).filter(|worst| {
        decides(report.verdict, worst.criterion.verdict)
            && (is_caused(&worst.criterion.explanation) || !first_is_caused)
    }) else {
        let first = report.reasons.first()?;
        return Some(Why::of(
            redactor.redact(&sentence(report, first, redactor)).into_owned(),
            first.criterion.as_deref(),
        ));
    };
    let (criterion, metric) = (worst.criterion, worst.metric);
    let id = Some(criterion.id.as_str());
    let fell = criterion.estimate.filter(|estimate| {
        criterion.kind == "baseline" && criterion.verdict == CriterionVerdict::Fail && *estimate < 0.0
    });
    if let Some(difference) = fell {
        let text = format!("{} fell {}", capitalized(&name(metric)), points(-difference));
        let mut why = Why::of(redactor.redact(&text).into_owned(), id);
        tags::add(&mut why, metric, redactor);
        why.push(".");
        return Some(why);
    }
    let reason = report.reasons.iter().find(|reason| reason.criterion == Some(criterion.id.clone()));
    let text =
        reason.map_or_else(|| criterion.explanation.clone(), |reason| sentence(report, reason, redactor));
    let mut why = Why::of(redactor.redact(text.trim_end_matches('.')).into_owned(), id);
    why.push(".");
    // The sentence is not about a drop, so one of its own says what the tags carry.
    let of_suite = criterion.kind != "slice" && criterion.kind != "case";
    if of_suite && !criterion.explanation.contains(NOT_CAUSED) {
        tags::add_measured_drop(&mut why, metric, redactor);
    }
    Some(why)
}

/// Whether a criterion with this verdict explains that of the run.
fn decides(run: Verdict, criterion: CriterionVerdict) -> bool {
    matches!(
        (run, criterion),
        (Verdict::Fail, CriterionVerdict::Fail)
            | (Verdict::Inconclusive, CriterionVerdict::Inconclusive)
            | (Verdict::Incomplete, CriterionVerdict::Incomplete)
    )
}

/// The name of a metric within a sentence.
fn name(metric: &Metric) -> String {
    match metric.name.strip_prefix("check.") {
        Some(check) => format!("check {check}"),
        None => metric.name.replace('_', " "),
    }
}

/// The text with its first letter in upper case.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The reasons that the sentence does not say already. Of an infrastructure failure only the fault remains: its
/// consequences add nothing.
pub(crate) fn further_reasons(report: &Report, why: Option<&Why>, redactor: &Redactor) -> Vec<String> {
    let reasons = super::reasons(report, redactor);
    if is_infrastructure_failure(report) {
        let faults =
            reasons.into_iter().take(super::reasons_before_help(report, report.reasons.len()).max(1));
        return faults.collect();
    }
    let Some(why) = why else { return reasons };
    let is_covered = |reason: &&Reason| match &why.criterion {
        Some(criterion) => reason.criterion.as_ref() == Some(criterion),
        None => why.pieces.first().is_some_and(|piece| piece.text == reason.message),
    };
    let covered = report
        .reasons
        .iter()
        .find(is_covered)
        .filter(|reason| reason.code != ReasonCode::OtherModel)
        .map(|reason| sentence(report, reason, redactor));
    reasons.into_iter().filter(|reason| covered.as_ref() != Some(reason)).collect()
}

#[cfg(test)]
mod tests;
