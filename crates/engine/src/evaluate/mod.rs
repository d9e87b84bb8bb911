//! From a plan to a decision: execute, analyze, decide, and repeat with more repeats while these can settle a criterion.
//! The gate chooses the next look. Reads no files and prints nothing.

mod drift;
mod fresh_arms;
mod served;
mod shard;
mod spent_alpha;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use shard::{ShardRun, execute_shard};
pub use totals::CallCounter;

use crate::execute::{Engine, Round};
use promptgate_core::forecast;
use promptgate_core::gate::{self, Policy};
use promptgate_core::metric;
use promptgate_core::model::{
    Analysis, CallFacts, CallOrigin, CallTotals, CaseFacts, Decision, Ended, Fault, JudgeFacts, MetricKind,
    PREFERENCE, PolicySource, Prices, ReleaseFacts, RepeatCounts, RequestLocation, RequestTexts, Role, Run,
    Trial, TrialResult, Variant, Verdict,
};
use promptgate_core::port::Event;

/// The facts of a run that are known before its first call.
#[derive(Debug, Clone)]
pub struct Header {
    /// Name of the suite.
    pub name: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// The judge; `None` without judged metrics.
    pub judge: Option<JudgeFacts>,
    /// The reason why nothing is evaluated, such as a rejected judge; then no call is made.
    pub rejection: Option<Fault>,
    /// Prices by model.
    pub prices: Prices,
    /// Whether the endpoint is simulated.
    pub simulated: bool,
    /// The reason why there is no baseline.
    pub baseline_note: Option<String>,
    /// The source of the policy; `None` for the candidate's own configuration.
    pub policy_source: Option<PolicySource>,
    /// The release that the candidate would become; `None` without `release:`.
    pub release: Option<ReleaseFacts>,
    /// The messages of every case.
    pub requests: RequestTexts,
    /// Facts that reports state first.
    pub notices: Vec<String>,
    /// Warnings for the report.
    pub warnings: Vec<String>,
}

/// A run with its analysis and decision.
#[derive(Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Evaluation {
    pub run: Run,
    pub analysis: Analysis,
    pub decision: Decision,
}

/// Executes the plan, look by look, until the verdict is final or the schedule ends. The candidate of the `earlier` run,
/// if any, is the baseline. The engine is dropped before the last decision, so that its dataset and the analysis are not
/// in memory at the same time.
pub async fn evaluate(
    engine: Arc<Engine>,
    header: Header,
    policy: &Policy,
    earlier: Option<Run>,
    counter: &CallCounter,
    elapsed: impl Fn() -> Duration,
) -> Evaluation {
    let rejection = header.rejection.clone();
    let mut run = empty_run(&engine, header, engine.scorers.metrics());
    if let Some(ended) = try_judge(&engine, &mut run, rejection).await {
        run.ended = ended;
        run.repeats = RepeatCounts::all(policy.schedule().first(), run.scorers.len());
        run.totals = totals::of(&run, &engine, counter);
        run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let (analysis, decision) = decide(&run, policy);
        return Evaluation { run, analysis, decision };
    }
    let mut repeats = policy.schedule().first();
    let mut judges: BTreeSet<String> =
        engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let mut has_retried_missing = false;
    loop {
        let slots = engine.plan.slots(run.repeats.per_case, repeats);
        let earlier_trials = std::mem::take(&mut run.trials);
        let round = Round { slots, judges: judges.clone(), earlier: earlier_trials };
        let result = engine.execute(round).await;
        run.repeats.per_case = repeats;
        for (scorer, scorer_repeats) in run.scorers.iter().zip(&mut run.repeats.per_scorer) {
            if judges.contains(scorer) || !engine.scorers.judges.iter().any(|judge| judge.name() == scorer) {
                *scorer_repeats = repeats;
            }
        }
        run.trials = result.trials;
        run.ended = result.ended;
        run.totals = totals::of(&run, &engine, counter);
        if let Some(earlier) = &earlier {
            adopt_baseline(&mut run, earlier);
        }
        run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let may_confirm = fresh_arms::may_confirm(&engine, &run);
        // After this, nothing is asked any more.
        let is_last = repeats >= policy.schedule().last()
            && !may_confirm
            && (has_retried_missing || !has_missing(&run));
        if is_last {
            drop((engine, earlier));
            let (analysis, decision) = decide(&run, policy);
            return with_forecast(run, analysis, decision);
        }
        let (mut analysis, mut decision) = decide(&run, policy);
        if decision.retry_missing && !has_retried_missing {
            has_retried_missing = true;
            run.trials.retain(|trial| earlier.is_none() || trial.role == Role::Candidate);
            continue;
        }
        if may_confirm && fresh_arms::needs_fresh_arms(&analysis, &decision) {
            fresh_arms::ask(&engine, &mut run, &analysis).await;
            run.totals = totals::of(&run, &engine, counter);
            run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            (analysis, decision) = decide(&run, policy);
            fresh_arms::report(&mut run, &decision);
        }
        let Some(next) = &decision.next else { return with_forecast(run, analysis, decision) };
        engine.sink.emit(Event::LookTaken { repeats, next: next.repeats, undecided: next.undecided.clone() });
        repeats = next.repeats;
        judges.retain(|judge| next.metrics.contains(judge));
        engine.sink.emit(planned(&engine, run.repeats.per_case, repeats, judges.len()));
        // The trials of the reused baseline are added again after each look, which may need more of them.
        run.trials.retain(|trial| earlier.is_none() || trial.role == Role::Candidate);
    }
}

