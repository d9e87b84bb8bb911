//! A loss against a stored baseline is confirmed by fresh answers, which alone decide from then on.
//!
//! Drift between two sessions looks like an effect of the change. With fresh answers of both variants in one session the
//! decision is the one that a run without any stored answer would have reached, so its rate of false failures holds.

use std::collections::BTreeSet;

use crate::execute::{Engine, Roles, Round};
use promptgate_core::metric;
use promptgate_core::model::{Analysis, Decision, Ended, Role, Run, Verdict};
use promptgate_core::port::Event;

/// The end of a warning whose verdict is not known yet.
const UNFINISHED: &str = " decided instead, and ";

/// Whether the baseline of this run is stored and can be asked again.
pub(super) fn may_confirm(engine: &Engine, run: &Run) -> bool {
    run.ended == Ended::Completed
        && run.reused_baseline.is_none()
        && engine.plan.baseline().is_some()
        && !engine.cached_only
        && metric::stored_baseline(run).is_some()
}

/// Whether the decision rests on stored answers that cannot carry it: a loss, or those of another model.
pub(super) fn needs_fresh_arms(analysis: &Analysis, decision: &Decision) -> bool {
    let model_changed = analysis.stored_baseline.as_ref().is_some_and(|stored| stored.model_change.is_some());
    // A run that fails on other grounds needs no confirmation.
    decision.verdict != Verdict::Fail && (model_changed || decision.is_unconfirmed())
}

/// Asks as many fresh answers of the baseline as the candidate has, and the candidate's again if they are stored too.
/// Stored answers are not read any more.
pub(super) async fn ask(engine: &std::sync::Arc<Engine>, run: &mut Run, analysis: &Analysis) {
    let with_candidate = metric::candidate_is_stored(run);
    let mut refreshed = vec![Role::Baseline];
    refreshed.extend(with_candidate.then_some(Role::Candidate));
    refreshed.iter().for_each(|role| engine.plan.refresh_from_now(*role));
    let shared = engine.plan.shared();
    run.trials.retain(|trial| shared[trial.case] || !refreshed.contains(&trial.role));
    let is_refreshed = |roles| matches!(roles, Roles::One(role) if refreshed.contains(&role));
    announce(engine, run, analysis, &refreshed);
    // A judge whose metric was settled graded only the first repeats, and grades only these again.
    let per_scorer = run.scorers.iter().zip(&run.repeats.per_scorer);
    let graded: Vec<(&str, u32)> = per_scorer
        .filter(|(scorer, _)| engine.scorers.judges.iter().any(|judge| judge.name() == scorer.as_str()))
        .map(|(scorer, repeats)| (scorer.as_str(), *repeats))
        .collect();
    let ends: BTreeSet<u32> =
        graded.iter().map(|(_, repeats)| *repeats).chain([run.repeats.per_case]).collect();
    let mut from = 0;
    for to in ends.into_iter().filter(|to| *to > 0) {
        let judges =
            graded.iter().filter(|(_, repeats)| *repeats >= to).map(|(judge, _)| (*judge).to_owned());
        let slots = engine.plan.slots(from, to).into_iter().filter(|slot| is_refreshed(slot.roles));
        let earlier = std::mem::take(&mut run.trials);
        let round = Round { slots: slots.collect(), judges: judges.collect(), earlier };
        let result = engine.execute(round).await;
        run.trials = result.trials;
        run.ended = result.ended;
        if run.ended != Ended::Completed {
            return;
        }
        from = to;
    }
}

/// Says how the fresh answers decided.
pub(super) fn report(run: &mut Run, decision: &Decision) {
    let Some(warning) = run.warnings.last_mut().filter(|warning| warning.ends_with(UNFINISHED)) else {
        return;
    };
    warning.push_str(match decision.verdict {
        Verdict::Fail => "confirmed it",
        _ => "did not confirm it",
    });
}

/// Announces the additional calls, and adds a warning that [`report`] completes.
fn announce(engine: &Engine, run: &mut Run, analysis: &Analysis, refreshed: &[Role]) {
    let (repeats, stored) = (run.repeats.per_case, analysis.stored_baseline.clone().unwrap_or_default());
    let who = if refreshed.len() == 1 { "the baseline" } else { "both variants" };
    let why = match &stored.model_change {
        Some(change) => format!("the baseline's answers of {} are of another model ({change})", stored.date),
        None => format!("a loss is shown against the baseline's answers of {}", stored.date),
    };
    let cases = engine.plan.shared().iter().filter(|shared| !**shared).count();
    let completions = cases * repeats as usize * refreshed.len();
    engine.sink.emit(Event::Note { message: format!("{why}: asking {completions} fresh answers of {who}") });
    let judgements = completions * engine.scorers.judges.len();
    engine.sink.emit(Event::Planned { cases, completions, judgements });
    let outcome = match &stored.model_change {
        Some(_) => format!("{why}, so they were not used: fresh answers of {who} decided"),
        None => format!("{why}; {repeats} fresh repeats of {who}{UNFINISHED}"),
    };
    run.warnings.push(outcome);
}
