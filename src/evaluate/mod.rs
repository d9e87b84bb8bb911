//! The way from a plan to a decision: execute, analyse, decide.
//!
//! One look is taken, at all planned repeats; further looks belong here. Reads no file and prints nothing.

#[cfg(test)]
mod tests;
mod totals;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use totals::CallCounter;

use crate::engine::Engine;
use crate::gate::{self, Policy};
use crate::metric;
use crate::model::{Analysis, CaseFacts, Decision, JudgeFacts, Role, Run, Trial, TrialResult};

/// What is known of a run before its first call.
#[derive(Debug, Clone)]
pub struct Header {
    /// Name of the suite.
    pub name: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Repeats of every case.
    pub repeats: u32,
    /// The judge, if one is asked.
    pub judge: Option<JudgeFacts>,
    /// US dollars per million tokens by model: input, output.
    pub prices: Vec<(String, f64, f64)>,
    /// Whether the simulated endpoint answers.
    pub simulated: bool,
    /// Where there is no baseline, why.
    pub baseline_note: Option<String>,
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

/// Carries out the whole plan and decides; the candidate of an `earlier` run, if given, is the baseline.
pub async fn evaluate(
    engine: &Arc<Engine>,
    header: Header,
    policy: &Policy,
    earlier: Option<Run>,
    counter: &CallCounter,
    elapsed: impl FnOnce() -> Duration,
) -> Evaluation {
    let executed = engine.execute(engine.plan.slots(0, header.repeats)).await;
    let dataset = engine.plan.dataset();
    let cases: Vec<CaseFacts> = dataset
        .cases
        .iter()
        .zip(engine.plan.shared())
        .map(|(case, &shared)| CaseFacts {
            id: case.id.clone(),
            query: case.query.clone(),
            tags: case.tags.clone(),
            group: case.group.clone(),
            must_pass: case.must_pass,
            shared,
        })
        .collect();
    let scorers = engine.scorers.metrics();
    let applies = scorers
        .iter()
        .map(|metric| (0..cases.len()).map(|case| engine.scorers.applies(metric, case)).collect())
        .collect();
    let totals = totals::of(&executed.trials, &cases, &header, engine, counter);
    let mut run = Run {
        name: header.name,
        started_at: header.started_at,
        duration_ms: 0,
        dataset: dataset.facts.clone(),
        cases,
        candidate: engine.plan.candidate().facts.clone(),
        baseline: engine.plan.baseline().map(|variant| variant.facts.clone()),
        baseline_note: header.baseline_note,
        baseline_reused: false,
        judge: header.judge,
        scorers,
        applies,
        repeats: header.repeats,
        trials: executed.trials,
        totals,
        prices: header.prices,
        simulated: header.simulated,
        ended: executed.ended,
        warnings: header.warnings,
    };
    if let Some(earlier) = earlier {
        adopt_baseline(&mut run, earlier);
    }
    run.duration_ms = elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    let (analysis, decision) = decide(&run, policy);
    Evaluation { run, analysis, decision }
}

/// Analyses and decides; the same for a fresh run and for saved reports.
pub fn decide(run: &Run, policy: &Policy) -> (Analysis, Decision) {
    let analysis = metric::analyse(run);
    let decision = gate::decide(&analysis, policy, &run.ended);
    (analysis, decision)
}

/// Makes the candidate of an earlier run the baseline of this one; cases are matched by id.
///
/// Only repeats that this run has too are taken, so that both sides are of one length; what the earlier run
/// lacks is missing.
pub fn adopt_baseline(run: &mut Run, earlier: Run) {
    let index: BTreeMap<&str, usize> =
        run.cases.iter().enumerate().map(|(index, case)| (case.id.as_str(), index)).collect();
    let adopted: Vec<Trial> = earlier
        .trials
        .into_iter()
        .filter(|trial| trial.role == Role::Candidate && trial.repeat < run.repeats)
        .filter_map(|trial| {
            let case = *index.get(earlier.cases.get(trial.case)?.id.as_str())?;
            Some(Trial { case, role: Role::Baseline, ..trial })
        })
        .collect();
    run.trials.retain(|trial| trial.role == Role::Candidate);
    let is_answered = |trial: &&Trial| matches!(trial.result, TrialResult::Answered { .. });
    run.totals.stored += adopted.iter().filter(is_answered).count() as u64;
    run.trials.extend(adopted);
    run.trials.sort_by_key(|trial| (trial.case, trial.repeat, trial.role));
    run.baseline = Some(earlier.candidate);
    run.baseline_note = Some(format!("baseline_reused: answered in a run of {}", earlier.started_at));
    run.baseline_reused = true;
    for case in &mut run.cases {
        case.shared = false;
    }
}
