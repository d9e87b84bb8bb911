//! Contradictions between the parts of a decision: verdict, criteria, reasons, looks and exit code.

use std::collections::BTreeSet;

use super::{CriterionVerdict, EndedKind, ReasonCode, Report, Verdict};
use promptgate_core::text::neutral;

/// The exit code of an interrupted run, whatever its verdict.
const INTERRUPTED: u8 = 130;

/// The contradictions between the parts of the decision. The grades are not decided again.
pub(super) fn decision_contradictions(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(wrong_verdict(report));
    found.extend(wrong_reasons(report));
    found.extend(wrong_exit_code(report));
    if let Some(look) = report.looks.last().filter(|look| look.verdict != expected_of_look(report)) {
        let (look, verdict) = (look.verdict.as_str(), report.verdict.as_str());
        found.push(format!("`verdict` is {verdict}, but the last of `looks` is {look}"));
    }
    found
}

/// The verdict of the last look. The pass of a partial run is withheld after it.
fn expected_of_look(report: &Report) -> Verdict {
    let is_withheld = report.reasons.iter().any(|reason| reason.code == ReasonCode::PartialRun);
    if is_withheld && report.dataset.partial.is_some() { Verdict::Pass } else { report.verdict }
}

/// A verdict that does not follow from the criteria, the refusals and the end of the run.
fn wrong_verdict(report: &Report) -> Option<String> {
    let refusals = report.refusals.as_ref().map(|of| ("refusals", of.verdict));
    let criteria = report.criteria.iter().map(|criterion| (criterion.id.as_str(), criterion.verdict));
    let all: Vec<(&str, CriterionVerdict)> = criteria.chain(refusals).collect();
    let named = |wanted: CriterionVerdict| all.iter().copied().find(|(_, verdict)| *verdict == wanted);
    let worst = [CriterionVerdict::Fail, CriterionVerdict::Incomplete, CriterionVerdict::Inconclusive];
    let worst = worst.into_iter().find_map(named);
    let ended = report.ended.kind;
    let follows = match (report.verdict, worst.map(|(_, verdict)| verdict)) {
        (Verdict::Fail, worst) => worst == Some(CriterionVerdict::Fail),
        (_, Some(CriterionVerdict::Fail)) => false,
        (Verdict::Incomplete, _) => true,
        (_, Some(CriterionVerdict::Incomplete)) => false,
        (_, _) if ended != EndedKind::Completed => false,
        (Verdict::Inconclusive, worst) => worst.is_some() || report.dataset.partial.is_some(),
        (Verdict::Pass, worst) => worst.is_none() && report.dataset.partial.is_none(),
        (Verdict::Unchanged, _) => false,
    };
    let verdict = report.verdict.as_str();
    (!follows).then(|| match worst {
        Some((id, worst)) => {
            format!("`verdict` is {verdict}, but criterion `{}` is {}", neutral::terminal(id), worst.as_str())
        }
        None if ended != EndedKind::Completed => {
            format!("`verdict` is {verdict}, but the run ended as {}", ended.as_str())
        }
        None if report.dataset.partial.is_some() => {
            format!("`verdict` is {verdict}, but a partial run cannot pass")
        }
        None => format!("`verdict` is {verdict}, but every criterion passes"),
    })
}

/// Reasons that are not those of the criteria. Every criterion that does not pass has one.
fn wrong_reasons(report: &Report) -> Option<String> {
    let open = report.criteria.iter().filter(|criterion| criterion.verdict != CriterionVerdict::Pass);
    let expected: BTreeSet<&str> = open.map(|criterion| criterion.id.as_str()).collect();
    let named: BTreeSet<&str> =
        report.reasons.iter().filter_map(|reason| reason.criterion.as_deref()).collect();
    if let Some(id) = named.symmetric_difference(&expected).next() {
        let id = neutral::terminal(id);
        return Some(match named.contains(id.as_str()) {
            true => format!("`reasons` name criterion `{id}`, which passes or does not exist"),
            false => format!("`reasons` lack criterion `{id}`, which does not pass"),
        });
    }
    let of_run = report.reasons.iter().find(|reason| reason.code != ReasonCode::OtherModel);
    let of_run = of_run.filter(|_| report.verdict == Verdict::Pass)?;
    Some(format!("`verdict` is pass, but `reasons` have {}", of_run.code.as_str()))
}

/// An exit code that no option gives to the verdict: it is that of the verdict, or 0 where an option or an override
/// excuses it.
fn wrong_exit_code(report: &Report) -> Option<String> {
    let own = match report.verdict {
        Verdict::Pass | Verdict::Unchanged => 0,
        Verdict::Fail => 10,
        Verdict::Inconclusive => 11,
        Verdict::Incomplete => 12,
    };
    let (code, verdict) = (report.exit_code, report.verdict.as_str());
    let fits = match report.ended.kind {
        EndedKind::Interrupted => code == INTERRUPTED || code == 0,
        _ => code == own || code == 0,
    };
    (!fits).then(|| format!("`exit_code` is {code}, but `verdict` is {verdict}"))
}
