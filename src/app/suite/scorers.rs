//! Compiles checks, builds judges, and makes the policy over both.

use std::collections::BTreeMap;

use serde_json::Value;

use super::judges::{judges, planted};
use super::{Findings, SuiteOptions};
use crate::app::sources::Files;
use crate::config::{self, CheckPolicy, Settings};
use promptgate_core::check::{self, NamedCheck};
use promptgate_core::gate::{Policy, Schedule};
use promptgate_core::model::{Case, CaseFacts, Dataset, Diagnostic, Diagnostics, Place};
use promptgate_engine::execute::Scorers;

/// Cases that one diagnostic names.
const SHOWN: usize = 5;

/// Compiles the checks of the configuration.
pub(super) fn compile(settings: &Settings, files: &Files, diagnostics: &mut Diagnostics) -> Vec<NamedCheck> {
    let read = |path: &str| files.of_check(path);
    let mut checks: Vec<NamedCheck> = Vec::new();
    for written in &settings.checks {
        let Some(check) = compile_entry(&written.value, &written.place, &read, diagnostics) else { continue };
        if checks.iter().any(|other| other.name == check.name) {
            diagnostics.0.push(same_name(&check.name).at(written.place.clone()));
        }
        checks.push(check);
    }
    checks
}

fn same_name(name: &str) -> Diagnostic {
    Diagnostic::new(format!("two checks are named `{name}`")).help("give one of them a `name:` of its own")
}

fn compile_entry(
    entry: &Value,
    place: &Place,
    read: &dyn Fn(&str) -> Result<String, String>,
    diagnostics: &mut Diagnostics,
) -> Option<NamedCheck> {
    match check::compile(entry, read) {
        Ok(check) => Some(check),
        Err(found) => {
            for wrong in found {
                let at = wrong.pointer.trim_start_matches('/').replace('/', ".");
                let message =
                    if at.is_empty() { wrong.message } else { format!("check `{at}`: {}", wrong.message) };
                diagnostics.0.push(Diagnostic { place: Some(place.clone()), message, help: wrong.help });
            }
            None
        }
    }
}

/// All scorers over the dataset; a case without a field that a scorer needs is an error.
pub(super) fn build(
    settings: &Settings,
    checks: Vec<NamedCheck>,
    dataset: &Dataset,
    no_judge: bool,
    files: &Files,
    diagnostics: &mut Diagnostics,
) -> Scorers {
    let read = |path: &str| files.of_case(path);
    let case_checks: Vec<Vec<NamedCheck>> = dataset
        .cases
        .iter()
        .map(|case| {
            let own: Vec<NamedCheck> = case
                .checks
                .iter()
                .filter_map(|entry| compile_entry(entry, &case.place, &read, diagnostics))
                .collect();
            for (index, check) in own.iter().enumerate() {
                if checks.iter().chain(&own[..index]).any(|other| other.name == check.name) {
                    diagnostics.0.push(same_name(&check.name).at(case.place.clone()));
                }
            }
            own
        })
        .collect();
    let judges = if no_judge { Vec::new() } else { judges(settings) };
    for (index, case) in dataset.cases.iter().enumerate() {
        for check in &case_checks[index] {
            if check.needs_expected && case.expected.is_none() {
                diagnostics.0.push(
                    Diagnostic::new(format!("case {}: check `{}` needs `expected`", case.id, check.name))
                        .at(case.place.clone())
                        .help("give the case an `expected`, or the check a value of its own"),
                );
            }
        }
    }
    for check in checks.iter().filter(|check| check.needs_expected) {
        lacking(&dataset.cases, &format!("check `{}`", check.name), "expected", diagnostics, |case| {
            case.expected.is_some()
        });
    }
    for judge in &judges {
        let (needs, name) = (judge.needs(), format!("metric `{}`", judge.name()));
        if needs.context {
            lacking(&dataset.cases, &name, "context", diagnostics, |case| case.context.is_some());
        }
        if needs.expected {
            lacking(&dataset.cases, &name, "expected", diagnostics, |case| case.expected.is_some());
        }
        if needs.query {
            lacking(&dataset.cases, &name, "query", diagnostics, |case| !case.query.is_empty());
        }
    }
    let answer_field = settings.answer_field.clone();
    let planted = planted(settings, &judges, &files.policy, diagnostics);
    Scorers { checks, case_checks, judges, judge_models: Vec::new(), planted, answer_field }
}

