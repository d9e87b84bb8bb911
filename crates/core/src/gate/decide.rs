//! The decision: from the evidence on every criterion to the verdict of the run, look by look.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{
    Analysis, Criterion, CriterionOutcome, CriterionVerdict, Decision, Ended, LookCriterion, LookOutcome,
    NextLook, Policy, Verdict,
};
use crate::stats::holm;

use super::case_status::statuses;
use super::criterion::{CriterionEvidence, LookData, outcome};
use super::evidence::{Context, Evidence};
use super::first_attempts;
use super::missing::MissingShare;
use super::reasons::reasons;
use super::refusals::{refusals, split_alpha};
use super::second_decision::{SecondDecision, second_decisions};
use super::summary::summaries;
use super::trials::TrialTallies;
use super::warnings::warnings;

/// Decides a run: every criterion, then the run, with reasons, worst first.
///
/// Every look of the policy's schedule that the run has reached is decided again, from the first one on, so that a saved
/// run gets the decision that it got when it was made. `ended` is the end of the run after its last look.
///
/// Pure: the same analysis, policy and end give the same decision, bit for bit.
pub(super) fn decide(analysis: &Analysis, policy: &Policy, ended: &Ended) -> Decision {
    let alpha = policy.alpha();
    let stopped_early = *ended == Ended::FailedFast;
    let reached = policy.schedule().reached(analysis.repeats, alpha);
    let mut settled: Vec<Option<CriterionOutcome>> = vec![None; policy.criteria.len()];
    let mut looks = Vec::with_capacity(reached.len());
    let mut undecided = Vec::new();
    let mut refused = refusals(analysis, policy, alpha);
    let mut repeats_to_hold: BTreeMap<String, usize> = BTreeMap::new();
    for (index, look) in reached.iter().enumerate() {
        let last = index + 1 == reached.len();
        let analysis = match look.repeats {
            repeats if repeats < analysis.repeats => Cow::Owned(analysis.after(repeats)),
            _ => Cow::Borrowed(analysis),
        };
        let stopped_early = stopped_early && last;
        let analysis = first_attempts::as_answered(&analysis);
        let literal = first_attempts::for_literal_checks(&analysis, policy.max_missing);
        let by_first_attempts = first_attempts::by_first_attempts(&analysis);
        let data = LookData {
            context: &context(&analysis, policy, look.alpha),
            analysis: &analysis,
            by_first_attempts: by_first_attempts.as_ref(),
            literal: &literal,
            tallies: &TrialTallies::new(&literal, policy, stopped_early),
            stopped_early,
        };
        let results = decide_look(&data, policy, &settled);
        let with_criteria = results.iter().zip(&policy.criteria);
        undecided = with_criteria.filter(|(result, _)| result.open).map(|(_, criterion)| criterion).collect();
        refused = refusals(&analysis, policy, look.alpha);
        let verdicts = results.iter().map(|result| result.outcome.verdict).chain([refused.verdict]);
        looks.push(LookOutcome {
            repeats: look.repeats,
            alpha: look.alpha,
            verdict: verdict(verdicts, policy, &analysis, if last { ended } else { &Ended::Completed }),
            criteria: results.iter().filter(|result| result.statistical).map(LookResult::criterion).collect(),
        });
        for (metric, repeats) in results.iter().filter_map(|it| Some((&it.outcome.metric, it.holds_from?))) {
            let needed = repeats_to_hold.entry(metric.clone()).or_default();
            *needed = repeats.max(*needed);
        }
        for (result, settled) in results.into_iter().zip(&mut settled) {
            *settled = Some(result.outcome).filter(|_| last || result.is_final);
        }
    }
    let unscored = analysis;
    let analysis: &Analysis = &first_attempts::as_answered(unscored);
    let context = context(analysis, policy, alpha);
    let criteria: Vec<CriterionOutcome> = settled.into_iter().flatten().collect();
    let tallies = TrialTallies::new(analysis, policy, stopped_early);
    let missing = MissingShare::largest(analysis, policy);
    let faults_differ = criteria.iter().any(CriterionOutcome::faults_differ);
    let ends = refused.unconfirmed || faults_differ || criteria.iter().any(|outcome| outcome.unconfirmed);
    let verdict = looks.last().map_or(Verdict::Incomplete, |look| look.verdict);
    Decision {
        verdict,
        reasons: reasons(policy, &criteria, &refused, missing.as_ref(), ended),
        metrics: summaries(analysis, policy, &context),
        cases: statuses(analysis, policy, &tallies),
        refusals: refused,
        warnings: warnings(analysis, policy, &context, &criteria, &refused),
        repeats_to_hold,
        contested: first_attempts::totals(analysis),
        retry_missing: verdict == Verdict::Incomplete
            && *ended == Ended::Completed
            && !faults_differ
            && missing.as_ref().is_some_and(|missing| missing.exceeds_by_chance(policy)),
        to_settle: None,
        next: next_look(analysis, policy, ended, verdict, ends, &undecided),
        criteria,
        looks,
    }
}

