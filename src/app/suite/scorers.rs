//! Compiles checks, builds judges, and makes the policy over both.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::judges::{judges, missing_fields, planted};
use super::{Findings, SuiteOptions};
use crate::app::sources::NamedFiles;
use crate::config::{self, CheckPolicy, Settings};
use promptgate_adapters::files::DatasetBytes;
use promptgate_core::check::{self, EntryDiagnostic, NamedCheck};
use promptgate_core::gate::{Policy, Schedule};
use promptgate_core::model::{Case, CaseFacts, Dataset, Diagnostic, Diagnostics, Place};
use promptgate_core::template;
use promptgate_engine::execute::{EmbeddingModel, OutsideScorer, Scorers};

/// Cases that one diagnostic names.
const SHOWN: usize = 5;

/// The files that checks name.
pub(in crate::app) fn files_of_checks<'a>(entries: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    let paths = RefCell::new(BTreeSet::new());
    let note = |path: &str| {
        paths.borrow_mut().insert(path.to_owned());
        Err(String::new())
    };
    for entry in entries {
        // Compiled only to learn the paths: errors are found when the files are there.
        let _ = check::compile(entry, &note);
    }
    paths.into_inner()
}

/// Compiles the checks of the configuration.
pub(super) fn compile(settings: &Settings, files: &NamedFiles, findings: &mut Findings) -> Vec<NamedCheck> {
    let entries = settings.checks.iter().map(|check| (&check.value, &check.place));
    let read =
        Reading { typography: settings.transform.normalize_unicode, file: &|path| files.of_check(path) };
    let checks = compile_all(entries, &[], &read, &mut findings.diagnostics);
    refuse_shared_names(settings, &checks, findings);
    for (entry, check) in
        settings.checks.iter().zip(&checks).filter(|_| checks.len() == settings.checks.len())
    {
        let warnings = check.warnings.iter();
        findings.warnings.extend(warnings.map(|warning| format!("{}: {}", entry.place, described(warning))));
    }
    checks
}

/// Refuses scorers by command with the name of another one or of a check.
fn refuse_shared_names(settings: &Settings, checks: &[NamedCheck], findings: &mut Findings) {
    for (index, scorer) in settings.scorers.iter().enumerate() {
        let before = settings.scorers.iter().take(index).map(|other| other.name.as_str());
        if checks.iter().map(|check| check.name.as_str()).chain(before).any(|other| other == scorer.name) {
            findings.diagnostics.0.push(same_name(&scorer.name, &scorer.place));
        }
    }
}

fn same_name(name: &str, place: &Place) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("two checks are named `{name}`"));
    diagnostic.at(place.clone()).help("give one of them a `name:` of its own")
}

/// Refuses the checks of cases that would run a program: what a row says must not start anything.
fn refuse_commands(case: &Case, findings: &mut Findings) {
    if case.checks.iter().any(|entry| entry.get("command").is_some()) {
        let message = format!("case {}: the check `command` is not allowed in a case", case.id);
        let help =
            "write it under `checks` of the configuration; the script gets the case and can tell cases apart";
        findings.diagnostics.0.push(Diagnostic::new(message).at(case.place.clone()).help(help));
    }
}

