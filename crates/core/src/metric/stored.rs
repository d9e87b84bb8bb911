//! Baselines whose answers are of an earlier session than the candidate's.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Role, Run, SESSION_SECONDS, StoredBaseline, Trial, TrialSummary};

/// The start of a run in seconds since 1970 (UTC).
pub fn started(run: &Run) -> u64 {
    let started = run.started_at.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second());
    u64::try_from(started).unwrap_or(0)
}

/// The stored answers of the baseline; `None` where every one is of the same session as the candidate's.
pub fn stored_baseline(run: &Run) -> Option<StoredBaseline> {
    let started = started(run);
    let at = |answer: &TrialSummary| answer.cached_at.unwrap_or(started);
    let answered = |role| {
        run.trials
            .iter()
            .filter(move |trial| trial.role == role)
            .filter_map(|trial| Some((trial, trial.result.answer()?)))
    };
    let ours: BTreeMap<(usize, u32), u64> =
        answered(Role::Candidate).map(|(trial, answer)| ((trial.case, trial.repeat), at(answer))).collect();
    let is_stored = |trial: &Trial, answer: &TrialSummary| {
        let differs = |ours: &u64| ours.abs_diff(at(answer)) > SESSION_SECONDS;
        run.reused_baseline.is_some() || ours.get(&(trial.case, trial.repeat)).is_some_and(differs)
    };
    let (mut models, mut fresh_models) = (BTreeSet::new(), BTreeSet::new());
    let mut oldest = None;
    for (trial, answer) in answered(Role::Baseline) {
        if is_stored(trial, answer) {
            let time = answered_at(run, answer, started);
            oldest = Some(oldest.map_or(time, |oldest: u64| oldest.min(time)));
            models.extend(answer.model.as_deref());
        } else {
            fresh_models.extend(answer.model.as_deref());
        }
    }
    let oldest = oldest?;
    // Variants that name different models are answered by different ones.
    if run.baseline.as_ref().is_some_and(|baseline| baseline.model == run.candidate.model) {
        fresh_models.extend(answered(Role::Candidate).filter_map(|(_, answer)| answer.model.as_deref()));
    }
    let changed = !models.is_empty() && !fresh_models.is_empty() && models != fresh_models;
    let list = |models: BTreeSet<&str>| models.into_iter().collect::<Vec<_>>().join(", ");
    let model_change = changed.then(|| format!("{} then, {} now", list(models), list(fresh_models)));
    Some(StoredBaseline { date: date(oldest), decides: false, model_change })
}

/// Whether an answer of the candidate is of an earlier session than the run itself.
pub fn candidate_is_stored(run: &Run) -> bool {
    let started = started(run);
    let candidate = run.trials.iter().filter(|trial| trial.role == Role::Candidate);
    candidate
        .filter_map(|trial| trial.result.answer()?.cached_at)
        .any(|at| at.abs_diff(started) > SESSION_SECONDS)
}

/// The time of an answer. Those of a saved report without one are as old as its run.
fn answered_at(run: &Run, answer: &TrialSummary, started: u64) -> u64 {
    let of_report = || {
        let note = run.baseline_note.as_deref()?.strip_prefix("baseline_reused: answered in a run of ")?;
        u64::try_from(note.parse::<jiff::Timestamp>().ok()?.as_second()).ok()
    };
    answer.cached_at.filter(|at| *at > 0).or_else(of_report).unwrap_or(started)
}

/// The day of a time, like `2026-11-20`.
fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "an unknown day".to_owned(), |time| time.strftime("%F").to_string())
}
