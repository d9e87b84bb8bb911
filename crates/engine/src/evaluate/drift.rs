//! Drift of the judge: changes of its model, system fingerprint or output mode between grades.

use std::collections::BTreeSet;

use promptgate_core::model::{Role, Run, TrialResult};

/// The models, system fingerprints and output modes of a judge.
type Identities<'a> = [BTreeSet<&'a str>; 3];

/// The properties of [`Identities`] in a sentence.
const PROPERTIES: [&str; 3] = ["as the models", "with the system fingerprints", "in the output modes"];

/// Warnings about changes of the judge within a run, and since the run of a reused baseline. Each member of a panel is
/// compared only with itself.
pub(super) fn warnings(run: &Run) -> Vec<String> {
    let Some(judge) = &run.judge else { return Vec::new() };
    let mut warnings = Vec::new();
    for member in 0..judge.panel.len().max(1) {
        let name = judge.panel.get(member).map_or("judge", String::as_str);
        let candidate = identities(run, Role::Candidate, member);
        let baseline = identities(run, Role::Baseline, member);
        for ((property, candidate), baseline) in PROPERTIES.iter().zip(&candidate).zip(&baseline) {
            let all: BTreeSet<&str> = candidate.union(baseline).copied().collect();
            if all.len() > 1 {
                let listed = all.into_iter().collect::<Vec<_>>().join(", ");
                let cause = if run.reused_baseline.is_some() && candidate != baseline {
                    "the judge of the reused baseline was another one"
                } else {
                    "it changed within the run"
                };
                warnings.push(format!(
                    "the judge {name} answered {property} {listed}: {cause}, and scores may shift"
                ));
            }
        }
    }
    warnings
}

/// The identities of a member over the trials of one variant.
fn identities(run: &Run, role: Role, member: usize) -> Identities<'_> {
    let mut identities = Identities::default();
    for trial in run.trials.iter().filter(|trial| trial.role == role) {
        let TrialResult::Completed(completed) = &trial.result else { continue };
        for grade in completed.grades.iter().filter(|grade| grade.score.is_some() && !grade.is_check()) {
            let Some(judgement) = grade.judgements.get(member) else { continue };
            let by = &judgement.by;
            for (found, identity) in
                identities.iter_mut().zip([&by.model, &by.system_fingerprint, &by.output_mode])
            {
                found.extend(identity.as_deref());
            }
        }
    }
    identities
}
