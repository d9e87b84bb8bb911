//! From options to everything a run needs, loaded and validated; nothing is called.
//!
//! Diagnostics are collected as far as one does not hide another, so that they are all reported at once.

mod base;
mod dataset;
mod files;
mod judges;
mod locate;
mod origin;
mod review;
mod scorers;
mod variants;

use std::path::{Path, PathBuf};

pub(super) use files::Files;
pub(super) use judges::{judge_facts, judges};
pub(crate) use variants::Earlier;

use super::{Environment, Failure};
use crate::config::{self, Inconclusive, Settings};
use promptgate_adapters::load;
use promptgate_core::check;
use promptgate_core::gate::Policy;
use promptgate_core::model::{Diagnostic, Diagnostics, Place, PolicySource};
use promptgate_engine::engine::{Plan, Scorers};

/// Which suite, and what flags change of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuiteOptions {
    /// The configuration or its folder; `None` for the nearest one.
    pub(crate) config: Option<PathBuf>,
    /// Specification of the candidate; `None` for the configuration's `prompt`.
    pub(crate) candidate: Option<String>,
    /// Specification of the baseline; `None` for the configuration's.
    pub(crate) baseline: Option<String>,
    /// Specification of the policy; `None` for the candidate's own.
    pub(crate) policy_from: Option<String>,
    /// Minimums of metrics, as `METRIC=X`.
    pub(crate) minimums: Vec<String>,
    /// Glob pattern over case ids.
    pub(crate) filter: Option<String>,
    /// Tags, any of which selects a case.
    pub(crate) tags: Vec<String>,
    /// No judge is called.
    pub(crate) no_judge: bool,
    /// Repeats; alone, one look.
    pub(crate) repeats: Option<u32>,
    /// Repeats of the last look.
    pub(crate) max_repeats: Option<u32>,
    /// The commit behind `git:merge-base`, where the event of a CI system gives it.
    pub(crate) merge_base: Option<KnownBase>,
}

/// The commit that a change is compared with, as the event of a CI system gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownBase {
    /// Its full object name; `None` where there is nothing to compare with.
    pub(crate) commit: Option<String>,
    /// How it was found, or why there is none.
    pub(crate) how: String,
    /// The commit whose files are evaluated; `None` for the work tree as it is.
    pub(crate) evaluated: Option<String>,
}

/// Everything a run needs but the models.
pub(crate) struct Suite {
    /// The settings that decide, with the candidate's parts.
    pub(crate) settings: Settings,
    /// Its files.
    pub(super) files: Files,
    /// Where the policy is from; `None` for the configuration itself.
    pub(crate) policy_source: Option<PolicySource>,
    /// The variants over the selected cases.
    pub(crate) plan: Plan,
    /// The scorers; the judge's model is not connected yet.
    pub(crate) scorers: Scorers,
    /// The criteria and the rule that decides them.
    pub(crate) policy: Policy,
    /// A baseline that was answered in an earlier run.
    pub(crate) earlier: Option<Earlier>,
    /// Why there is no baseline.
    pub(crate) baseline_note: Option<String>,
    /// Whether the configuration says `gate.inconclusive: pass`.
    pub(crate) inconclusive_passes: bool,
    /// Warnings for the reader.
    pub(crate) warnings: Vec<String>,
}

/// Diagnostics and warnings found while a suite is loaded.
#[derive(Default)]
struct Findings {
    diagnostics: Diagnostics,
    warnings: Vec<String>,
}

/// A configuration with its folder.
pub(super) struct Configured {
    /// The folder that its paths are relative to.
    pub(super) folder: PathBuf,
    location: locate::Location,
    /// Its settings.
    pub(super) settings: Settings,
}

/// Reads the configuration that is named, else the nearest one; none of its files is read.
pub(super) fn configured(named: Option<&Path>) -> Result<Configured, Failure> {
    let location = locate::configuration(named)?;
    let text = load::decode(&location.shown, &location.bytes)?.to_owned();
    let settings = config::load(&location.shown, &text, &check::entry_schema())?;
    Ok(Configured { folder: location.folder.clone(), location, settings })
}

/// Loads and validates the suite that the options select. `simulated` says whether the simulated model answers; `None`
/// where nothing is called.
pub(crate) fn load(
    options: &SuiteOptions,
    simulated: Option<bool>,
    environment: &Environment,
) -> Result<Suite, Failure> {
    let Configured { location, settings: own, .. } = configured(options.config.as_deref())?;
    let mut findings = Findings::default();
    let mut parts = origin::parts(options, environment, &location, own, &mut findings.warnings)?;
    let (settings, files) = (&parts.settings, &parts.files);

    let checks = scorers::compile(settings, files, &mut findings.diagnostics);
    let dataset = dataset::read(settings, &files.candidate, &mut findings)?;
    let variants = variants::load(options, environment, &parts, &location, &mut findings);
    let Some(dataset) = dataset else { return Err(findings.diagnostics.into()) };
    let changes = origin::dataset_changes(&parts, &dataset, &mut findings.warnings);
    let dataset = dataset::select(dataset, options)?;
    let scorers =
        scorers::build(settings, checks, &dataset, options.no_judge, files, &mut findings.diagnostics);

    review::judges(settings, &mut findings);
    if let Some(variants) = &variants {
        review::variants(variants, &dataset, settings, &scorers, simulated, &mut findings);
    }
    review::self_test(settings, &scorers, &mut findings);
    let has_baseline = variants.as_ref().is_some_and(|it| it.baseline.is_some() || it.earlier.is_some());
    let cases = dataset::facts(&dataset);
    let policy = scorers::policy(settings, &scorers, &cases, has_baseline, options, &mut findings);
    let (Some(variants), Some(policy)) = (variants, policy) else { return Err(findings.diagnostics.into()) };
    review::seed(&variants, &policy, &mut findings);
    if !findings.diagnostics.0.is_empty() {
        return Err(findings.diagnostics.into());
    }
    if scorers.metrics().is_empty() {
        return Err(nothing_scores(&location.shown));
    }
    if let Some(earlier) = &variants.earlier {
        earlier.refuse_mismatch(&dataset.facts, simulated)?;
    }

    let inconclusive_passes = settings.gate.inconclusive == Inconclusive::Pass;
    let plan = Plan::new(dataset, variants.candidate, variants.baseline)?;
    origin::finish(&mut parts, changes);
    let origin::Parts { settings, files, source: policy_source, .. } = parts;
    // First: every reader of a warning should see this one.
    let mut warnings = policy_source.as_ref().map(origin::warnings).unwrap_or_default();
    warnings.append(&mut findings.warnings);
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
        warnings,
    })
}

fn nothing_scores(file: &str) -> Failure {
    Failure::Nothing(
        Diagnostic::new("nothing scores: no check, and no judge that is called")
            .at(Place::file(file))
            .help("add `checks:` or `metrics:`; `--no-judge` leaves checks alone"),
    )
}

/// A path as a reader in the current folder would write it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
