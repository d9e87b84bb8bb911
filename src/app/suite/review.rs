//! Errors and warnings that show only once variants, dataset and scorers are known together.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::variants::Variants;
use super::{Findings, SuiteOptions};
use crate::config::{JudgeSettings, Settings, TargetKind};
use promptgate_core::gate::{Policy, passing_score};
use promptgate_core::model::{Case, CaseFacts, Dataset, Diagnostic, MessageRole, MetricKind, Place, Variant};
use promptgate_core::template;
use promptgate_engine::execute::Scorers;

/// Warns of variables of scorers and transformations that an application can read: it runs as the same user.
pub(super) fn programs_beside_application(settings: &Settings, findings: &mut Findings) {
    let runs_code =
        settings.target.as_ref().is_some_and(|target| !matches!(target.kind, TargetKind::Answers(_)));
    let of_scorers = settings.scorers.iter().flat_map(|scorer| &scorer.env);
    let of_transform = settings.transform.command.iter().flat_map(|transform| &transform.env);
    let names: BTreeSet<&str> =
        of_scorers.chain(of_transform).map(|variable| variable.value.as_str()).collect();
    if runs_code && !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        findings.warnings.push(format!(
            "the application runs as the same user as scorers and transformations, so its code could read {}; give them \
             no secret that a change must not have",
            names.join(", ")
        ));
    }
}

/// Reviews the cases that must pass: something has to define what passing is.
pub(super) fn must_pass(cases: &[Case], scorers: &Scorers, gate: &Policy, findings: &mut Findings) {
    let kind = |metric: &str| match metric.starts_with("check.") {
        true => MetricKind::Check,
        false => MetricKind::Judge,
    };
    let defines = |metric: &String| passing_score(gate, metric, kind(metric)).is_some();
    let metrics = scorers.metrics();
    let Some(case) = cases.iter().find(|case| case.must_pass) else { return };
    if metrics.is_empty() || metrics.iter().any(defines) {
        return;
    }
    let message = format!("case {} must pass, but nothing says what passes", case.id);
    let help = "add a check, or a `min` to a metric; or remove `must_pass`";
    findings.diagnostics.0.push(Diagnostic::new(message).at(case.place.clone()).help(help));
}

/// Reviews the parameters of the judges.
pub(super) fn judges(settings: &Settings, findings: &mut Findings) {
    for member in settings.judge.iter().flat_map(|judge| &judge.panel) {
        findings.diagnostics.0.extend(reserved_parameters(&settings.file, &member.parameters));
    }
}

/// Reviews the variants against the dataset and the judges. `simulated` is `None` where nothing is called.
pub(super) fn variants(
    variants: &Variants,
    dataset: &Dataset,
    settings: &Settings,
    scorers: &Scorers,
    simulated: Option<bool>,
    findings: &mut Findings,
) {
    for variant in variants.distinct() {
        let facts = &variant.facts;
        findings.diagnostics.0.extend(reserved_parameters(&facts.prompt.source, &facts.parameters));
        // An application renders its prompt itself.
        if variant.application.is_some() {
            continue;
        }
        findings.diagnostics.0.extend(template::verify(variant, &dataset.cases));
        findings.diagnostics.0.extend(turns_without_question(variant, &dataset.cases));
        let warned = template::warnings(variant, &dataset.cases);
        let more = super::braces::warnings(variant, &dataset.cases, settings);
        findings.warnings.extend(more.into_iter().filter(|warning| !warned.contains(warning)));
        findings.warnings.extend(warned);
        findings.diagnostics.0.extend(references(variant, &dataset.cases, settings));
    }
    findings.warnings.extend(super::invisible::warning(variants));
    let candidate = &variants.candidate;
    let with_context = scorers.judges.iter().find(|judge| judge.needs().context);
    let is_lost = candidate.application.is_none() && !sees_context(candidate, &dataset.cases, settings);
    if let Some(judge) = with_context.filter(|_| is_lost) {
        findings.warnings.push(format!(
            "{} never uses {{{{context}}}}, which {} scores against",
            candidate.facts.prompt.source,
            judge.name()
        ));
    }
    let same = |judge: &JudgeSettings| judge.panel.iter().any(|it| it.model.value == candidate.facts.model);
    let judged = simulated != Some(true) && !scorers.judges.is_empty();
    if judged && settings.judge.as_ref().is_some_and(same) {
        findings.warnings.push(format!(
            "judge and candidate are the same model, {}: models favor their own answers",
            candidate.facts.model
        ));
    }
}

