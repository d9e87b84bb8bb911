//! The models that answered: whether they are those asked for, and the same for both variants.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::UNKNOWN_END;
use promptgate_core::model::{Reason, ReasonCode, Role, Run, TrialResult, TrialSummary, is_same_model};

/// Answers of each variant from which on disjoint models are no coincidence.
const MIN_ANSWERS: usize = 10;
/// The name under which the simulated model answers, also from early mock servers: no model to warn about.
const SIMULATED: &str = "simulated";
/// Names in a sentence.
const MAX_NAMES: usize = 4;

/// The reasons that come first: the variants were answered by different models, or by one that was not asked for.
pub(super) fn reasons(run: &Run) -> Vec<Reason> {
    // The simulated model answers under its own name.
    if run.simulated {
        return Vec::new();
    }
    let messages = disjoint(run).into_iter().chain(other_models(run));
    messages.map(|message| Reason { code: ReasonCode::OtherModel, message, criterion: None }).collect()
}

/// Warnings about finish reasons that no vendor is known to use.
pub(super) fn warnings(run: &Run) -> Vec<String> {
    let mut of_answers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_judgements: BTreeSet<&str> = BTreeSet::new();
    for (_, trial) in completed(run) {
        if let Some(name) = trial.unknown_end.as_deref() {
            *of_answers.entry(name).or_default() += 1;
        }
        let flags = trial.grades.iter().flat_map(|grade| &grade.flags);
        of_judgements.extend(flags.filter_map(|flag| flag.strip_prefix(UNKNOWN_END)));
    }
    let ended =
        |name: &str| format!("ended with the unknown finish_reason {name} and were taken as complete");
    let answers = of_answers.iter().map(|(name, count)| format!("{count} answers {}", ended(name)));
    let replies = of_judgements.iter().map(|name| format!("replies of the judge {}", ended(name)));
    answers.chain(replies).collect()
}

/// A sentence for each model that was asked for where others answered.
fn other_models<'r>(run: &'r Run) -> Vec<String> {
    let mut asked: Vec<(&str, Tally<'_>)> = Vec::new();
    let mut add = |what: &'static str, name: &'r str, answered: Option<&'r str>| {
        let index = asked.iter().position(|(model, tally)| *model == name && tally.what == what);
        let index = index.unwrap_or_else(|| {
            asked.push((name, Tally { what, total: 0, others: BTreeMap::new() }));
            asked.len() - 1
        });
        asked[index].1.add(name, answered);
    };
    let only_judge = run.judge.as_ref().and_then(|judge| judge.panel.first()).map_or("", String::as_str);
    for (role, trial) in completed(run) {
        add("answers", requested(run, role), trial.by.model.as_deref());
        for judgement in trial.grades.iter().flat_map(|grade| &grade.judgements) {
            let name = judgement.by.judge.as_deref().unwrap_or(only_judge);
            add("judgements", name, judgement.by.model.as_deref());
        }
    }
    asked.into_iter().filter_map(|(name, tally)| tally.describe(name)).collect()
}

/// The answers or judgements that one model was asked for.
struct Tally<'a> {
    what: &'static str,
    total: usize,
    /// Number of those that another model gave.
    others: BTreeMap<&'a str, usize>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, asked: &str, answered: Option<&'a str>) {
        self.total += 1;
        let other = answered.filter(|answered| *answered != SIMULATED && !is_same_model(asked, answered));
        if let Some(answered) = other {
            *self.others.entry(answered).or_default() += 1;
        }
    }

    fn describe(&self, asked: &str) -> Option<String> {
        let other: usize = self.others.values().sum();
        let names = listed(self.others.keys().copied());
        (other > 0).then(|| {
            format!(
                "{other} of {} {} from {asked} came from another model, {names}. If that is another name of \
                 the same model, write it in place of {asked}.",
                self.total, self.what
            )
        })
    }
}

