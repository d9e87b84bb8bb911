//! The way from a plan to a decision: execute, analyse, decide, and again with more repeats while that can
//! settle something. Which look comes next is the gate's to say. Reads no file and prints nothing.

mod drift;
mod gather;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use gather::{Gathering, gather};
pub use totals::CallCounter;
use totals::Prices;

use crate::engine::{Engine, Round};
use promptgate_core::forecast;
use promptgate_core::gate::{self, Policy};
use promptgate_core::metric;
use promptgate_core::model::{
    Analysis, CallTotals, CaseFacts, Decision, Ended, Fault, JudgeFacts, MetricKind, PolicySource,
    RepeatCounts, Role, Run, Trial, TrialResult, Verdict,
};
use promptgate_core::port::Event;

/// What is known of a run before its first call.
#[derive(Debug, Clone)]
pub struct Header {
    /// Name of the suite.
    pub name: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// The judge, if one is asked.
    pub judge: Option<JudgeFacts>,
    /// Why the judge must not be asked; then nothing is.
    pub unfit: Option<Fault>,
    /// US dollars per million tokens by model: input, output.
    pub prices: Vec<(String, f64, f64)>,
    /// Whether the simulated endpoint answers.
    pub simulated: bool,
    /// Where there is no baseline, why.
    pub baseline_note: Option<String>,
    /// Where the policy is from; `None` for the candidate's own configuration.
    pub policy_source: Option<PolicySource>,
    /// Things a reader should know.
    pub warnings: Vec<String>,
}

/// A run with everything that follows from it.
#[derive(Debug)]
pub struct Evaluation {
    /// The trials with their provenance.
    pub run: Run,
    /// The matrices.
    pub analysis: Analysis,
    /// The decision.
    pub decision: Decision,
}

/// Carries out the plan, look after look, until the verdict stands or the schedule ends; the candidate of an
/// `earlier` run, if given, is the baseline. The engine, and with it the dataset, goes before the last decision: both
/// would be in memory at once.
pub async fn evaluate(
    engine: Arc<Engine>,
    header: Header,
    policy: &Policy,
    earlier: Option<Run>,
    counter: &CallCounter,
    elapsed: impl Fn() -> Duration,
) -> Evaluation {
    let prices = Prices::of(&header);
    let unfit = header.unfit.clone();
    let mut run = unanswered(&engine, header, engine.scorers.metrics());
    if let Some(ended) = before_the_first_call(&engine, &mut run, unfit).await {
        run.ended = ended;
        run.repeats = RepeatCounts::all(policy.schedule().first(), run.scorers.len());
        run.totals = totals::of(&run, &prices, &engine, counter);
        run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let (analysis, decision) = decide(&run, policy);
        return Evaluation { run, analysis, decision };
    }
    let mut repeats = policy.schedule().first();
    let mut judges: BTreeSet<String> =
        engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    loop {
        let slots = engine.plan.slots(run.repeats.per_case, repeats);
        let earlier_trials = std::mem::take(&mut run.trials);
        let round = Round { slots, judges: judges.clone(), earlier: earlier_trials };
        let executed = engine.execute(round).await;
        run.repeats.per_case = repeats;
        for (scorer, graded) in run.scorers.iter().zip(&mut run.repeats.per_scorer) {
            if judges.contains(scorer) || !engine.scorers.judges.iter().any(|judge| judge.name() == scorer) {
                *graded = repeats;
            }
        }
        run.trials = executed.trials;
        run.ended = executed.ended;
        run.totals = totals::of(&run, &prices, &engine, counter);
        if let Some(earlier) = &earlier {
            adopt_baseline(&mut run, earlier);
        }
        run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        if repeats >= policy.schedule().last() {
            drop((engine, earlier));
            let (analysis, decision) = decide(&run, policy);
            return settled(run, analysis, decision);
        }
        let (analysis, decision) = decide(&run, policy);
        let Some(next) = &decision.next else { return settled(run, analysis, decision) };
        engine.sink.emit(Event::LookTaken { repeats, next: next.repeats, undecided: next.undecided.clone() });
        repeats = next.repeats;
        judges.retain(|judge| next.metrics.contains(judge));
        engine.sink.emit(planned(&engine, run.repeats.per_case, repeats, judges.len()));
        // The reused_baseline trials are taken again at every look: it may reach further into them.
        run.trials.retain(|trial| earlier.is_none() || trial.role == Role::Candidate);
    }
}