/// Whether the prompt inserts the context: by its name, or as a variable that has the same column or, in every case with
/// context, the same text.
fn sees_context(variant: &Variant, cases: &[Case], settings: &Settings) -> bool {
    let fields = &settings.dataset.fields;
    let column = fields.get("context");
    let is_column = |name: &str| column.is_some() && fields.get(&format!("vars.{name}")) == column;
    let with_context: Vec<_> =
        cases.iter().filter(|case| case.context.is_some()).map(template::variables).collect();
    let is_text = |name: &str| {
        !with_context.is_empty() && with_context.iter().all(|case| case.get(name) == case.get("context"))
    };
    template::used_names(variant).iter().any(|name| name == "context" || is_column(name) || is_text(name))
}

/// The error of a prompt whose message of the user is the same at each turn.
fn turns_without_question(variant: &Variant, cases: &[Case]) -> Option<Diagnostic> {
    let case = cases.iter().find(|case| case.turns.len() > 1)?;
    let has_user = variant.messages.iter().any(|message| message.role == MessageRole::User);
    (has_user && !template::uses(variant, "query")).then(|| {
        let message =
            format!("the prompt has no `{{{{query}}}}`, so the turns of case `{}` are not asked", case.id);
        let help = "write `{{query}}` in its last message of the user, or leave that message out";
        Diagnostic::new(message).at(Place::file(&variant.facts.prompt.source)).help(help)
    })
}

