//! Decides a run whose dataset has cases that the base lacks: once over the base's cases alone, and once over all.
//!
//! New cases dilute: a hundred easy ones hide a drop on the others. A pass needs both decisions, and a fail of either is a
//! fail.

use crate::model::{
    Analysis, ContestedTrial, Criterion, CriterionOutcome, CriterionVerdict, Decision, Ended, LookCriterion,
    LookOutcome, Matrix, NextLook, Policy, Requirement, TrialPlace, Verdict,
};

use super::decide as all_cases;
use super::missing::MissingShare;
use super::reasons::reasons;

/// Decides a run: every criterion, then the run, with reasons, worst first.
///
/// Pure: the same analysis, policy and end give the same decision, bit for bit.
pub fn decide(analysis: &Analysis, policy: &Policy, ended: &Ended) -> Decision {
    let all = all_cases::decide(analysis, policy, ended);
    match of_base(analysis, policy) {
        Some((base, base_policy)) => {
            let alone = all_cases::decide(&base, &base_policy, ended);
            let missing =
                [MissingShare::largest(&base, &base_policy), MissingShare::largest(analysis, policy)];
            let missing = missing
                .into_iter()
                .flatten()
                .reduce(|one, other| if other.share > one.share { other } else { one });
            combined(policy, all, alone, base.cases.len(), missing.as_ref(), ended)
        }
        None => all,
    }
}

/// The analysis of the base's cases, and the criteria that apply to any of them; `None` if no case is new, or none is
/// the base's.
fn of_base(analysis: &Analysis, policy: &Policy) -> Option<(Analysis, Policy)> {
    let kept: Vec<usize> = (0..analysis.cases.len()).filter(|case| !analysis.cases[*case].added).collect();
    if kept.is_empty() || kept.len() == analysis.cases.len() {
        return None;
    }
    let base = analysis.of_cases(&kept);
    let criteria: Vec<Criterion> =
        policy.criteria.iter().filter_map(|criterion| on_base(criterion, &kept, &base)).collect();
    (!criteria.is_empty()).then(|| (base, Policy { criteria, ..policy.clone() }))
}

/// The criterion over the base's cases; `None` if it applies to none of them.
fn on_base(criterion: &Criterion, kept: &[usize], base: &Analysis) -> Option<Criterion> {
    let requirement = match criterion.requirement {
        Requirement::MustPass { case, strict } => {
            Requirement::MustPass { case: kept.binary_search(&case).ok()?, strict }
        }
        other => other,
    };
    let tagged = |case: usize| {
        let tags = &base.cases[case].tags;
        criterion.tag.as_ref().is_none_or(|tag| tags.contains(tag))
    };
    if let Some(metric) = base.metric(&criterion.metric) {
        let rows = metric.scores.candidate.rows().enumerate();
        rows.into_iter().find(|(case, row)| row.is_some() && tagged(*case))?;
    }
    Some(Criterion { requirement, ..criterion.clone() })
}