/// One diagnostic for all cases without a field that a scorer needs.
fn lacking(
    cases: &[Case],
    scorer: &str,
    field: &str,
    diagnostics: &mut Diagnostics,
    has: impl Fn(&Case) -> bool,
) {
    let without: Vec<&Case> = cases.iter().filter(|case| !has(case)).collect();
    let Some(first) = without.first() else { return };
    let named: Vec<&str> = without.iter().take(SHOWN).map(|case| case.id.as_str()).collect();
    let more = match without.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    diagnostics.0.push(
        Diagnostic::new(format!(
            "{scorer} needs `{field}`, which these cases lack: {}{more}",
            named.join(", ")
        ))
        .at(first.place.clone())
        .help(format!("add `{field}` to the cases, map it by `dataset.fields`, or leave the metric out")),
    );
}

/// The policy over the scorers; without judges, their metrics have no criteria.
pub(super) fn policy(
    settings: &Settings,
    scorers: &Scorers,
    cases: &[CaseFacts],
    has_baseline: bool,
    options: &SuiteOptions,
    Findings { diagnostics, warnings }: &mut Findings,
) -> Option<Policy> {
    let mut minimums: Vec<(String, f64)> = Vec::new();
    for text in &options.minimums {
        match config::parse_minimum(text) {
            Ok((metric, _)) if minimums.iter().any(|(other, _)| *other == metric) => diagnostics.0.push(
                Diagnostic::new(format!("the minimum of `{metric}` is given twice"))
                    .at(Place::file("--min"))
                    .help("give it once"),
            ),
            Ok(minimum) => minimums.push(minimum),
            Err(found) => diagnostics.0.extend(found.0),
        }
    }
    // Checks of single cases that share a name share a metric: the strictest of them counts.
    let mut checks: Vec<CheckPolicy> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for check in scorers.checks.iter().chain(scorers.case_checks.iter().flatten()) {
        match known.get(check.name.as_str()) {
            Some(&index) => {
                checks[index].min = checks[index].min.max(check.min);
                checks[index].baseline |= check.baseline;
            }
            None => {
                known.insert(&check.name, checks.len());
                checks.push(CheckPolicy {
                    name: check.name.clone(),
                    min: check.min,
                    baseline: check.baseline,
                });
            }
        }
    }
    for (metric, minimum) in &minimums {
        let check = checks.iter().find(|check| metric.strip_prefix("check.") == Some(check.name.as_str()));
        let judged = settings.metrics.iter().find(|other| other.name == *metric);
        let configured = check.map(|check| check.min).or_else(|| judged.and_then(|metric| metric.min));
        if let Some(configured) = configured.filter(|configured| minimum < configured) {
            warnings.push(format!(
                "--min lowers the minimum of {metric} to {minimum}; the configuration requires {configured}"
            ));
        }
    }
    match settings.policy(&checks, cases, has_baseline, &minimums) {
        Ok(mut policy) => {
            let schedule = schedule(settings, options, diagnostics);
            (policy.repeats, policy.max_repeats) = (schedule.first(), schedule.last());
            if options.no_judge {
                policy.criteria.retain(|criterion| {
                    settings.metrics.iter().all(|metric| metric.name != criterion.metric)
                });
            }
            Some(policy)
        }
        Err(found) => {
            diagnostics.0.extend(found.0);
            None
        }
    }
}

/// The schedule of flags and configuration; `--repeats` alone is one look.
fn schedule(settings: &Settings, options: &SuiteOptions, diagnostics: &mut Diagnostics) -> Schedule {
    let configured = &settings.gate.policy;
    match (options.repeats, options.max_repeats) {
        (None, None) => Schedule::new(configured.repeats, configured.max_repeats),
        (Some(repeats), None) => Schedule::once(repeats),
        (None, Some(most)) => Schedule::new(configured.repeats.min(most), most),
        (Some(repeats), Some(most)) => {
            if most < repeats {
                let diagnostic = Diagnostic::new(format!("{most} is below the {repeats} of --repeats"));
                diagnostics
                    .0
                    .push(diagnostic.at(Place::file("--max-repeats")).help("raise it, or leave it out"));
            }
            Schedule::new(repeats, most)
        }
    }
}