/// Warns about a candidate that is offered tools where no check reads its calls.
pub(super) fn tools(variants: &Variants, cases: &[Case], scorers: &Scorers, findings: &mut Findings) {
    let parameters = &variants.candidate.facts.parameters;
    let offers = |name: &&str| parameters.get(*name).is_some_and(|tools| !is_nothing(tools));
    let Some(name) = ["tools", "functions"].into_iter().find(offers) else { return };
    if variants.candidate.application.is_none() && cases.iter().any(|case| case.turns.len() > 1) {
        findings.warnings.push(format!(
            "parameters.{name} offers tools, and cases have turns: tools that an earlier turn calls are not run; write \
             their results as `messages`, or evaluate the application with `target`"
        ));
    }
    let checks = || scorers.checks.iter().chain(scorers.case_checks.iter().flatten());
    if !checks().any(|check| check.reads_tool_calls) {
        findings.warnings.push(format!(
            "parameters.{name} offers tools, but no check reads their calls: add `tool_called`, `no_tool_called` or \
             `tool_arguments` to `checks`, of the configuration or of a case"
        ));
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Reports the missing baseline if the policy has criteria that need one.
pub(super) fn needed_baseline(
    error: &Diagnostic,
    settings: &Settings,
    scorers: &Scorers,
    cases: &[CaseFacts],
    options: &SuiteOptions,
    policy: &Policy,
    findings: &mut Findings,
) {
    let mut ignored = Findings::default();
    let compared = super::scorers::policy(settings, scorers, cases, true, options, &mut ignored);
    let needing = compared.map_or(0, |compared| compared.criteria.len() - policy.criteria.len());
    if needing > 0 {
        let criteria = if needing == 1 { "1 criterion needs" } else { "criteria need" };
        let message = format!("{}, and {criteria} a baseline", error.message);
        let place = Place::file(&settings.file);
        findings.diagnostics.0.push(Diagnostic { message, ..error.clone() }.or_at(&place));
    }
}

/// The first statement of reports about the comparison: that the variants are equal, or that the prompt is new.
pub(super) fn comparison(equal: bool, note: Option<&str>, cases: usize) -> Option<String> {
    if equal {
        let requests = if cases == 1 {
            "the request is the same".to_owned()
        } else {
            format!("the requests for all {cases} cases are the same")
        };
        return Some(format!("candidate and baseline are equal: {requests}, so no regression can show"));
    }
    note.and_then(|note| note.strip_prefix("new: ")).map(|note| format!("no baseline: {note}"))
}

/// Refuses variables of a prompt that are the reference answer by their name. Those that `fields` maps to a variable are
/// meant, and those that no case has are undefined.
fn references(variant: &Variant, cases: &[Case], settings: &Settings) -> Vec<Diagnostic> {
    let is_mapped = |name: &String| settings.dataset.fields.contains_key(&format!("vars.{name}"));
    let is_defined = |name: &String| cases.iter().any(|case| case.vars.contains_key(name));
    let names = template::used_names(variant).into_iter();
    let named =
        names.filter(|name| template::names_a_reference(name) && !is_mapped(name) && is_defined(name));
    let diagnostic = |name: String| {
        let message =
            format!("`{{{{{name}}}}}` is the reference answer, and a prompt that sees it proves nothing");
        Diagnostic::new(message).at(Place::file(variant.facts.prompt.source.clone())).help(format!(
            "map it: `fields: {{expected: {name}}}`; or, if it is an input: `fields: {{\"vars.{name}\": {name}}}`"
        ))
    };
    named.map(diagnostic).collect()
}

/// Reviews the templates where rows of the dataset have errors. A variable that one of these errors names is not reported
/// again.
pub(super) fn templates_over_valid_cases(variants: &Variants, valid: &[Case], findings: &mut Findings) {
    let found: Vec<Diagnostic> =
        variants.distinct().flat_map(|variant| template::verify(variant, valid)).collect();
    let named = |diagnostic: &Diagnostic| {
        let name = diagnostic.message.split_once("`{{").and_then(|(_, rest)| rest.split_once("}}`"));
        name.is_some_and(|(name, _)| {
            let quoted = format!("`{name}`");
            findings.diagnostics.0.iter().any(|other| other.message.contains(&quoted))
        })
    };
    let found: Vec<Diagnostic> = found.into_iter().filter(|diagnostic| !named(diagnostic)).collect();
    findings.diagnostics.0.extend(found);
}

/// Warns about a judge that is not tested before the run.
pub(super) fn self_test(settings: &Settings, scorers: &Scorers, findings: &mut Findings) {
    if settings.judge.as_ref().is_some_and(|judge| !judge.self_test) && !scorers.judges.is_empty() {
        findings.warnings.push(
            "judge.self_test is off: a judge that approves of anything would not be noticed".to_owned(),
        );
    }
}

/// Warns about repeats that are all sent the same seed.
pub(super) fn seed(variants: &Variants, policy: &Policy, findings: &mut Findings) {
    if policy.schedule().last() > 1 && variants.candidate.facts.parameters.contains_key("seed") {
        findings.warnings.push(
            "parameters.seed is sent with every repeat: an endpoint that honors it gives the same answer each time, \
             and repeats do not measure noise"
                .to_owned(),
        );
    }
}

/// Errors for parameters that promptgate sets itself, or whose answer is not one JSON document.
fn reserved_parameters(file: &str, parameters: &Map<String, Value>) -> Vec<Diagnostic> {
    let reserved = parameters.iter().filter_map(|(name, value)| {
        let help = match (name.as_str(), value) {
            ("model", _) => "name the model with `model`, beside `parameters`",
            ("messages", _) => "the messages are those of the prompt",
            ("stream", Value::Bool(true)) => "answers are read whole: leave `stream` out",
            _ => return None,
        };
        let message = format!("`{name}` is not allowed in the parameters");
        Some(Diagnostic::new(message).at(Place::file(file)).help(help))
    });
    reserved.collect()
}