fn context(analysis: &Analysis, policy: &Policy, alpha: f64) -> Context {
    Context {
        alpha,
        fail_alpha: split_alpha(analysis, policy, alpha).0,
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

/// The result of one criterion at one look.
struct LookResult {
    outcome: CriterionOutcome,
    /// Whether the decision is statistical.
    statistical: bool,
    /// Whether later looks keep the outcome.
    is_final: bool,
    /// Whether more repeats could decide it.
    open: bool,
    /// Whether an earlier look settled it.
    settled_earlier: bool,
    /// If it passed at this look: the repeats of the last look at which it would pass again.
    holds_from: Option<usize>,
}

impl LookResult {
    /// The result as reported for this look.
    fn criterion(&self) -> LookCriterion {
        let outcome = &self.outcome;
        let if_decided_now = |value: Option<f64>| value.filter(|_| !self.settled_earlier);
        LookCriterion {
            id: outcome.id.clone(),
            estimate: if_decided_now(outcome.estimate),
            lower: if_decided_now(outcome.lower),
            upper: if_decided_now(outcome.upper),
            p: if_decided_now(outcome.p),
            verdict: outcome.verdict,
        }
    }
}

/// Decides one look. Criteria settled at an earlier look keep their outcome and count in Holm's family with p = 1.
fn decide_look(
    data: &LookData<'_>,
    policy: &Policy,
    settled: &[Option<CriterionOutcome>],
) -> Vec<LookResult> {
    let evidence: Vec<Option<CriterionEvidence>> = policy
        .criteria
        .iter()
        .zip(settled)
        .map(|(criterion, settled)| settled.is_none().then(|| data.evidence(criterion)))
        .collect();
    let worst = verdicts(&evidence, data.context, |evidence| &evidence.worst);
    let best = verdicts(&evidence, data.context, CriterionEvidence::best);
    let second = second_decisions(data, policy, &evidence);
    let criteria = policy.criteria.iter().zip(settled).zip(&evidence).zip(&second);
    let decided = criteria.zip(worst.into_iter().zip(best));
    decided
        .filter_map(|((((criterion, settled), evidence), second), fills)| match evidence {
            Some(evidence) => {
                let answered = combine_fills(fills);
                Some(decide_criterion(data, criterion, evidence, answered, second.as_ref()))
            }
            // Only statistical decisions are settled early.
            None => settled.clone().map(|outcome| LookResult {
                outcome,
                statistical: true,
                is_final: true,
                open: false,
                settled_earlier: true,
                holds_from: None,
            }),
        })
        .collect()
}

/// The verdict that follows from those with all gaps at worst and at best.
pub(super) fn combine_fills((worst, best): (CriterionVerdict, CriterionVerdict)) -> CriterionVerdict {
    match (worst, best) {
        (_, CriterionVerdict::Fail) => CriterionVerdict::Fail,
        (worst, best) if worst == best => worst,
        _ => CriterionVerdict::Incomplete,
    }
}

/// Decides one criterion from its verdict as answered and its second decision.
fn decide_criterion(
    data: &LookData<'_>,
    criterion: &Criterion,
    evidence: &CriterionEvidence,
    answered: CriterionVerdict,
    second: Option<&SecondDecision>,
) -> LookResult {
    let outcome = outcome(data, criterion, evidence, answered, second);
    let verdict = outcome.verdict;
    let decided = matches!(verdict, CriterionVerdict::Pass | CriterionVerdict::Fail);
    let gains = evidence.gains_by_repeats() || second.is_some_and(SecondDecision::gains_by_repeats);
    LookResult {
        statistical: evidence.is_statistical(),
        is_final: decided && evidence.is_statistical(),
        open: !decided && gains && !outcome.faults_differ() && !outcome.unconfirmed,
        settled_earlier: false,
        holds_from: evidence.worst.holds_from.filter(|_| verdict == CriterionVerdict::Pass),
        outcome,
    }
}

/// The verdict of every criterion under one fill, with p adjusted over the family. Settled criteria (`None`) count in the
/// family; their verdict here is unused.
pub(super) fn verdicts<'a>(
    criteria: &'a [Option<CriterionEvidence>],
    context: &Context,
    fill: impl Fn(&'a CriterionEvidence) -> &'a Evidence,
) -> Vec<CriterionVerdict> {
    let evidence: Vec<Option<&Evidence>> = criteria.iter().map(|it| it.as_ref().map(&fill)).collect();
    let family: Vec<f64> = evidence
        .iter()
        .filter(|evidence| evidence.is_none_or(|evidence| evidence.in_family))
        .map(|evidence| evidence.and_then(|evidence| evidence.p).unwrap_or(1.0))
        .collect();
    let mut adjusted = holm(&family).into_iter();
    evidence
        .into_iter()
        .map(|evidence| match evidence {
            None => {
                adjusted.next();
                CriterionVerdict::Pass
            }
            Some(evidence) => {
                let p = if evidence.in_family { adjusted.next() } else { None };
                evidence.verdict(p.filter(|_| evidence.p.is_some()), context.fail_alpha)
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
    let any = |verdict| criteria.clone().any(|other| other == verdict);
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
    MissingShare::largest(analysis, policy).is_some_and(|missing| missing.exceeds(policy))
}

/// The next look, if it could settle more. `None` after a failure, if retries may have hidden a loss, if a loss is shown
/// only against stored answers (both `ends`), if repeats are copies
/// of each other, or if so many grades are missing that more calls to the endpoint would be wasted.
fn next_look(
    analysis: &Analysis,
    policy: &Policy,
    ended: &Ended,
    verdict: Verdict,
    ends: bool,
    undecided: &[&Criterion],
) -> Option<NextLook> {
    let over = *ended != Ended::Completed
        || ends
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
