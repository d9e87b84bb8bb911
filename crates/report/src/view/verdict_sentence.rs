//! The sentence below the verdict, for all renderings: why it is what it is, in plain words.
//!
//! Of a run that did not pass it is the deciding criterion with the tags that carry its drop. Of a run that passed it
//! is the drop that is excluded. An infrastructure failure has none: its reason is the fault.

use serde::Serialize;

use super::deciding::deciding;
use super::headline::sentence;
use super::number::{self, points};
use crate::v1::{
    Criterion, CriterionVerdict, EndedKind, FaultKind, Metric, MetricKind, Reason, ReasonCode, Report,
    Requirement, Verdict,
};
use promptgate_core::text::{Redactor, neutral};

/// Characters of a tag.
const MAX_TAG: usize = 40;
/// Share of a drop from which its tags carry nearly all of it.
const NEARLY_ALL: f64 = 0.8;

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
        Verdict::Pass => passed(report, redactor),
        Verdict::Fail | Verdict::Inconclusive | Verdict::Incomplete => undecided_or_failed(report, redactor),
    }
}

fn undecided_or_failed(report: &Report, redactor: &Redactor) -> Option<Why> {
    let worst = deciding(report).filter(|worst| {
        let first = report.criteria.iter().map(|criterion| super::verdict_rank(criterion.verdict)).min();
        first == Some(super::verdict_rank(worst.criterion.verdict))
            && worst.criterion.verdict != CriterionVerdict::Pass
    });
    let Some(worst) = worst else {
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
    let mut why = match fell {
        Some(difference) => Why::of(
            redactor.redact(&format!("{} fell {}", named(metric), points(-difference))).into_owned(),
            id,
        ),
        None => {
            let reason = report.reasons.iter().find(|reason| reason.criterion == Some(criterion.id.clone()));
            let text = reason
                .map_or_else(|| criterion.explanation.clone(), |reason| sentence(report, reason, redactor));
            Why::of(redactor.redact(text.trim_end_matches('.')).into_owned(), id)
        }
    };
    if criterion.kind != "slice" && criterion.kind != "case" {
        add_tags(&mut why, metric, redactor);
    }
    why.push(".");
    Some(why)
}

/// Adds the tags that carry the drop of the metric.
fn add_tags(why: &mut Why, metric: &Metric, redactor: &Redactor) {
    let Some(carried) = &metric.carried_by else { return };
    why.push(if carried.share >= NEARLY_ALL { "; nearly all of it in " } else { "; most of it in " });
    let last = carried.tags.len().saturating_sub(1);
    for (index, drop) in carried.tags.iter().enumerate() {
        why.push(match index {
            0 => "",
            _ if index == last => " and ",
            _ => ", ",
        });
        let text = neutral::clip(&redactor.redact(&drop.tag), MAX_TAG);
        why.pieces.push(Piece { text, is_name: true });
        let size = drop.difference * 100.0;
        let size = if size.abs() >= 1.0 { format!("{size:.0}") } else { format!("{size:.1}") };
        why.push(&format!(" ({})", number::minus(size)));
    }
}

/// The drop that a run that passed excludes.
fn passed(report: &Report, redactor: &Redactor) -> Option<Why> {
    let compared: Vec<(&Criterion, &Metric)> = report
        .criteria
        .iter()
        .filter(|criterion| criterion.kind == "baseline" && is_not_worse(report, criterion))
        .filter_map(|criterion| Some((criterion, score(report, &criterion.metric)?)))
        .collect();
    let text = match compared.is_empty() {
        true => requirements_met(report),
        false => excluded(report, &compared)?,
    };
    Some(Why::of(redactor.redact(&text).into_owned(), None))
}

/// The largest drop that the comparisons leave possible.
fn excluded(report: &Report, compared: &[(&Criterion, &Metric)]) -> Option<String> {
    let possible = |criterion: &Criterion| {
        let bound = if super::is_literal(criterion) { criterion.estimate } else { criterion.lower };
        bound.map_or(1.0, |bound| (-bound).clamp(0.0, 1.0))
    };
    let (criterion, metric) =
        compared.iter().max_by(|(one, _), (other, _)| possible(one).total_cmp(&possible(other)))?;
    let drop = possible(criterion);
    let repeats = compared.iter().map(|(criterion, _)| criterion.repeats).max().unwrap_or(report.repeats);
    let repeats = number::counted(u64::from(repeats), "repeat");
    let of =
        if compared.len() > 1 { format!(" (in {})", metric.name.replace('_', " ")) } else { String::new() };
    Some(match (criterion.method.as_str(), drop > 0.0) {
        (_, false) => format!("No gated metric fell, {repeats}."),
        ("point", true) => {
            format!(
                "The largest measured drop is {}{of}, compared without regard to chance, {repeats}.",
                points(drop)
            )
        }
        (_, true) => format!("No drop larger than {}{of}, {repeats}.", points(drop)),
    })
}

/// The mean nearest to its minimum, or the number of requirements, where nothing is compared.
fn requirements_met(report: &Report) -> String {
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let nearest = deciding(report).filter(|nearest| nearest.criterion.kind == "threshold");
    match nearest {
        Some(nearest) => format!("{}, {repeats}.", nearest.criterion.explanation.trim_end_matches('.')),
        None => {
            let criteria = number::counted(report.criteria.len() as u64, "requirement");
            let cases = number::counted(report.cases.len() as u64, "case");
            let met = if report.criteria.len() == 1 { "is met" } else { "are all met" };
            format!("{criteria} {met}: {cases}, {repeats}.")
        }
    }
}

fn is_not_worse(report: &Report, criterion: &Criterion) -> bool {
    let requirement = report.policy.criteria.iter().find(|of| of.id == criterion.id).map(|of| of.requirement);
    matches!(requirement, None | Some(Requirement::NotWorse { .. }))
}

fn score<'a>(report: &'a Report, name: &str) -> Option<&'a Metric> {
    let is_score = |metric: &&Metric| matches!(metric.kind, MetricKind::Check | MetricKind::Judge);
    report.metrics.iter().find(|metric| metric.name == name).filter(is_score)
}

/// The name of a metric at the start of a sentence.
fn named(metric: &Metric) -> String {
    let name = match metric.name.strip_prefix("check.") {
        Some(check) => return format!("Check {check}"),
        None => metric.name.replace('_', " "),
    };
    let mut letters = name.chars();
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