/// Whether the judge may be asked: how the run ends instead, if not.
async fn before_the_first_call(engine: &Engine, run: &mut Run, unfit: Option<Fault>) -> Option<Ended> {
    if let Some(fault) = unfit {
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

/// What asking for repeats `from..to` takes, with so many judges.
pub fn planned(engine: &Engine, from: u32, to: u32, judges: usize) -> Event {
    let completions = engine.plan.slots(from, to).len();
    Event::Planned { cases: engine.plan.dataset().cases.len(), completions, judgements: completions * judges }
}

/// The run before its first call, with the metric names of its scorers.
fn unanswered(engine: &Engine, header: Header, scorers: Vec<String>) -> Run {
    let dataset = engine.plan.dataset();
    let cases: Arc<[CaseFacts]> = dataset
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
            shared,
        })
        .collect();
    let applies = scorers
        .iter()
        .map(|metric| (0..cases.len()).map(|case| engine.scorers.applies(metric, case)).collect())
        .collect();
    Run {
        name: header.name,
        started_at: header.started_at,
        duration_ms: 0,
        dataset: dataset.facts.clone(),
        cases,
        candidate: engine.plan.candidate().facts.clone(),
        baseline: engine.plan.baseline().map(|variant| variant.facts.clone()),
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
        warnings: header.warnings,
    }
}

/// Decides on a run that is over, as [`evaluate`] does after its last look.
pub fn conclude(run: Run, policy: &Policy) -> Evaluation {
    let (analysis, decision) = decide(&run, policy);
    settled(run, analysis, decision)
}

/// The evaluation, with what would settle the run where it is undecided.
fn settled(run: Run, analysis: Analysis, decision: Decision) -> Evaluation {
    let to_settle = match decision.verdict {
        Verdict::Inconclusive => forecast::to_settle(&run, &decision),
        _ => None,
    };
    Evaluation { run, analysis, decision: Decision { to_settle, ..decision } }
}

/// Analyses and decides; the same for a fresh run and for saved reports.
pub fn decide(run: &Run, policy: &Policy) -> (Analysis, Decision) {
    let analysis = metric::analyse(run);
    let mut decision = gate::decide(&analysis, policy, &run.ended);
    for summary in decision.metrics.iter_mut().filter(|summary| summary.kind == MetricKind::Judge) {
        summary.judged = metric::judge_quality(run, summary, policy.alpha());
    }
    decision.warnings.extend(drift::warnings(run));
    (analysis, decision)
}

/// Makes the candidate of an earlier run the baseline of this one; cases are matched by id.
///
/// Only repeats that this run has too are taken: a look reads as many of both sides. Where the earlier run was
/// asked for fewer, those there are count; what it was asked for and lacks is missing.
pub fn adopt_baseline(run: &mut Run, earlier: &Run) {
    let index: BTreeMap<&str, usize> =
        run.cases.iter().enumerate().map(|(index, case)| (case.id.as_str(), index)).collect();
    let repeats = run.repeats.per_case;
    let adopted: Vec<Trial> = earlier
        .trials
        .iter()
        .filter(|trial| trial.role == Role::Candidate && trial.repeat < repeats)
        .filter_map(|trial| {
            let case = *index.get(earlier.cases.get(trial.case)?.id.as_str())?;
            Some(Trial { case, role: Role::Baseline, repeat: trial.repeat, result: trial.result.clone() })
        })
        .collect();
    run.trials.retain(|trial| trial.role == Role::Candidate);
    let is_answered = |trial: &&Trial| matches!(trial.result, TrialResult::Completed(_));
    run.totals.cached += adopted.iter().filter(is_answered).count() as u64;
    run.trials.extend(adopted);
    run.trials.sort_by_key(|trial| (trial.case, trial.repeat, trial.role));
    run.baseline = Some(earlier.candidate.clone());
    run.baseline_note = Some(format!("baseline_reused: answered in a run of {}", earlier.started_at));
    let graded = |scorer: &String| {
        let place = earlier.scorers.iter().position(|other| other == scorer);
        // What the earlier run never graded is missing, not left out.
        place
            .and_then(|place| earlier.repeats.per_scorer.get(place))
            .map_or(repeats, |graded| repeats.min(*graded))
    };
    run.reused_baseline = Some(RepeatCounts {
        per_case: repeats.min(earlier.repeats.per_case),
        per_scorer: run.scorers.iter().map(graded).collect(),
    });
    for case in Arc::make_mut(&mut run.cases) {
        case.shared = false;
    }
}
