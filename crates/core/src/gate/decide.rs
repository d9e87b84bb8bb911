//! From the evidence on every criterion to the verdict of the run, look after look.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{
    Analysis, CriterionOutcome, CriterionVerdict, Decision, Ended, LookCriterion, LookOutcome, NextLook,
    Verdict,
};
use crate::stats::holm;

use super::cases::{Passing, statuses};
use super::evidence::{Context, EXACT, Evidence};
use super::examine::{Examined, Examiner, outcome};
use super::reasons::reasons;
use super::summary::{share_missing, summaries, warnings};
use super::{Criterion, Policy};

/// Decides a run: every criterion, then the whole, with reasons, worst first.
///
/// Every look of the policy's schedule that the run has reached is taken again, from the first repeats on, so
/// that a saved run is decided as it was when it was made. `ended` tells how the run ended after the last of them.
///
/// Pure: the same analysis, policy and ending give the same decision, bit for bit.
pub fn decide(analysis: &Analysis, policy: &Policy, ended: &Ended) -> Decision {
    let alpha = policy.alpha();
    let stopped_early = *ended == Ended::FailedFast;
    let taken = policy.schedule().reached(analysis.repeats, alpha);
    let mut settled: Vec<Option<CriterionOutcome>> = vec![None; policy.criteria.len()];
    let mut looks = Vec::with_capacity(taken.len());
    let mut undecided = Vec::new();
    let mut hold: BTreeMap<String, usize> = BTreeMap::new();
    for (index, look) in taken.iter().enumerate() {
        let last = index + 1 == taken.len();
        let seen = match look.repeats {
            repeats if repeats < analysis.repeats => Cow::Owned(analysis.after(repeats)),
            _ => Cow::Borrowed(analysis),
        };
        let context = context(&seen, policy, look.alpha);
        let passing = Passing::new(&seen, policy, stopped_early && last);
        let examiner = Examiner {
            context: &context,
            analysis: &seen,
            passing: &passing,
            stopped_early: stopped_early && last,
        };
        let found = take(&examiner, policy, &settled);
        undecided =
            found.iter().zip(&policy.criteria).filter(|(found, _)| found.open).map(|(_, it)| it).collect();
        looks.push(LookOutcome {
            repeats: look.repeats,
            alpha: look.alpha,
            verdict: verdict(
                found.iter().map(|found| found.outcome.verdict),
                policy,
                &seen,
                if last { ended } else { &Ended::Completed },
            ),
            criteria: found.iter().filter(|found| found.weighed).map(Found::at_look).collect(),
        });
        for (metric, repeats) in found.iter().filter_map(|it| Some((&it.outcome.metric, it.holds_from?))) {
            let known = hold.entry(metric.clone()).or_default();
            *known = repeats.max(*known);
        }
        for (found, settled) in found.into_iter().zip(&mut settled) {
            // What is not settled yet is kept until the next look replaces it.
            *settled = Some(found.outcome).filter(|_| last || found.settles);
        }
    }
    let context = context(analysis, policy, alpha);
    let criteria: Vec<CriterionOutcome> = settled.into_iter().flatten().collect();
    let passing = Passing::new(analysis, policy, stopped_early);
    let missing = share_missing(analysis, policy);
    let verdict = looks.last().map_or(Verdict::Incomplete, |look| look.verdict);
    Decision {
        verdict,
        reasons: reasons(policy, &criteria, missing, ended),
        metrics: summaries(analysis, policy, &context),
        cases: statuses(analysis, policy, &passing),
        warnings: warnings(analysis, policy, &context, &criteria),
        repeats_to_hold: hold,
        to_settle: None,
        next: next(analysis, policy, ended, verdict, &undecided),
        criteria,
        looks,
    }
}

fn context(analysis: &Analysis, policy: &Policy, alpha: f64) -> Context {
    Context {
        alpha,
        resolution: policy.resolution,
        rule: policy.rule,
        scope: policy.scope,
        repeats_cached: analysis.repeats_cached,
        seed: policy.seed,
        schedule: policy.schedule(),
        run_alpha: policy.alpha(),
        repeats: analysis.repeats,
        baseline_reused: analysis.baseline_reused,
    }
}

/// One criterion at one look.
struct Found {
    outcome: CriterionOutcome,
    /// Whether chance plays a part in it.
    weighed: bool,
    /// Whether the outcome stays whatever later looks see.
    settles: bool,
    /// Whether more repeats could decide it.
    open: bool,
    /// Whether an earlier look had settled it.
    earlier: bool,
    /// Where it passed at this look: the repeats at which it would again, were they the last.
    holds_from: Option<usize>,
}

impl Found {
    fn at_look(&self) -> LookCriterion {
        let outcome = &self.outcome;
        let now = |value: Option<f64>| value.filter(|_| !self.earlier);
        LookCriterion {
            id: outcome.id.clone(),
            estimate: now(outcome.estimate),
            lower: now(outcome.lower),
            upper: now(outcome.upper),
            p: now(outcome.p),
            verdict: outcome.verdict,
        }
    }
}

