//! From the arguments to everything a run needs: loaded, validated, wired. No call is made here.
//!
//! Mistakes are collected as far as one does not hide another, so that they are all reported at once.

mod base;
mod files;
mod judges;
mod locate;
mod origin;
mod scorers;
mod variants;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) use files::Files;
pub(super) use judges::{judge_facts, judges};
pub(super) use variants::Earlier;

use super::args::SuiteArguments;
use super::error::Failure;
use super::mismatch;
use crate::config::{self, Inconclusive, JudgeSettings, Settings};
use promptgate_adapters::load::{self, DatasetSource, LoadError, Loaded, Tree};
use promptgate_core::check;
use promptgate_core::gate::Policy;
use promptgate_core::model::{CaseFacts, Dataset, Diagnostic, Diagnostics, Place, PolicySource};
use promptgate_core::template;
use promptgate_engine::execute::{Plan, Scorers};

/// Everything a run needs but the models.
pub(super) struct Suite {
    /// What decides, with the candidate's parts.
    pub(super) settings: Settings,
    /// Where its files are.
    pub(super) files: Files,
    /// Where the policy is from; `None` for the configuration itself.
    pub(super) policy_source: Option<PolicySource>,
    /// The variants over the selected cases.
    pub(super) plan: Plan,
    /// What grades; the judge's model is not connected yet.
    pub(super) scorers: Scorers,
    /// What decides.
    pub(super) policy: Policy,
    /// A baseline that was answered already.
    pub(super) earlier: Option<Earlier>,
    /// Why there is no baseline.
    pub(super) baseline_note: Option<String>,
    /// `gate.inconclusive: pass`.
    pub(super) inconclusive_passes: bool,
    /// Things a reader should know.
    pub(super) warnings: Vec<String>,
}

/// A configuration with the tree that its paths are seen from.
pub(super) struct Configured {
    /// Its folder.
    pub(super) folder: PathBuf,
    location: locate::Location,
    /// What it says.
    pub(super) settings: Settings,
}

/// Reads the configuration that was named, else the nearest above; nothing that it names is read.
pub(super) fn configured(named: Option<&Path>) -> Result<Configured, Failure> {
    let location = locate::configuration(named)?;
    let text = load::decode(&location.shown, &location.bytes)?.to_owned();
    let settings = config::load(&location.shown, &text, &check::entry_schema())?;
    Ok(Configured { folder: location.folder.clone(), location, settings })
}

/// Loads and validates the suite that the arguments select.
///
/// `offline` says whether the simulated model will answer; `None` where nothing will be asked.
pub(super) fn load(arguments: &SuiteArguments, offline: Option<bool>) -> Result<Suite, Failure> {
    let Configured { location, settings: own, .. } = configured(arguments.config.as_deref())?;
    let mut diagnostics = Diagnostics::default();
    let mut warnings = Vec::new();
    let mut parts = origin::parts(arguments, &location, own, &mut warnings)?;
    let (settings, files) = (&parts.settings, &parts.files);

    let checks = scorers::compile(settings, files, &mut diagnostics);
    let dataset = match load_dataset(settings, &files.candidate, &mut warnings) {
        Ok(dataset) => Some(dataset),
        Err(LoadError::Diagnostics(more)) => {
            diagnostics.0.extend(more.0);
            None
        }
        Err(LoadError::Empty(diagnostic)) if diagnostics.0.is_empty() => {
            return Err(Failure::Nothing(diagnostic));
        }
        Err(LoadError::Empty(diagnostic)) => {
            diagnostics.0.push(diagnostic);
            None
        }
    };
    let variants = variants::load(arguments, &parts, &location, &mut diagnostics, &mut warnings);
    let Some(dataset) = dataset else { return Err(diagnostics.into()) };
    let changes = origin::dataset_changes(&parts, &dataset, &mut warnings);
    let dataset = select(dataset, arguments)?;

    let scorers = scorers::build(settings, checks, &dataset, arguments.no_judge, files, &mut diagnostics);
    for member in settings.judge.iter().flat_map(|judge| &judge.panel) {
        diagnostics.0.extend(not_parameters(&settings.file, &member.parameters));
    }
    if let Some(variants) = &variants {
        for variant in [Some(&variants.candidate), variants.baseline.as_ref()].into_iter().flatten() {
            diagnostics.0.extend(not_parameters(&variant.facts.prompt.source, &variant.facts.parameters));
            diagnostics.0.extend(template::verify(variant, &dataset.cases));
            warnings.extend(template::warnings(variant, &dataset.cases));
        }
        let judged = scorers.judges.iter().find(|judge| judge.needs().context);
        if let Some(judge) = judged
            && !template::uses(&variants.candidate, "context")
        {
            warnings.push(format!(
                "{} never uses {{{{context}}}}, which {} scores against",
                variants.candidate.facts.prompt.source,
                judge.name()
            ));
        }
        let same = |judge: &JudgeSettings| {
            judge.panel.iter().any(|member| member.model.value == variants.candidate.facts.model)
        };
        if offline != Some(true) && !scorers.judges.is_empty() && settings.judge.as_ref().is_some_and(same) {
            warnings.push(format!(
                "judge and candidate are the same model, {}: models favour their own answers",
                variants.candidate.facts.model
            ));
        }
    }
    if settings.judge.as_ref().is_some_and(|judge| !judge.self_test) && !scorers.judges.is_empty() {
        warnings.push(
            "judge.self_test is off: a judge that approves of anything would not be noticed".to_owned(),
        );
    }
    let has_baseline = variants.as_ref().is_some_and(|it| it.baseline.is_some() || it.earlier.is_some());
    let policy = scorers::policy(
        settings,
        &scorers,
        &facts(&dataset),
        has_baseline,
        arguments,
        &mut diagnostics,
        &mut warnings,
    );
    let (Some(variants), Some(policy)) = (variants, policy) else { return Err(diagnostics.into()) };
    if policy.schedule().last() > 1 && variants.candidate.facts.parameters.contains_key("seed") {
        warnings.push(
            "parameters.seed goes out with every repeat: an endpoint that honours it answers all of them alike, and \
             they tell nothing of the noise"
                .to_owned(),
        );
    }
    if !diagnostics.0.is_empty() {
        return Err(diagnostics.into());
    }
    if scorers.metrics().is_empty() {
        return Err(Failure::Nothing(
            Diagnostic::new("nothing scores: no check, and no judge that is asked")
                .at(Place::file(&location.shown))
                .help("add `checks:` or `metrics:`; `--no-judge` leaves checks alone"),
        ));
    }
    let inconclusive_passes = settings.gate.inconclusive == Inconclusive::Pass;
    if let Some(earlier) = &variants.earlier {
        mismatch::refuse(
            &earlier.file,
            [
                mismatch::dataset(&earlier.run.dataset, &dataset.facts),
                offline.and_then(|offline| mismatch::simulation(earlier.run.simulated, offline)),
            ],
        )?;
    }
    let plan = Plan::new(dataset, variants.candidate, variants.baseline)?;
    origin::finish(&mut parts, changes);
    let origin::Parts { settings, files, source: policy_source, .. } = parts;
    // First: whoever reads one of the warnings reads this one.
    let mut all = policy_source.as_ref().map(origin::warnings).unwrap_or_default();
    all.append(&mut warnings);
    Ok(Suite {
        settings,
        files,
        policy_source,
        plan,
        scorers,
        policy,
        earlier: variants.earlier,
        baseline_note: variants.note,
        inconclusive_passes,
        warnings: all,
    })
}

