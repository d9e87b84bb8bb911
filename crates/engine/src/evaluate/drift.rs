//! Whether the judge was one instrument throughout: what its endpoint said of itself, grade by grade.

use std::collections::BTreeSet;

use promptgate_core::model::{Role, Run, TrialResult};

/// What the judge answered as, over the trials of one variant.
#[derive(Debug, Default, PartialEq)]
struct TrialSummary<'a> {
    models: BTreeSet<&'a str>,
    system_fingerprints: BTreeSet<&'a str>,
    output_modes: BTreeSet<&'a str>,
}

/// Changes of the judge within a run, and against a baseline that was judged in an earlier one.
///
/// A panel has several models to begin with: then each of its places is looked at on its own.
pub(super) fn warnings(run: &Run) -> Vec<String> {
    let Some(judge) = &run.judge else { return Vec::new() };
    let mut warnings = Vec::new();
    for place in 0..judge.panel.len().max(1) {
        let name = judge.panel.get(place).map_or("judge", String::as_str);
        let (ours, theirs) = (answered(run, Role::Candidate, place), answered(run, Role::Baseline, place));
        for (what, ours, theirs) in [
            ("as the models", &ours.models, &theirs.models),
            ("with the system fingerprints", &ours.system_fingerprints, &theirs.system_fingerprints),
            ("in the reply formats", &ours.output_modes, &theirs.output_modes),
        ] {
            let all: BTreeSet<&str> = ours.union(theirs).copied().collect();
            if all.len() > 1 {
                let listed = all.into_iter().collect::<Vec<_>>().join(", ");
                let since = if run.reused_baseline.is_some() && ours != theirs {
                    "the baseline was judged by another one in its session"
                } else {
                    "it changed within the run"
                };
                warnings.push(format!(
                    "the judge {name} answered {what} {listed}: {since}, and scores may shift"
                ));
            }
        }
    }
    warnings
}

fn answered(run: &Run, role: Role, place: usize) -> TrialSummary<'_> {
    let mut found = TrialSummary::default();
    for trial in run.trials.iter().filter(|trial| trial.role == role) {
        let TrialResult::Completed(answered) = &trial.result else { continue };
        for grade in answered.grades.iter().filter(|grade| grade.score.is_some()) {
            let Some(judgement) = grade.judgements.get(place) else { continue };
            found.models.extend(judgement.by.model.as_deref());
            found.system_fingerprints.extend(judgement.by.system_fingerprint.as_deref());
            found.output_modes.extend(judgement.by.output_mode.as_deref());
        }
    }
    found
}
