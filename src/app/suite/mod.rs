//! From options to everything a run needs, loaded and validated; nothing is called.
//!
//! Diagnostics are collected as far as one does not hide another, so that they are all reported at once.

mod dataset;
mod judges;
mod review;
mod scorers;
#[cfg(test)]
mod tests;
mod variants;

use std::path::PathBuf;
use std::sync::Arc;

pub(super) use judges::{judge_facts, judges, missing_fields};
pub(super) use scorers::files_of_checks;

use super::sources::{self, Earlier, KnownBase, NamedFiles, Resolved, Sources};
use super::{Environment, Failure};
use crate::config::{Inconclusive, Settings};
use promptgate_core::gate::Policy;
use promptgate_core::model::{Diagnostic, Diagnostics, Place, PolicySource, Scope};
use promptgate_core::text::Redactor;
use promptgate_engine::execute::{Plan, Scorers};

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

/// Everything a run needs but the models.
pub(crate) struct Suite {
    /// The settings that decide, with the candidate's parts.
    pub(crate) settings: Settings,
    /// Files that its settings and cases name.
    pub(super) files: NamedFiles,
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
    /// Knows every secret that settings and environment hold.
    pub(super) redactor: Arc<Redactor>,
    /// Warnings for the reader.
    pub(crate) warnings: Vec<String>,
}

impl Suite {
    /// Whether the configuration says `gate.inconclusive: pass`.
    pub(super) fn inconclusive_passes(&self) -> bool {
        self.settings.gate.inconclusive == Inconclusive::Pass
    }
}

/// Diagnostics and warnings found while a suite is loaded.
#[derive(Default)]
struct Findings {
    diagnostics: Diagnostics,
    warnings: Vec<String>,
}

impl Findings {
    /// The value; its diagnostics become findings.
    fn take<T>(&mut self, result: Result<T, Diagnostics>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(diagnostics) => {
                self.diagnostics.0.extend(diagnostics.0);
                None
            }
        }
    }
}

/// Resolves and loads the suite that the options select. `simulated` says whether the simulated model answers; `None`
/// where nothing is called.
///
/// # Errors
/// Everything that is wrong with it, and nothing to evaluate.
pub(crate) async fn load(
    options: &SuiteOptions,
    simulated: Option<bool>,
    environment: &Environment,
) -> Result<Suite, Failure> {
    let Resolved { sources, dataset, trees } = sources::resolve(options, environment).await?;
    let dataset = dataset::parse(dataset, &sources.settings);
    let named = dataset::files_of_cases(&dataset, options);
    let sources = sources::fetch_files_of_cases(sources, trees, named).await?;
    build(sources, dataset, options, simulated)
}

/// Phase two of loading: parses and validates what was fetched; reads no file.
fn build(
    sources: Sources,
    dataset: dataset::Parsed,
    options: &SuiteOptions,
    simulated: Option<bool>,
) -> Result<Suite, Failure> {
    let Sources { settings, mut policy_source, files, redactor, warnings, .. } = sources;
    let mut findings = Findings { warnings, ..Findings::default() };

    let checks = scorers::compile(&settings, &files, &mut findings.diagnostics);
    let dataset = dataset::take(dataset, &mut findings)?;
    let variants = variants::parse(sources.candidate, sources.baseline, &mut findings);
    let Some(dataset) = dataset else { return Err(findings.diagnostics.into()) };
    let changes =
        dataset::changes(policy_source.as_ref(), sources.policy_dataset, &dataset, &mut findings.warnings);
    if let Some(source) = &mut policy_source {
        source.dataset = changes;
    }
    let mut dataset = dataset::select(dataset, options)?;
    if settings.gate.policy.scope == Scope::Population {
        dataset::group_equal_rows(&mut dataset);
    }
    let diagnostics = &mut findings.diagnostics;
    let scorers =
        scorers::build(&settings, checks, &dataset, options.no_judge, &files, sources.planted, diagnostics);

    review::judges(&settings, &mut findings);
    if let Some(variants) = &variants {
        review::variants(variants, &dataset, &settings, &scorers, simulated, &mut findings);
    }
    review::self_test(&settings, &scorers, &mut findings);
    let has_baseline = variants.as_ref().is_some_and(|it| it.baseline.is_some() || it.earlier.is_some());
    let cases = dataset::facts(&dataset);
    let gate = scorers::policy(&settings, &scorers, &cases, has_baseline, options, &mut findings);
    let (Some(variants), Some(gate)) = (variants, gate) else { return Err(findings.diagnostics.into()) };
    review::seed(&variants, &gate, &mut findings);
    if !findings.diagnostics.0.is_empty() {
        return Err(findings.diagnostics.into());
    }
    if scorers.metrics().is_empty() {
        return Err(nothing_scores(&sources.shown));
    }
    if let Some(earlier) = &variants.earlier {
        earlier.refuse_mismatch(&dataset.facts, simulated)?;
    }

    let plan = Plan::new(dataset, variants.candidate, variants.baseline)?;
    // First: every reader of a warning should see this one.
    let mut warnings = policy_source.as_ref().map(sources::policy_warnings).unwrap_or_default();
    warnings.append(&mut findings.warnings);
    Ok(Suite {
        settings,
        files,
        policy_source,
        plan,
        scorers,
        policy: gate,
        earlier: variants.earlier,
        baseline_note: variants.note,
        redactor,
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