fn load_dataset(settings: &Settings, tree: &Tree, warnings: &mut Vec<String>) -> Result<Dataset, LoadError> {
    let written = &settings.dataset;
    let source = DatasetSource {
        path: written.path.value.clone(),
        format: written.format,
        fields: written.fields.clone(),
        shared_ids: None,
    };
    let Loaded { value, warnings: more } = load::dataset(tree, &source)?;
    warnings.extend(more);
    Ok(value)
}

/// Keeps the cases that `--filter` and `--tag` select; the digest is that of what is kept.
fn select(mut dataset: Dataset, arguments: &SuiteArguments) -> Result<Dataset, Failure> {
    let pattern = match &arguments.filter {
        Some(text) => Some(glob::Pattern::new(text).map_err(|error| {
            Diagnostic::new(format!("`{text}` is no pattern: {error}")).at(Place::file("--filter"))
        })?),
        None => None,
    };
    if pattern.is_none() && arguments.tag.is_empty() {
        return Ok(dataset);
    }
    let all = dataset.cases.len();
    let tags: BTreeSet<&String> = dataset.cases.iter().flat_map(|case| &case.tags).collect();
    let known_tags: Vec<String> = tags.into_iter().take(12).map(|tag| format!("`{tag}`")).collect();
    dataset.cases.retain(|case| {
        pattern.as_ref().is_none_or(|pattern| pattern.matches(&case.id))
            && (arguments.tag.is_empty() || case.tags.iter().any(|tag| arguments.tag.contains(tag)))
    });
    if dataset.cases.is_empty() {
        let filter = arguments.filter.iter().map(|text| format!("--filter {text}"));
        let tags = arguments.tag.iter().map(|tag| format!("--tag {tag}"));
        let selection = filter.chain(tags).collect::<Vec<_>>().join(" ");
        let help = match (arguments.filter.is_some(), known_tags.is_empty()) {
            (true, _) => "a filter is a glob over case ids: `refund-*`".to_owned(),
            (false, true) => "no case has a tag".to_owned(),
            (false, false) => format!("the cases have the tags {}", known_tags.join(", ")),
        };
        return Err(Failure::Nothing(
            Diagnostic::new(format!("{selection} selects none of the {all} cases"))
                .at(Place::file(&dataset.facts.path))
                .help(help),
        ));
    }
    dataset.facts.digest = load::digest(&dataset.cases);
    dataset.facts.cases = dataset.cases.len();
    Ok(dataset)
}

/// Parameters that promptgate sets itself, or whose answer is not one JSON document.
fn not_parameters(file: &str, parameters: &serde_json::Map<String, serde_json::Value>) -> Vec<Diagnostic> {
    let wrong = parameters.iter().filter_map(|(name, value)| {
        let help = match (name.as_str(), value) {
            ("model", _) => "name the model with `model`, beside `parameters`",
            ("messages", _) => "the messages are those of the prompt",
            ("stream", serde_json::Value::Bool(true)) => "answers are read whole: leave `stream` out",
            _ => return None,
        };
        let message = format!("`{name}` does not belong into the parameters");
        Some(Diagnostic::new(message).at(Place::file(file)).help(help))
    });
    wrong.collect()
}

fn facts(dataset: &Dataset) -> Vec<CaseFacts> {
    dataset
        .cases
        .iter()
        .map(|case| CaseFacts {
            id: case.id.clone(),
            tags: case.tags.clone(),
            must_pass: case.must_pass,
            ..CaseFacts::default()
        })
        .collect()
}

/// A path as a reader in the current folder would write it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