/// The decision over all cases, with every verdict that is worse over the base's cases alone.
fn combined(
    policy: &Policy,
    all: Decision,
    alone: Decision,
    cases: usize,
    missing: Option<&MissingShare>,
    ended: &Ended,
) -> Decision {
    let criteria: Vec<CriterionOutcome> = all
        .criteria
        .iter()
        .map(|outcome| match alone.criteria.iter().find(|other| other.id == outcome.id) {
            Some(other) if severity(other.verdict) > severity(outcome.verdict) => {
                let explanation = format!("{} Over the {cases} cases of the base alone.", other.explanation);
                CriterionOutcome { explanation, ..other.clone() }
            }
            _ => outcome.clone(),
        })
        .collect();
    let looks = all.looks.iter().zip(&alone.looks).map(|(all, alone)| look(all, alone)).collect();
    let verdict = worse(all.verdict, alone.verdict);
    let faults_differ = |decision: &Decision| decision.criteria.iter().any(CriterionOutcome::faults_differ);
    let faults_differ = faults_differ(&all) || faults_differ(&alone);
    let next = if verdict == Verdict::Fail || faults_differ { None } else { both(all.next, alone.next) };
    let retry_missing =
        verdict == Verdict::Incomplete && !faults_differ && (all.retry_missing || alone.retry_missing);
    let mut warnings = all.warnings;
    warnings
        .extend(alone.warnings.into_iter().filter(|warning| !warnings.contains(warning)).collect::<Vec<_>>());
    let refusals = if severity(alone.refusals.verdict) > severity(all.refusals.verdict) {
        alone.refusals
    } else {
        all.refusals
    };
    let mut repeats_to_hold = all.repeats_to_hold;
    for (metric, repeats) in alone.repeats_to_hold {
        let needed = repeats_to_hold.entry(metric).or_default();
        *needed = repeats.max(*needed);
    }
    Decision {
        verdict,
        reasons: reasons(policy, &criteria, &refusals, missing, ended),
        refusals,
        criteria,
        looks,
        retry_missing,
        next,
        warnings,
        repeats_to_hold,
        ..all
    }
}

fn look(all: &LookOutcome, alone: &LookOutcome) -> LookOutcome {
    let criterion = |outcome: &LookCriterion| {
        let other = alone.criteria.iter().find(|other| other.id == outcome.id);
        other.filter(|other| severity(other.verdict) > severity(outcome.verdict)).unwrap_or(outcome).clone()
    };
    LookOutcome {
        verdict: worse(all.verdict, alone.verdict),
        criteria: all.criteria.iter().map(criterion).collect(),
        ..all.clone()
    }
}

/// The needs of both decisions; the schedule is the same.
fn both(all: Option<NextLook>, alone: Option<NextLook>) -> Option<NextLook> {
    let (Some(mut all), Some(alone)) = (all.clone(), alone.clone()) else { return all.or(alone) };
    for (ours, theirs) in [(&mut all.undecided, alone.undecided), (&mut all.metrics, alone.metrics)] {
        for name in theirs {
            if !ours.contains(&name) {
                ours.push(name);
            }
        }
    }
    Some(all)
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    let rank = |verdict| match verdict {
        Verdict::Fail => 3,
        Verdict::Incomplete => 2,
        Verdict::Inconclusive => 1,
        Verdict::Pass | Verdict::Unchanged => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn severity(verdict: CriterionVerdict) -> u8 {
    match verdict {
        CriterionVerdict::Fail => 3,
        CriterionVerdict::Incomplete => 2,
        CriterionVerdict::Inconclusive => 1,
        CriterionVerdict::Pass => 0,
    }
}

impl Analysis {
    /// Returns the analysis of some cases, by index, in rising order.
    fn of_cases(&self, kept: &[usize]) -> Self {
        let keep = |matrix: &mut Matrix| {
            *matrix = kept.iter().map(|case| matrix.row(*case).map(<[_]>::to_vec)).collect();
        };
        let place =
            |place: TrialPlace| Some(TrialPlace { case: kept.binary_search(&place.case).ok()?, ..place });
        let mut analysis = self.clone();
        analysis.cases = kept.iter().filter_map(|case| self.cases.get(*case).cloned()).collect();
        let metrics = analysis.metrics.iter_mut().chain(&mut analysis.fresh_times);
        for scores in metrics.map(|metric| &mut metric.scores).chain(&mut analysis.refusals) {
            keep(&mut scores.candidate);
            scores.baseline.iter_mut().for_each(keep);
        }
        let contested = &mut analysis.contested;
        contested.trials = contested
            .trials
            .iter()
            .filter_map(|trial| Some(ContestedTrial { at: place(trial.at)?, ..*trial }))
            .collect();
        for places in contested.judgements.values_mut() {
            *places = places.iter().filter_map(|at| place(*at)).collect();
        }
        analysis
    }
}
