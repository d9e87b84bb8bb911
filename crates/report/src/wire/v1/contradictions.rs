//! Contradictions within a report that types cannot rule out: the report was edited.

use std::borrow::Borrow;
use std::collections::HashSet;

use super::decision_contradictions::decision_contradictions;
use super::{Bound, Case, EndedKind, Policy, Report, Requirement, Role, Trial};
use promptgate_core::text::neutral;

/// Maximum number of listed contradictions.
pub(in super::super) const MAX_LISTED: usize = 20;

/// Maximum repeats of a case, as in the configuration.
const MAX_REPEATS: u32 = 1000;

/// The contradictions of a whole report.
pub(super) fn contradictions(report: &Report) -> Vec<String> {
    let mut found = undecided_contradictions(report);
    if report.dataset.cases != report.cases.len() {
        let (dataset, cases) = (report.dataset.cases, report.cases.len());
        found.push(format!("`dataset.cases` is {dataset}, but there are {cases} cases"));
    }
    let id = |case: usize| report.cases.get(case).map(|case| case.id.as_str());
    found.extend(wrong_criteria(&report.policy, id));
    let decided = report.criteria.iter().map(|outcome| &outcome.id);
    if !report.policy.criteria.iter().map(|criterion| &criterion.id).eq(decided) {
        found.push("`policy.criteria` and `criteria` differ".to_owned());
    }
    found.extend(decision_contradictions(report));
    if report.overridden.as_ref().is_some_and(|of| of.verdict_without != report.verdict) {
        found.push("`override.verdict_without` is not `verdict`".to_owned());
    }
    found
}

/// The contradictions of a report that may lack a decision, and cases of the dataset.
pub(in super::super) fn undecided_contradictions(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = HashSet::new();
    let mut scorers = HashSet::new();
    for scorer in &report.scorers {
        if !scorers.insert(scorer.as_str()) {
            found.push(format!("duplicate scorer `{}`", neutral::terminal(scorer)));
        }
    }
    for case in &report.cases {
        if !ids.insert(case.id.as_str()) {
            found.push(format!("duplicate case `{}`", neutral::terminal(&case.id)));
        }
        found.extend(wrong_trials(report, case, &mut case.trials.readable()));
        if found.len() >= MAX_LISTED {
            return found;
        }
    }
    if report.repeats > MAX_REPEATS {
        found.push(format!("`repeats` is {}, above the maximum of {MAX_REPEATS}", report.repeats));
    }
    found.extend(wrong_policy(&report.policy));
    if report.repeats > report.policy.max_repeats {
        found.push("`repeats` is above `policy.max_repeats`".to_owned());
    }
    if report.ended.kind == EndedKind::Stopped && report.ended.fault.is_none() {
        found.push("`ended` is `stopped` without a `fault`".to_owned());
    }
    found
}

/// Values that no configuration could give.
fn wrong_policy(policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    if !(policy.confidence > 0.5 && policy.confidence < 1.0) {
        found.push("`policy.confidence` must be above 0.5 and below 1".to_owned());
    }
    if !(0.0..1.0).contains(&policy.resolution) {
        found.push("`policy.resolution` must be in 0..1".to_owned());
    }
    if !(0.0..=1.0).contains(&policy.max_missing) {
        found.push("`policy.max_missing` must be in 0..=1".to_owned());
    }
    if policy.repeats < 1 || policy.max_repeats < policy.repeats || policy.max_repeats > MAX_REPEATS {
        found.push(format!("`policy.repeats` and `policy.max_repeats` must rise within 1 to {MAX_REPEATS}"));
    }
    found
}

/// Criteria that no configuration could give, or of a case with another id; `id` returns the id of a case.
pub(in super::super) fn wrong_criteria<'a>(
    policy: &Policy,
    id: impl Fn(usize) -> Option<&'a str>,
) -> Vec<String> {
    let mut found = Vec::new();
    for criterion in &policy.criteria {
        let wrong = match criterion.requirement {
            Requirement::Minimum { value } => {
                (!(0.0..=1.0).contains(&value)).then(|| "must have a value in 0..=1".to_owned())
            }
            Requirement::NotWorse { tolerance } => {
                (!(0.0..=1.0).contains(&tolerance)).then(|| "must have a tolerance in 0..=1".to_owned())
            }
            Requirement::WinRate { tolerance } => {
                (!(0.0..=0.5).contains(&tolerance)).then(|| "must have a tolerance in 0..=0.5".to_owned())
            }
            Requirement::Limit { bound: Bound::Absolute(value) | Bound::MaxIncrease(value), .. } => {
                (value < 0.0).then(|| "has a limit below 0".to_owned())
            }
            Requirement::MustPass { case, .. } => match id(case) {
                Some(id) if criterion.id == format!("case.{id}") => None,
                Some(_) => Some(format!("refers to case {case}, which has another id")),
                None => Some(format!("refers to case {case}, which does not exist")),
            },
            Requirement::EveryTrial | Requirement::NoNewFailures | Requirement::BrokenCases { .. } => None,
        };
        let wrong = wrong.or_else(|| {
            let labels = criterion.labels.as_ref()?;
            let is_minimum = matches!(criterion.requirement, Requirement::Minimum { .. });
            let wrong =
                (!is_minimum).then_some("which only a minimum has").or_else(|| labels.contradiction());
            let follows = labels.covariance > 0.0;
            let wrong = wrong.or_else(|| (!follows).then_some("which the judge does not follow"));
            wrong.map(|wrong| format!("has `labels` that are not valid: {wrong}"))
        });
        found.extend(wrong.map(|wrong| format!("criterion `{}` {wrong}", neutral::terminal(&criterion.id))));
    }
    found
}

/// Trials of a case that contradict each other, the case, or the report.
pub(in super::super) fn wrong_trials<T: Borrow<Trial>>(
    report: &Report,
    case: &Case,
    trials: &mut dyn Iterator<Item = T>,
) -> Vec<String> {
    let mut found = Vec::new();
    let id = || neutral::terminal(&case.id);
    let mut seen = HashSet::new();
    for trial in trials {
        let trial: &Trial = trial.borrow();
        let name = || format!("case `{}`, {} repeat {}", id(), trial.role.as_str(), trial.repeat);
        if !seen.insert((trial.role, trial.repeat)) {
            found.push(format!("{}: duplicate trial", name()));
        }
        if trial.repeat >= report.repeats {
            found.push(format!("{}: `repeat` must be below {}", name(), report.repeats));
        }
        if trial.role == Role::Baseline && report.variants.baseline.is_none() {
            found.push(format!("{}: the report has no baseline", name()));
        }
        let mut graded = HashSet::new();
        for grade in &trial.grades {
            let scorer = || neutral::terminal(&grade.scorer);
            if !graded.insert(grade.scorer.as_str()) {
                found.push(format!("{}: two grades of `{}`", name(), scorer()));
            }
            if !case.scorers.contains(&grade.scorer) {
                found.push(format!(
                    "{}: a grade of `{}`, which does not apply to the case",
                    name(),
                    scorer()
                ));
            }
            // A check of embeddings has tokens too.
            let is_check = grade.scorer.starts_with("check.");
            if grade.judging.is_some() && report.judge.is_none() && !is_check {
                found.push(format!("{}: a judgement of `{}` without a `judge`", name(), scorer()));
            }
        }
        if trial.latency_ms.is_some_and(|latency| latency < 0.0) {
            found.push(format!("{}: `latency_ms` is below 0", name()));
        }
        if trial.error.is_none()
            && let Err(message) = trial.text()
        {
            found.push(format!("{}: {message}", name()));
        }
    }
    found
}