/// Whether a trial or a grade is missing.
fn has_missing(run: &Run) -> bool {
    run.trials.iter().any(|trial| match &trial.result {
        TrialResult::Missing(_) => true,
        TrialResult::Completed(answer) => answer.grades.iter().any(|grade| grade.score.is_none()),
    })
}

/// Runs the self-test of the judge. Returns the end of the run if the judge is rejected.
async fn try_judge(engine: &Engine, run: &mut Run, rejection: Option<Fault>) -> Option<Ended> {
    if let Some(fault) = rejection {
        return Some(Ended::Stopped(fault));
    }
    let (outcome, ended) = match engine.self_test().await {
        Ok(outcome) => (outcome, None),
        Err((ended, outcome)) => (outcome, Some(ended)),
    };
    if let Some(judge) = &mut run.judge {
        judge.self_test = outcome;
    }
    ended
}

/// The event with the number of calls for repeats `from..to`, with this number of judges.
pub fn planned(engine: &Engine, from: u32, to: u32, judges: usize) -> Event {
    let completions = engine.plan.slots(from, to).len();
    Event::Planned { cases: engine.plan.dataset().cases.len(), completions, judgements: completions * judges }
}

/// The run before its first call.
fn empty_run(engine: &Engine, header: Header, scorers: Vec<String>) -> Run {
    let dataset = engine.plan.dataset();
    let mut cases: Vec<CaseFacts> = dataset
        .cases
        .iter()
        .zip(engine.plan.shared())
        .map(|(case, &shared)| CaseFacts {
            id: case.id.clone(),
            query: case.query.clone(),
            context: case.context.clone(),
            expected: case.expected_text(),
            tags: case.tags.clone(),
            group: case.group.clone(),
            must_pass: case.must_pass,
            must_pass_strict: case.must_pass_strict,
            may_refuse: case.may_refuse,
            shared,
            added: case.added,
            requests: RequestLocation::default(),
        })
        .collect();
    for (facts, requests) in cases.iter_mut().zip(header.requests.cases) {
        facts.requests = requests;
    }
    let applies = scorers
        .iter()
        .map(|metric| (0..cases.len()).map(|case| engine.scorers.applies(metric, case)).collect())
        .collect();
    Run {
        name: header.name,
        started_at: header.started_at,
        duration_ms: 0,
        dataset: dataset.facts.clone(),
        cases: cases.into(),
        messages: header.requests.messages,
        candidate: engine.plan.candidate().facts_with_messages(),
        baseline: engine.plan.baseline().map(Variant::facts_with_messages),
        baseline_note: header.baseline_note,
        judge: header.judge,
        repeats: RepeatCounts::all(0, scorers.len()),
        reused_baseline: None,
        scorers,
        applies,
        trials: Vec::new(),
        totals: CallTotals::default(),
        prices: header.prices,
        simulated: header.simulated,
        ended: Ended::Completed,
        policy_source: header.policy_source,
        release: header.release,
        notices: header.notices,
        warnings: header.warnings,
    }
}

/// Decides on a finished run, as [`evaluate`] does after its last look.
pub fn conclude(run: Run, policy: &Policy) -> Evaluation {
    let (analysis, decision) = decide(&run, policy);
    with_forecast(run, analysis, decision)
}

/// The evaluation, with a forecast of what would settle an inconclusive run.
fn with_forecast(run: Run, analysis: Analysis, decision: Decision) -> Evaluation {
    let to_settle = match decision.verdict {
        Verdict::Inconclusive => forecast::to_settle(&run, &decision),
        _ => None,
    };
    Evaluation { run, analysis, decision: Decision { to_settle, ..decision } }
}

