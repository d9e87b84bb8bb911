//! Combines the decision as answered with the decision by first attempts.

use crate::model::{
    Criterion, CriterionOutcome, CriterionVerdict, FirstAttemptsOutcome, MetricKind, Policy, Requirement,
    Rule,
};

use super::criterion::{CriterionEvidence, LookData, parameter};
use super::decide::{combine_fills, verdicts};
use super::first_attempts::{ContestedCounts, MinimumFaults, literal_verdict, minimum_faults};
use super::numbers::{points, score, trimmed};

/// The decision on one criterion by first attempts.
pub(super) struct SecondDecision {
    counts: ContestedCounts,
    /// `None` for a literal criterion.
    evidence: Option<CriterionEvidence>,
    /// A fail means that retries may have hidden a loss.
    verdict: CriterionVerdict,
}

impl SecondDecision {
    /// The verdict on the criterion, given the verdict as answered: a pass needs both, a fail only the latter.
    pub(super) fn combine(&self, answered: CriterionVerdict) -> CriterionVerdict {
        match (answered, self.verdict) {
            (CriterionVerdict::Fail, _) => CriterionVerdict::Fail,
            (_, CriterionVerdict::Fail) => CriterionVerdict::Incomplete,
            (CriterionVerdict::Pass, by_first_attempts) => by_first_attempts,
            (answered, _) => answered,
        }
    }

    /// Whether more repeats could decide it.
    pub(super) fn gains_by_repeats(&self) -> bool {
        match &self.evidence {
            Some(evidence) => evidence.gains_by_repeats(),
            None => self.verdict == CriterionVerdict::Inconclusive,
        }
    }

    /// Adds it to an outcome, and explains the verdict where this decision led to it. `name` is the subject of the
    /// sentence.
    pub(super) fn report(
        &self,
        data: &LookData<'_>,
        criterion: &Criterion,
        answered: CriterionVerdict,
        name: &str,
        outcome: &mut CriterionOutcome,
    ) {
        let kind = data.analysis.metric(&criterion.metric).map_or(MetricKind::Judge, |metric| metric.kind);
        let bound = |bound: Option<f64>| match parameter(criterion) {
            Some(parameter) => bound.map(|bound| parameter.reported(kind, bound)),
            None => bound,
        };
        let ContestedCounts { candidate, candidate_trials, baseline, baseline_trials } = self.counts;
        let evidence = self.evidence.as_ref();
        let by_first_attempts = FirstAttemptsOutcome {
            candidate,
            candidate_trials,
            baseline,
            baseline_trials,
            estimate: evidence.and_then(|evidence| evidence.observed),
            lower: bound(evidence.and_then(|evidence| evidence.worst.lower)),
            upper: bound(evidence.and_then(|evidence| evidence.best().upper)),
            p: evidence.and_then(|evidence| evidence.best().p),
            verdict: self.verdict,
        };
        if outcome.verdict != answered {
            outcome.explanation = self.explain(criterion, name, &by_first_attempts, outcome);
            if outcome.verdict == CriterionVerdict::Inconclusive {
                outcome.need = evidence.and_then(|evidence| evidence.worst.need);
            }
        }
        outcome.first_attempts = Some(by_first_attempts);
    }

    fn explain(
        &self,
        criterion: &Criterion,
        name: &str,
        first: &FirstAttemptsOutcome,
        outcome: &CriterionOutcome,
    ) -> String {
        let counts = self.counts.describe();
        let came = format!(
            "{counts} came only after a failed attempt (a timeout, a 5xx or a cut reply) or not at all"
        );
        let p =
            first.p.map(|p| format!(" (p {})", trimmed(p, if p < 0.01 { 4 } else { 3 }))).unwrap_or_default();
        let estimate = first.estimate.unwrap_or_default();
        let next =
            "see `attempts` of these trials in report.json, remove the cause, and run again with --refresh";
        let is_hidden =
            outcome.verdict == CriterionVerdict::Incomplete && self.verdict == CriterionVerdict::Fail;
        match criterion.requirement {
            Requirement::NotWorse { .. } if is_hidden => {
                let loss = points(-estimate.min(0.0));
                format!(
                    "{name} may look better than it is: {came}. Counted as 0, they make it {loss} lower than the \
                     baseline's{p}, and retries may have replaced bad answers; {next}."
                )
            }
            Requirement::NotWorse { .. } => {
                let low = points(first.lower.map_or(1.0, |lower| (-lower).clamp(0.0, 1.0)));
                format!(
                    "{name} would pass, but {came}; with these counted as 0, a drop of up to {low} cannot be ruled out."
                )
            }
            Requirement::WinRate { .. } if is_hidden => format!(
                "{name} may look better than it is: {came}. Counted as lost, they make the candidate's win rate {}{p}, and \
                 retries may have replaced bad answers; {next}.",
                score(estimate, 2)
            ),
            Requirement::WinRate { .. } => format!(
                "{name} would pass, but {came}; with these counted as lost, a win rate as low as {} cannot be ruled out.",
                score(first.lower.unwrap_or_default(), 2)
            ),
            Requirement::Minimum { value } => {
                let low = score(first.lower.unwrap_or_default().clamp(0.0, 1.0), 2);
                let then = if is_hidden { format!("; {next}") } else { String::new() };
                format!(
                    "{name} would pass, but {came}; with these counted against it, it could be as low as {low}, below \
                     the required {}{then}.",
                    score(value, 2)
                )
            }
            Requirement::BrokenCases { .. } => {
                format!(
                    "{name} are few enough, but {came}: retries may have replaced answers that fail; {next}."
                )
            }
            _ if !is_hidden => {
                format!(
                    "{name} passed on every graded answer, but {came}; more repeats will tell whether that is chance."
                )
            }
            _ => format!(
                "{name} passed on every graded answer, but {came}: retries may have replaced answers that \
                     fail; {next}."
            ),
        }
    }
}