/// Compiles the checks of single cases.
pub(super) fn compile_of_cases(
    cases: &[Case],
    checks: &[NamedCheck],
    settings: &Settings,
    files: &NamedFiles,
    findings: &mut Findings,
) -> Vec<Vec<NamedCheck>> {
    let read =
        Reading { typography: settings.transform.normalize_unicode, file: &|path| files.of_case(path) };
    let mut of_cases: Vec<Vec<NamedCheck>> = Vec::new();
    // Cases with the same check share a warning: the first case, and how many others.
    let mut warnings: Vec<(String, &Case, usize)> = Vec::new();
    for case in cases {
        refuse_commands(case, findings);
        let entries = case.checks.iter().filter(|entry| entry.get("command").is_none());
        let entries = entries.map(|entry| (entry, &case.place));
        let own = compile_all(entries, checks, &read, &mut findings.diagnostics);
        for warning in own.iter().flat_map(|check| &check.warnings) {
            let text = described(warning);
            match warnings.iter_mut().find(|(other, ..)| *other == text) {
                Some((.., others)) => *others += 1,
                None => warnings.push((text, case, 0)),
            }
        }
        of_cases.push(own);
    }
    findings.warnings.extend(warnings.into_iter().map(|(text, case, others)| match others {
        0 => format!("case {}: {text}", case.id),
        others => format!("case {} and {others} more: {text}", case.id),
    }));
    of_cases
}

/// A message with the key of the check that it is about.
fn described(found: &EntryDiagnostic) -> String {
    let at = found.pointer.trim_start_matches('/').replace('/', ".");
    let within = if at.is_empty() { String::new() } else { format!("check `{at}`: ") };
    within + &found.message
}

/// How entries are read.
struct Reading<'a> {
    /// Whether checks that search for texts ignore typography by default.
    typography: bool,
    /// Reads a file that a check names.
    file: &'a dyn Fn(&str) -> Result<String, String>,
}

impl Reading<'_> {
    fn compile(&self, entry: &Value) -> Result<NamedCheck, Vec<EntryDiagnostic>> {
        let compiled = check::compile(entry, self.file)?;
        // Compiled as written first, so that errors name the keys that the user wrote.
        if self.typography { Ok(compiled) } else { check::compile(&check::as_written(entry), self.file) }
    }
}

/// Compiles entries; none may have the name of another, or of the checks that are known already.
fn compile_all<'a>(
    entries: impl Iterator<Item = (&'a Value, &'a Place)>,
    known: &[NamedCheck],
    read: &Reading<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<NamedCheck> {
    let mut checks: Vec<NamedCheck> = Vec::new();
    for (entry, place) in entries {
        let check = match read.compile(entry) {
            Ok(check) => check,
            Err(found) => {
                diagnostics.0.extend(found.into_iter().map(|wrong| {
                    let message = described(&wrong);
                    Diagnostic { place: Some(place.clone()), message, help: wrong.help }
                }));
                continue;
            }
        };
        if known.iter().chain(&checks).any(|other| other.name == check.name) {
            diagnostics.0.push(same_name(&check.name, place));
        }
        checks.push(check);
    }
    checks
}