/// Analyzes and decides a run, or the shards of one. A stored baseline alone never makes it fail.
pub fn decide(run: &Run, policy: &Policy) -> (Analysis, Decision) {
    decide_analysis(run, metric::analyse(run), policy)
}

/// Decides a saved run against a saved baseline, neither of which can be asked again.
pub fn decide_saved(run: &Run, policy: &Policy) -> (Analysis, Decision) {
    let mut analysis = metric::analyse(run);
    if let Some(stored) = &mut analysis.stored_baseline {
        stored.decides = true;
    }
    decide_analysis(run, analysis, policy)
}

fn decide_analysis(run: &Run, analysis: Analysis, policy: &Policy) -> (Analysis, Decision) {
    let mut decision = gate::decide(&analysis, policy, &run.ended);
    for summary in decision.metrics.iter_mut().filter(|summary| summary.kind == MetricKind::Judge) {
        summary.judged = Some(metric::judge_quality(run, summary, policy.alpha()));
    }
    decision.warnings.extend(drift::warnings(run));
    decision.warnings.extend(served::warnings(run));
    decision.reasons.splice(..0, served::reasons(run));
    decision.warnings.extend(spent_alpha::warning(run, policy));
    decision.warnings.extend(metric::variation_warning(run));
    if decision.verdict == Verdict::Inconclusive || analysis.repeats > policy.schedule().first() {
        decision.warnings.extend(metric::determinism_warning(run));
    }
    (analysis, decision)
}

/// The first `repeats` trials of the candidate of an earlier run as trials of a baseline. `ids` are those of the cases, in
/// order.
pub fn baseline_trials<'a>(ids: impl Iterator<Item = &'a str>, earlier: &Run, repeats: u32) -> Vec<Trial> {
    let index: BTreeMap<&str, usize> = ids.enumerate().map(|(index, id)| (id, index)).collect();
    earlier
        .trials
        .iter()
        .filter(|trial| trial.role == Role::Candidate && trial.repeat < repeats)
        .filter_map(|trial| {
            let case = *index.get(earlier.cases.get(trial.case)?.id.as_str())?;
            let mut result = trial.result.clone();
            result.set_call(CallFacts::spared(CallOrigin::Reused));
            // It was compared with another baseline.
            result.remove_grade(PREFERENCE);
            Some(Trial { case, role: Role::Baseline, repeat: trial.repeat, result })
        })
        .collect()
}

/// Removes the comparisons of answers from a run whose baseline is replaced. Returns whether there were any.
pub fn forget_pairs(run: &mut Run) -> bool {
    let Some(index) = run.scorers.iter().position(|scorer| scorer == PREFERENCE) else { return false };
    run.scorers.remove(index);
    if index < run.applies.len() {
        run.applies.remove(index);
    }
    for counts in [Some(&mut run.repeats), run.reused_baseline.as_mut()].into_iter().flatten() {
        if index < counts.per_scorer.len() {
            counts.per_scorer.remove(index);
        }
    }
    run.trials.iter_mut().for_each(|trial| trial.result.remove_grade(PREFERENCE));
    true
}

/// Makes the candidate of an earlier run the baseline of this one. Cases are matched by id.
///
/// Repeats that this run does not have are ignored, since a look reads the same number of both variants. If the earlier
/// run planned fewer repeats, only these count; trials that it planned and lacks are missing.
pub fn adopt_baseline(run: &mut Run, earlier: &Run) {
    let repeats = run.repeats.per_case;
    let adopted = baseline_trials(run.cases.iter().map(|case| case.id.as_str()), earlier, repeats);
    run.trials.retain(|trial| trial.role == Role::Candidate);
    let is_completed = |trial: &&Trial| matches!(trial.result, TrialResult::Completed(_));
    run.totals.cached += adopted.iter().filter(is_completed).count() as u64;
    run.trials.extend(adopted);
    run.trials.sort_by_key(|trial| (trial.case, trial.repeat, trial.role));
    run.baseline = Some(earlier.candidate.clone());
    run.baseline_note = Some(format!("baseline_reused: answered in a run of {}", earlier.started_at));
    let repeats_of = |scorer: &String| {
        let index = earlier.scorers.iter().position(|other| other == scorer);
        // Grades by a scorer that the earlier run did not have are missing, not left out.
        index
            .and_then(|index| earlier.repeats.per_scorer.get(index))
            .map_or(repeats, |earlier| repeats.min(*earlier))
    };
    run.reused_baseline = Some(RepeatCounts {
        per_case: repeats.min(earlier.repeats.per_case),
        per_scorer: run.scorers.iter().map(repeats_of).collect(),
    });
    for case in Arc::make_mut(&mut run.cases) {
        case.shared = false;
    }
}
