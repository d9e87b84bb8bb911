//! From options to everything a run needs, loaded and validated; nothing is called.
//!
//! Diagnostics are collected as far as one does not hide another, so that they are all reported at once.

mod base_dataset;
mod braces;
mod criteria;
mod dataset;
mod invisible;
mod judges;
mod pairs;
mod part;
mod programs;
mod released;
mod review;
mod scorers;
#[cfg(test)]
mod tests;
mod variants;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) use dataset::GROUP_OF_EQUAL_ROWS;
pub(super) use judges::{judge_facts, judges, missing_fields, parameters as judge_parameters};
pub(super) use programs::not_on_path;
pub(super) use scorers::files_of_checks;

use base_dataset::BaseDataset;
pub(crate) use part::{ChosenCases, Origin};
pub(super) use variants::Applications;

use super::sources::{self, BaseRepository, Earlier, KnownBase, NamedFiles, ReleaseMode, Resolved, Sources};
use super::{Environment, Failure, application, case_cost, prices};
use crate::config::{Inconclusive, Settings};
use promptgate_adapters::files::Tree;
use promptgate_core::gate::Policy;
use promptgate_core::model::{Diagnostic, Diagnostics, Fault, Place, PolicySource, ReleaseFacts, Scope};
use promptgate_core::text::Redactor;
use promptgate_engine::execute::{CaseCostLimit, Plan, Scorers};

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
    /// The cases of a partial run; `None` for a whole one.
    pub(crate) chosen: Option<ChosenCases>,
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
    /// Variables with secrets that flags name, so that reports do not show them.
    pub(crate) secret_variables: Vec<String>,
    /// How the release of the prompt is treated.
    pub(crate) release: ReleaseMode,
    /// The repository of a pull request's base, which has the ledger; `None` for the remote as it is.
    pub(crate) base_repository: Option<BaseRepository>,
}

/// Everything a run needs but the models.
pub(crate) struct Suite {
    /// The settings that decide, with the candidate's parts.
    pub(crate) settings: Settings,
    /// Files that its settings and cases name.
    pub(super) files: NamedFiles,
    /// Where the policy is from; `None` for the configuration itself.
    pub(crate) policy_source: Option<PolicySource>,
    /// The release that the candidate would become; `None` without `release:`.
    pub(crate) release: Option<ReleaseFacts>,
    /// The variants over the selected cases.
    pub(crate) plan: Plan,
    /// The applications that answer in place of a model.
    pub(super) applications: Applications,
    /// The files that scorers by command are run from.
    pub(super) policy_tree: Tree,
    /// The scorers; the judge's model is not connected yet, and no command is started.
    pub(crate) scorers: Scorers,
    /// The criteria and the rule that decides them.
    pub(crate) policy: Policy,
    /// A baseline that was answered in an earlier run.
    pub(crate) earlier: Option<Earlier>,
    /// Why there is no baseline.
    pub(crate) baseline_note: Option<String>,
    /// Whether candidate and baseline send the same requests, so that nothing is compared.
    pub(crate) equal: bool,
    /// Whether the change leaves the prompt of the base as it is; false without a policy from elsewhere.
    pub(crate) same_prompt: bool,
    /// How much a case of the candidate may cost; `None` for no limit.
    pub(crate) case_cost: Option<CaseCostLimit>,
    /// Why the cases cannot decide about this change; then nothing is called.
    pub(crate) rejection: Option<Fault>,
    /// Facts that reports state first.
    pub(crate) notices: Vec<String>,
    /// Knows every secret that settings and environment hold.
    pub(super) redactor: Arc<Redactor>,
    /// Warnings for the reader.
    pub(crate) warnings: Vec<String>,
}

impl Suite {
    /// Whether the configuration says `gate.inconclusive: pass`, which does not hold for a partial run.
    pub(super) fn inconclusive_passes(&self) -> bool {
        self.settings.gate.inconclusive == Inconclusive::Pass && self.plan.dataset().facts.partial.is_none()
    }

    /// Whether the simulated model answers, judges or embeds in an offline run. Applications answer themselves.
    pub(super) fn is_simulated(&self, offline: bool) -> bool {
        let variants = [Some(self.plan.candidate()), self.plan.baseline()];
        let has_prompt = variants.into_iter().flatten().any(|variant| variant.application.is_none());
        offline && (has_prompt || !self.scorers.judges.is_empty() || self.scorers.embeddings.is_some())
    }

    /// The error of a baseline whose program is not in its commit.
    pub(super) fn missing_program(&self) -> Option<&Diagnostic> {
        self.applications.baseline.as_ref()?.missing.as_ref()
    }