/// All scorers over the dataset; a case without a field that a scorer needs is an error.
pub(super) fn build(
    settings: &Settings,
    checks: Vec<NamedCheck>,
    dataset: &Dataset,
    no_judge: bool,
    files: &NamedFiles,
    planted_answers: Option<DatasetBytes>,
    findings: &mut Findings,
) -> Scorers {
    let judges = if no_judge { Vec::new() } else { judges(settings) };
    let case_checks = compile_of_cases(&dataset.cases, &checks, settings, files, findings);
    let diagnostics = &mut findings.diagnostics;
    for (case, own) in dataset.cases.iter().zip(&case_checks) {
        let is_of_suite =
            |check: &&NamedCheck| settings.scorers.iter().any(|scorer| scorer.name == check.name);
        diagnostics.0.extend(own.iter().filter(is_of_suite).map(|check| same_name(&check.name, &case.place)));
    }
    for (case, own) in dataset.cases.iter().zip(&case_checks) {
        for check in own.iter().filter(|check| check.needs_expected && case.expected.is_none()) {
            diagnostics.0.push(
                Diagnostic::new(format!("case {}: check `{}` needs `expected`", case.id, check.name))
                    .at(case.place.clone())
                    .help("give the case an `expected`, or the check a value of its own"),
            );
        }
    }
    for check in checks.iter().filter(|check| check.needs_expected) {
        lacking(&dataset.cases, &format!("check `{}`", check.name), "expected", diagnostics, |case| {
            case.expected.is_none()
        });
    }
    for (case, own) in dataset.cases.iter().zip(&case_checks) {
        for check in
            own.iter().filter(|check| check.check.needs_sources() && case.expected_sources.is_empty())
        {
            let message = format!("case {}: check `{}` needs `expected_sources`", case.id, check.name);
            let diagnostic = Diagnostic::new(message).at(case.place.clone());
            diagnostics.0.push(diagnostic.help("give the case the sources that must be retrieved"));
        }
    }
    for check in checks.iter().filter(|check| check.check.needs_sources()) {
        lacking(
            &dataset.cases,
            &format!("check `{}`", check.name),
            "expected_sources",
            diagnostics,
            |case| case.expected_sources.is_empty(),
        );
    }
    for judge in &judges {
        for field in ["context", "expected", "query"] {
            // An application may bring the passages with its answer.
            if field == "context" && settings.target.is_some() {
                continue;
            }
            lacking(&dataset.cases, &format!("metric `{}`", judge.name()), field, diagnostics, |case| {
                missing_fields(judge, case).any(|missing| missing == field)
            });
        }
    }
    let embedded =
        checks.iter().chain(case_checks.iter().flatten()).find(|check| check.check.needs_embeddings());
    let embeddings = settings.embeddings.as_ref().filter(|_| embedded.is_some());
    if let Some(check) = embedded.filter(|_| settings.embeddings.is_none()) {
        let message = format!("check `{}` needs a model of embeddings", check.name);
        let help = "add `embeddings: {model: NAME}`, and `endpoint:` below it where it is not that of the candidate; \
                    `similarity` compares letters or words without a model";
        diagnostics.0.push(Diagnostic::new(message).at(Place::file(&settings.file)).help(help));
    }
    if embedded.is_none() && settings.embeddings.is_some() {
        findings.warnings.push("`embeddings` has no effect: there is no check `similar`".to_owned());
    }
    let with_criteria = dataset.cases.iter().map(|case| !case.criteria.is_empty()).collect();
    let answer_field = settings.answer_field.clone();
    let planted = planted(settings, &judges, planted_answers, diagnostics);
    let outside = settings.scorers.iter();
    let outside = outside.map(|scorer| OutsideScorer { metric: scorer.metric(), scorer: None }).collect();
    Scorers {
        checks,
        case_checks,
        with_criteria,
        outside,
        transformer: None,
        judges,
        judge_models: Vec::new(),
        planted,
        answer_field,
        retrieves: settings.target.is_some(),
        embeddings: embeddings.map(|settings| EmbeddingModel {
            name: settings.model.value.clone(),
            parameters: settings.parameters.clone(),
            model: None,
        }),
    }
}

/// One diagnostic for all cases without a field that a scorer needs.
fn lacking(
    cases: &[Case],
    scorer: &str,
    field: &str,
    diagnostics: &mut Diagnostics,
    lacks: impl Fn(&Case) -> bool,
) {
    let without: Vec<&Case> = cases.iter().filter(|case| lacks(case)).collect();
    let Some(first) = without.first() else { return };
    let named: Vec<&str> = without.iter().take(SHOWN).map(|case| case.id.as_str()).collect();
    let more = match without.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let alias = template::aliases(field).iter().find(|name| first.vars.contains_key(**name));
    let mapping = match alias {
        Some(alias) => format!("map it: `fields: {{{field}: {alias}}}`"),
        None => "map it by `dataset.fields`".to_owned(),
    };
    diagnostics.0.push(
        Diagnostic::new(format!(
            "{scorer} needs `{field}`, which these cases lack: {}{more}",
            named.join(", ")
        ))
        .at(first.place.clone())
        .help(format!("add `{field}` to the cases, {mapping}, or leave the metric out")),
    );
}