/// Takes one look: what an earlier one settled stays, and counts in Holm's family with p = 1.
fn take(examiner: &Examiner<'_>, policy: &Policy, settled: &[Option<CriterionOutcome>]) -> Vec<Found> {
    let examined: Vec<Option<Examined>> = policy
        .criteria
        .iter()
        .zip(settled)
        .map(|(criterion, settled)| settled.is_none().then(|| examiner.examine(criterion)))
        .collect();
    let worst = verdicts(&examined, examiner.context, |examined| &examined.worst);
    let best = verdicts(&examined, examiner.context, Examined::best);
    let found =
        |((criterion, settled), examined): ((&Criterion, &Option<CriterionOutcome>), Option<Examined>),
         (worst, best)| {
            let Some(examined) = examined else {
                // Only what is weighed is settled before its time.
                let outcome = settled.clone()?;
                return Some(Found {
                    outcome,
                    weighed: true,
                    settles: true,
                    open: false,
                    earlier: true,
                    holds_from: None,
                });
            };
            let verdict = match (worst, best) {
                (_, CriterionVerdict::Fail) => CriterionVerdict::Fail,
                (worst, best) if worst == best => worst,
                _ => CriterionVerdict::Incomplete,
            };
            let decided = matches!(verdict, CriterionVerdict::Pass | CriterionVerdict::Fail);
            Some(Found {
                outcome: outcome(examiner.context, examiner.analysis, criterion, &examined, verdict),
                weighed: examined.is_weighed(),
                settles: decided && examined.is_weighed(),
                open: !decided && examined.gains_by_repeats(),
                earlier: false,
                holds_from: examined.worst.holds_from.filter(|_| verdict == CriterionVerdict::Pass),
            })
        };
    let criteria = policy.criteria.iter().zip(settled).zip(examined);
    criteria
        .zip(worst.into_iter().zip(best))
        .filter_map(|(criterion, fills)| found(criterion, fills))
        .collect()
}

/// The verdict of every criterion under one fill, p adjusted over the family. What is settled takes its place in
/// the family; its verdict here is of no account.
fn verdicts<'a>(
    examined: &'a [Option<Examined>],
    context: &Context,
    evidence: impl Fn(&'a Examined) -> &'a Evidence,
) -> Vec<CriterionVerdict> {
    let evidence = |examined: &'a Option<Examined>| examined.as_ref().map(&evidence);
    let family: Vec<f64> = examined
        .iter()
        .map(evidence)
        .filter(|evidence| evidence.is_none_or(|evidence| evidence.in_family))
        .map(|evidence| evidence.and_then(|evidence| evidence.p).unwrap_or(1.0))
        .collect();
    let mut adjusted = holm(&family).into_iter();
    examined
        .iter()
        .map(evidence)
        .map(|evidence| match evidence {
            None => {
                adjusted.next();
                CriterionVerdict::Pass
            }
            Some(evidence) => {
                let place = if evidence.in_family { adjusted.next() } else { None };
                evidence.verdict(place.filter(|_| evidence.p.is_some()), context.alpha)
            }
        })
        .collect()
}

/// The verdict of the run.
fn verdict(
    criteria: impl Iterator<Item = CriterionVerdict> + Clone,
    policy: &Policy,
    analysis: &Analysis,
    ended: &Ended,
) -> Verdict {
    let any = |wanted| criteria.clone().any(|verdict| verdict == wanted);
    if any(CriterionVerdict::Fail) {
        Verdict::Fail
    } else if policy.is_empty()
        || any(CriterionVerdict::Incomplete)
        || too_many_missing(analysis, policy)
        || *ended != Ended::Completed
    {
        Verdict::Incomplete
    } else if any(CriterionVerdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    }
}

fn too_many_missing(analysis: &Analysis, policy: &Policy) -> bool {
    share_missing(analysis, policy).is_some_and(|(share, _)| share > policy.max_missing + EXACT)
}

/// The next look, if one could settle more: not after a failure, nor where repeats are copies of each other or
/// so much is missing that the endpoint is not to be trusted with more.
fn next(
    analysis: &Analysis,
    policy: &Policy,
    ended: &Ended,
    verdict: Verdict,
    undecided: &[&Criterion],
) -> Option<NextLook> {
    let over = *ended != Ended::Completed
        || verdict == Verdict::Fail
        || undecided.is_empty()
        || analysis.repeats_cached
        || too_many_missing(analysis, policy);
    let repeats = policy.schedule().next_after(analysis.repeats).filter(|_| !over)?;
    let mut metrics: Vec<String> = Vec::new();
    for criterion in undecided {
        if !metrics.contains(&criterion.metric) {
            metrics.push(criterion.metric.clone());
        }
    }
    Some(NextLook {
        repeats,
        undecided: undecided.iter().map(|criterion| criterion.id.clone()).collect(),
        metrics,
    })
}