/// A sentence where candidate and baseline were answered by disjoint sets of models or of system fingerprints, although
/// the same model was asked for.
fn disjoint(run: &Run) -> Option<String> {
    let baseline = run.baseline.as_ref().filter(|baseline| baseline.model == run.candidate.model)?;
    let names = |role, by: fn(&TrialSummary) -> Option<&str>| {
        let answers = completed(run).filter(move |(of, _)| *of == role).map(move |(_, trial)| by(trial));
        let names: Vec<&str> = answers.flatten().collect();
        (names.len() >= MIN_ANSWERS).then(|| names.into_iter().collect::<BTreeSet<&str>>())
    };
    let differ = |what: &str, by: fn(&TrialSummary) -> Option<&str>| {
        let (ours, theirs) = (names(Role::Candidate, by)?, names(Role::Baseline, by)?);
        ours.is_disjoint(&theirs).then(|| {
            format!(
                "The candidate was answered by {what} {}, the baseline by {}: a difference may come from them and not \
                 from the prompt.",
                listed(ours.iter().copied()),
                listed(theirs.iter().copied())
            )
        })
    };
    differ("the model", |trial| trial.by.model.as_deref())
        .or_else(|| differ("the system fingerprint", |trial| trial.by.system_fingerprint.as_deref()))
        .map(|sentence| format!("{sentence} Both asked for {}.", baseline.model))
}

fn requested(run: &Run, role: Role) -> &str {
    match (role, &run.baseline) {
        (Role::Baseline, Some(baseline)) => &baseline.model,
        _ => &run.candidate.model,
    }
}

/// The answered trials, each shared one once.
fn completed(run: &Run) -> impl Iterator<Item = (Role, &TrialSummary)> {
    run.trials.iter().filter_map(|trial| match &trial.result {
        TrialResult::Completed(_) if trial.role == Role::Baseline && run.cases[trial.case].shared => None,
        TrialResult::Completed(completed) => Some((trial.role, completed)),
        TrialResult::Missing(_) => None,
    })
}

/// The first few names.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let left_out = names.len().saturating_sub(MAX_NAMES);
    let named: Vec<&str> = names.take(MAX_NAMES).collect();
    let more = if left_out > 0 { format!(" and {left_out} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evaluate::tests::run;
    use promptgate_core::model::{Completion, Grade};

    /// A run of `m` whose candidate and baseline are answered by these models, one repeat of each case.
    fn answered(cases: usize, candidate: &str, baseline: &str, fingerprints: [&str; 2]) -> Run {
        let ids: Vec<String> = (0..cases).map(|case| case.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut run = run("m", &ids, 1, &[Role::Candidate, Role::Baseline]);
        run.baseline = Some(run.candidate.clone());
        Arc::make_mut(&mut run.cases).iter_mut().for_each(|case| case.shared = false);
        for trial in &mut run.trials {
            let side = usize::from(trial.role == Role::Baseline);
            let completion = Completion {
                model: Some([candidate, baseline][side].to_owned()),
                system_fingerprint: Some(fingerprints[side].to_owned()),
                ..Completion::from_text("yes")
            };
            trial.result = TrialResult::completed(completion, Vec::<Grade>::new());
        }
        run
    }

    fn messages(run: &Run) -> Vec<String> {
        reasons(run).into_iter().map(|reason| reason.message).collect()
    }

    #[test]
    fn dated_version_of_the_asked_model_is_no_reason() {
        assert_eq!(messages(&answered(20, "m", "m-2026-01-01", ["f", "f"])).len(), 1);
        assert!(messages(&answered(20, "m-2026-01-01", "m-2026-01-01", ["f", "f"])).is_empty());
    }

    #[test]
    fn fallback_is_named() {
        let both = answered(3, "cheap-fallback-1b", "m", ["f", "f"]);
        let [message] = messages(&both).try_into().unwrap();
        assert!(
            message.starts_with("3 of 6 answers from m came from another model, cheap-fallback-1b."),
            "{message}"
        );
        let simulated = Run { simulated: true, ..both };
        assert!(messages(&simulated).is_empty());
    }

    #[test]
    fn disjoint_models_or_fingerprints_are_the_first_reason() {
        let start = |run: &Run| messages(run).first().map(|text| text.split(':').next().unwrap().to_owned());
        assert_eq!(
            start(&answered(10, "cheap", "m", ["f", "f"])).as_deref(),
            Some("The candidate was answered by the model cheap, the baseline by m")
        );
        assert_eq!(
            start(&answered(10, "m", "m", ["f1", "f2"])).as_deref(),
            Some("The candidate was answered by the system fingerprint f1, the baseline by f2")
        );
        // Nine answers a side may be a coincidence.
        assert_eq!(start(&answered(9, "m", "m", ["f1", "f2"])), None);
        // Two models that were both asked for.
        let mut asked = answered(10, "a", "b", ["f", "f"]);
        asked.candidate.model = "a".to_owned();
        asked.baseline.as_mut().unwrap().model = "b".to_owned();
        assert!(messages(&asked).is_empty());
    }
}