    /// Who may override the verdict: nobody by a policy that the change itself brings.
    pub(super) fn override_by(&self) -> Vec<String> {
        let is_elsewhere = self.policy_source.as_ref().is_some_and(|source| !source.new);
        if is_elsewhere { self.settings.gate.override_by.clone() } else { Vec::new() }
    }
}

/// Diagnostics and warnings found while a suite is loaded.
#[derive(Default)]
struct Findings {
    diagnostics: Diagnostics,
    notices: Vec<String>,
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

    /// The errors, each once.
    fn into_failure(self) -> Failure {
        let mut unique: Vec<Diagnostic> = Vec::new();
        for diagnostic in self.diagnostics.0 {
            if !unique.contains(&diagnostic) {
                unique.push(diagnostic);
            }
        }
        if unique.iter().any(|diagnostic| !is_missing_path(diagnostic)) {
            unique.retain(|diagnostic| !is_missing_path(diagnostic));
        }
        Diagnostics(unique).into()
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
    let Resolved { mut sources, dataset, trees } = sources::resolve(options, environment).await?;
    let mut dataset = dataset::parse(dataset, &sources.settings);
    let mut base = sources.policy_dataset.take().map(BaseDataset::parse);
    let has_values = !sources.settings.dataset.files.is_empty();
    if has_values || base.as_ref().is_some_and(BaseDataset::has_values_in_files) {
        let to_read = (dataset.take_cases(&sources.settings), BaseDataset::take_cases(base.as_mut()));
        let read = sources::read_values(&trees, to_read.0, to_read.1).await?;
        sources.notices.extend(read.notice);
        dataset.set_cases(read.own);
        if let Some(base) = &mut base {
            base.set_cases(read.base);
        }
    }
    let of_base = base.as_mut().map_or_else(BTreeSet::new, BaseDataset::image_paths);
    let (own, of_base) = sources::fetch_images_of_cases(&trees, dataset.image_paths(), of_base).await?;
    dataset.add_images(&own);
    if let Some(base) = &mut base {
        base.add_images(&of_base);
    }
    let cases_of_base = base.as_ref().map_or(&[][..], BaseDataset::cases);
    let named = dataset::files_of_cases(&dataset, cases_of_base, options);
    let mut sources = sources::fetch_files_of_cases(sources, trees, named).await?;
    programs::review(&sources.settings, &sources.policy_tree, &mut sources.errors);
    let mut suite = build(sources, dataset, base, options, simulated)?;
    // A run that starts programs refuses; here they may be those of another machine.
    if simulated.is_none()
        && let Some(missing) = not_on_path(&suite.settings, environment.variable("PATH").as_deref())
    {
        suite.warnings.push(missing.message);
    }
    prices::add_known(&mut suite, environment);
    suite.case_cost = case_cost::limit(&suite.settings, suite.policy_source.as_ref(), &suite.plan);
    Ok(suite)
}

/// Phase two of loading: parses and validates what was fetched; reads no file.
fn build(
    sources: Sources,
    dataset: dataset::Parsed,
    base: Option<BaseDataset>,
    options: &SuiteOptions,
    simulated: Option<bool>,
) -> Result<Suite, Failure> {
    let Sources { mut settings, mut policy_source, files, redactor, errors, notices, warnings, .. } = sources;
    let is_valid = errors.0.is_empty();
    let mut findings = Findings { diagnostics: errors, notices, warnings };

    let checks = scorers::compile(&settings, &files, &mut findings);
    let dataset = dataset::take(dataset, &mut findings)?;
    let of_policy = sources.policy_prompt.as_ref();
    let mut variants = variants::parse(sources.candidate, sources.baseline, of_policy, &mut findings);
    let mut dataset = match dataset {
        Ok(dataset) => dataset,
        Err(valid) => {
            scorers::compile_of_cases(&valid, &checks, &settings, &files, &mut findings);
            if let Some(variants) = &variants {
                review::templates_over_valid_cases(variants, &valid, &mut findings);
            }
            return Err(findings.into_failure());
        }
    };
    let mut rejection = None;
    if let Some(variants) = &variants {
        let rule = settings.gate.dataset;
        let source = policy_source.as_mut();
        let deciding = base_dataset::deciding(dataset, base, rule, variants, source, &mut findings);
        (dataset, rejection) = (deciding.dataset, sources.changed_target.or(deciding.rejection));
    }
    let Some(dataset) = part::review(dataset, options, &settings, &mut findings) else {
        return Err(findings.into_failure());
    };
    let mut dataset = match dataset::select(dataset, options) {
        Ok(dataset) => dataset,
        Err(failure) if findings.diagnostics.0.is_empty() => return Err(failure),
        Err(failure) => {
            findings.diagnostics.0.extend(failure.diagnostics());
            return Err(findings.into_failure());
        }
    };
    if settings.gate.policy.scope == Scope::Population {
        dataset::group_equal_rows(&mut dataset);
    }
    let known = variants.as_mut().zip(sources.release.as_ref());
    let released = known.and_then(|(variants, ledger)| {
        released::review(&settings, ledger, variants, &dataset, options, &mut findings)
    });
    let options = &released::narrowed(options, released.as_ref());
    let no_judge = options.no_judge;
    criteria::add_metric(&mut settings, &dataset.cases, policy_source.is_some(), no_judge, &mut findings);
    let mut scorers =
        scorers::build(&settings, checks, &dataset, no_judge, &files, sources.planted, &mut findings);
    let has_baseline = variants
        .as_ref()
        .is_some_and(|it| it.baseline.is_some() || it.earlier.is_some() || it.is_baseline_invalid);
    if variants.is_some() && !has_baseline {
        pairs::leave_out(&settings, &mut scorers, &mut findings);
    }

    review::judges(&settings, &mut findings);
    findings.diagnostics.0.extend(application::shared_with_judge(&settings));
    if let Some(variants) = &variants {
        findings.take(application::check(&variants.applications));
    }
    if let Some(variants) = &variants {
        review::variants(variants, &dataset, &settings, &scorers, simulated, &mut findings);
        review::tools(variants, &dataset.cases, &scorers, &mut findings);
    }
    review::programs_beside_application(&settings, &mut findings);
    review::self_test(&settings, &scorers, &mut findings);
    // Criteria on what an invalid configuration leaves out would be errors of their own.
    if !is_valid {
        return Err(findings.into_failure());
    }
    let cases = dataset::facts(&dataset);
    let gate = scorers::policy(&settings, &scorers, &cases, has_baseline, options, &mut findings);
    let gate = gate.map(|gate| released::deterministic(gate, released.as_ref()));
    let gate = gate.map(|gate| part::narrowed(gate, options, &scorers, &dataset));
    let (Some(mut variants), Some(gate)) = (variants, gate) else { return Err(findings.into_failure()) };
    if let Some(error) = variants.if_needed.as_ref().filter(|_| !has_baseline) {
        review::needed_baseline(error, &settings, &scorers, &cases, options, &gate, &mut findings);
    }
    review::must_pass(&dataset.cases, &scorers, &gate, &mut findings);
    review::seed(&variants, &gate, &mut findings);
    if !findings.diagnostics.0.is_empty() {
        return Err(findings.into_failure());
    }
    if scorers.metrics().is_empty() {
        return Err(nothing_scores(&sources.shown));
    }
    let earlier = variants.earlier.map(|earlier| earlier.narrowed(&dataset));
    if let Some(earlier) = &earlier {
        earlier.refuse_mismatch(&dataset.facts, simulated)?;
    }

    for variant in std::iter::once(&mut variants.candidate).chain(&mut variants.baseline) {
        variant.facts.protocol = settings.endpoint.protocol;
    }
    let plan = Plan::new(dataset, variants.candidate, variants.baseline)?;
    let shared = plan.shared();
    let equal = variants.equal || (!shared.is_empty() && shared.iter().all(|shared| *shared));
    let mut notices = findings.notices;
    notices.extend(review::comparison(equal, variants.note.as_deref(), plan.dataset().cases.len()));
    // First: every reader of a warning should see this one.
    let mut warnings = policy_source.as_ref().map(sources::policy_warnings).unwrap_or_default();
    warnings.append(&mut findings.warnings);
    let mut seen = BTreeSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
    Ok(Suite {
        settings,
        files,
        policy_source,
        release: released.map(|released| released.facts),
        plan,
        applications: variants.applications,
        policy_tree: sources.policy_tree,
        scorers,
        policy: gate,
        earlier,
        baseline_note: variants.note,
        equal,
        same_prompt: variants.same_prompt,
        case_cost: None,
        rejection,
        notices,
        redactor,
        warnings,
    })
}

/// Whether a file could not be read because its path is missing, which is an error of the configuration already.
fn is_missing_path(diagnostic: &Diagnostic) -> bool {
    diagnostic.place.is_none() && diagnostic.message.starts_with("a path is empty")
}

fn nothing_scores(file: &str) -> Failure {
    Failure::Nothing(
        Diagnostic::new("nothing scores: no check, and no judge that is called")
            .at(Place::file(file))
            .help("add `checks:` or `metrics:`; `--no-judge` leaves checks alone"),
    )
}