/// The decisions by first attempts at one look, by criterion; `None` where nothing is contested, and for criteria that an
/// earlier look settled.
pub(super) fn second_decisions(
    data: &LookData<'_>,
    policy: &Policy,
    evidence: &[Option<CriterionEvidence>],
) -> Vec<Option<SecondDecision>> {
    let none = || evidence.iter().map(|_| None).collect();
    let Some(first) = data.by_first_attempts else {
        return none();
    };
    let more_looks = policy.schedule().next_after(data.analysis.repeats).is_some();
    let is_naive = data.context.rule == Rule::Point;
    let criteria = || policy.criteria.iter().zip(evidence);
    let mut faults = Vec::with_capacity(evidence.len());
    let mut second: Vec<Option<CriterionEvidence>> = Vec::with_capacity(evidence.len());
    for (criterion, answered) in criteria() {
        let by_first_attempts = LookData { analysis: first, ..*data };
        let (counts, of_criterion) = match (criterion.requirement, answered) {
            _ if is_naive => (None, None),
            (Requirement::NotWorse { .. } | Requirement::WinRate { .. }, Some(_)) => {
                let counts = ContestedCounts::of(data.analysis, |_| true);
                (Some(counts), Some(by_first_attempts.evidence(criterion)))
            }
            (Requirement::Minimum { value }, Some(answered)) => {
                let mean = answered.observed.unwrap_or_default();
                match minimum_faults(data.analysis, criterion, mean, policy.max_missing) {
                    Some((MinimumFaults::Filled, counts)) => {
                        (Some(counts), Some(by_first_attempts.evidence(criterion)))
                    }
                    Some((MinimumFaults::Subtracted(excess), counts)) => {
                        (Some(counts), Some(data.minimum_less(criterion, value, excess)))
                    }
                    None => (None, None),
                }
            }
            _ => (None, None),
        };
        faults.push(counts);
        second.push(of_criterion);
    }
    // The family are the decisions by first attempts, and criteria against the baseline that are settled.
    let in_family = |index: usize| {
        faults[index].is_some()
            || (evidence[index].is_none()
                && matches!(
                    policy.criteria[index].requirement,
                    Requirement::NotWorse { .. } | Requirement::WinRate { .. }
                ))
    };
    let indices: Vec<usize> = (0..evidence.len()).filter(|index| in_family(*index)).collect();
    let family: Vec<Option<CriterionEvidence>> = indices.iter().map(|index| second[*index].take()).collect();
    let worst = verdicts(&family, data.context, |evidence| &evidence.worst);
    let best = verdicts(&family, data.context, CriterionEvidence::best);
    let mut decisions: Vec<Option<SecondDecision>> = none();
    for ((index, evidence), fills) in indices.into_iter().zip(family).zip(worst.into_iter().zip(best)) {
        decisions[index] = faults[index].zip(evidence).map(|(counts, evidence)| SecondDecision {
            counts,
            evidence: Some(evidence),
            verdict: combine_fills(fills),
        });
    }
    for ((criterion, _), decision) in criteria().zip(&mut decisions) {
        let alpha = (data.context.alpha, data.context.run_alpha);
        if let Some((verdict, counts)) = literal_verdict(data.analysis, criterion, alpha, more_looks) {
            *decision = Some(SecondDecision { counts, evidence: None, verdict });
        }
    }
    decisions
}