/// The policy over the scorers; without judges, their metrics have no criteria.
pub(super) fn policy(
    settings: &Settings,
    scorers: &Scorers,
    cases: &[CaseFacts],
    has_baseline: bool,
    options: &SuiteOptions,
    findings: &mut Findings,
) -> Option<Policy> {
    let mut minimums: Vec<(String, f64)> = Vec::new();
    for text in &options.minimums {
        match config::parse_minimum(text) {
            Ok((metric, _)) if minimums.iter().any(|(other, _)| *other == metric) => {
                findings.diagnostics.0.push(
                    Diagnostic::new(format!("the minimum of `{metric}` is given twice"))
                        .at(Place::file("--min"))
                        .help("give it once"),
                )
            }
            Ok(minimum) => minimums.push(minimum),
            Err(found) => findings.diagnostics.0.extend(found.0),
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
                checks[index].no_new_failures &= check.no_new_failures;
            }
            None => {
                known.insert(&check.name, checks.len());
                checks.push(CheckPolicy {
                    name: check.name.clone(),
                    min: check.min,
                    baseline: check.baseline,
                    no_new_failures: check.no_new_failures,
                });
            }
        }
    }
    checks.extend(settings.scorers.iter().map(|scorer| CheckPolicy {
        name: scorer.name.clone(),
        min: scorer.min,
        baseline: scorer.baseline,
        no_new_failures: scorer.no_new_failures,
    }));
    for (metric, minimum) in &minimums {
        let check = checks.iter().find(|check| metric.strip_prefix("check.") == Some(check.name.as_str()));
        let judged = settings.metrics.iter().find(|other| other.name == *metric);
        let configured = check.map(|check| check.min).or_else(|| judged.and_then(|metric| metric.min));
        if let Some(configured) = configured.filter(|configured| minimum < configured) {
            findings.warnings.push(format!(
                "--min lowers the minimum of {metric} to {minimum}; the configuration requires {configured}"
            ));
        }
    }
    let mut policy = findings.take(settings.policy(&checks, cases, has_baseline, &minimums))?;
    let schedule = schedule(settings, options, findings);
    (policy.repeats, policy.max_repeats) = (schedule.first(), schedule.last());
    if options.no_judge {
        let is_judged = |name: &String| settings.metrics.iter().any(|metric| metric.name == *name);
        policy.criteria.retain(|criterion| !is_judged(&criterion.metric));
    }
    Some(policy)
}

/// The schedule of flags and configuration; `--repeats` alone is one look.
///
/// With a policy from elsewhere, flags only add repeats: what starts the run may be part of the change.
fn schedule(settings: &Settings, options: &SuiteOptions, findings: &mut Findings) -> Schedule {
    let configured = &settings.gate.policy;
    if let (Some(repeats), Some(most)) = (options.repeats, options.max_repeats)
        && most < repeats
    {
        let message = format!("{most} is below the {repeats} of --repeats");
        let diagnostic = Diagnostic::new(message).at(Place::file("--max-repeats"));
        findings.diagnostics.0.push(diagnostic.help("raise it, or leave it out"));
    }
    let mut raised = |flag: &str, written: Option<u32>, policy: u32| match written {
        Some(written) if options.policy_from.is_some() && written < policy => {
            findings.warnings.push(format!(
                "{flag} {written} is below the {policy} of the policy, which holds: a flag can only add repeats"
            ));
            Some(policy)
        }
        written => written,
    };
    let repeats = raised("--repeats", options.repeats, configured.repeats);
    let max_repeats = raised("--max-repeats", options.max_repeats, configured.max_repeats);
    match (repeats, max_repeats) {
        (None, None) => Schedule::new(configured.repeats, configured.max_repeats),
        (Some(repeats), None) => Schedule::once(repeats),
        (None, Some(most)) => Schedule::new(configured.repeats.min(most), most),
        (Some(repeats), Some(most)) => Schedule::new(repeats, most),
    }
}
