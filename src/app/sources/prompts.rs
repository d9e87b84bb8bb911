//! Resolves the prompts of candidate and baseline to bytes.

use std::collections::HashSet;

use serde_json::Value;

use super::application::{self, ApplicationSource};
use super::base;
use super::files::Trees;
use super::ledger::LedgerSources;
use super::locate::{Location, from_command_line, parse};
use super::policy::{PolicySources, configuration_at};
use crate::app::release::content;
use crate::app::suite::SuiteOptions;
use crate::app::{Environment, Failure, mismatch, report_files};
use crate::config::{PromptSettings, ReleaseSettings, Settings, TargetSettings};
use promptgate_adapters::files::{self, Baseline, BaselineSpec, PromptBytes, PromptSource, Tree};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Dataset, DatasetFacts, Diagnostic, Diagnostics, Place, Run};
use promptgate_release::{Label, PromptReference, Record, Selector};

/// The name of the merge base in messages and reports.
pub(super) const MERGE_BASE: &str = "merge-base";
/// Largest report that is a baseline, in bytes.
const REPORT_LIMIT: u64 = 1 << 30;

/// A prompt of a variant.
#[derive(Debug)]
pub(in crate::app) enum ResolvedPrompt {
    /// A file, of the work tree or of a commit.
    File(Box<PromptFile>),
    /// A version of a ledger.
    Published(Box<Record>),
    /// An application, of the work tree or of a commit.
    Application(Box<ApplicationSource>),
}

impl ResolvedPrompt {
    /// Whether it is the variant of the merge base, by the configuration there.
    pub(in crate::app) fn is_of_merge_base(&self) -> bool {
        match self {
            Self::File(file) => file.of_merge_base,
            Self::Application(source) => source.of_merge_base,
            Self::Published(_) => false,
        }
    }
}

/// The bytes of a prompt, and the settings that it is sent with.
#[derive(Debug)]
pub(in crate::app) struct PromptFile {
    /// The bytes.
    pub(in crate::app) prompt: PromptBytes,
    /// User message, model and parameters.
    pub(in crate::app) source: PromptSource,
    /// The schema of answers, from the checks of the configuration that the prompt is from.
    pub(in crate::app) answer_schema: Option<Value>,
    /// Whether it is the prompt of the merge base, by the configuration there.
    pub(in crate::app) of_merge_base: bool,
}

/// A resolved baseline.
pub(in crate::app) enum BaselineSource {
    /// A prompt that is run.
    Prompt(Box<ResolvedPrompt>),
    /// A run of an earlier report.
    Earlier(Box<Earlier>),
    /// None.
    None {
        /// Why, where it was not asked for.
        note: Option<String>,
        /// The error if a criterion needs a baseline.
        if_needed: Option<Diagnostic>,
    },
}

/// A baseline that was answered in an earlier run.
pub(crate) struct Earlier {
    /// That run; its candidate is the baseline.
    pub(crate) run: Run,
    /// The path of its report.
    pub(crate) file: String,
}

impl Earlier {
    /// The earlier run over the cases of a partial one, if it is of the whole dataset.
    pub(in crate::app) fn narrowed(mut self, dataset: &Dataset) -> Self {
        let whole = dataset.facts.partial.as_ref().map(|partial| &partial.whole_digest);
        if self.run.dataset.partial.is_none() && whole == Some(&self.run.dataset.digest) {
            let ids: HashSet<&str> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
            self.run.retain_cases(|case| ids.contains(case.id.as_str()));
            self.run.dataset.clone_from(&dataset.facts);
        }
        self
    }

    /// Refuses a baseline over other cases, or one that was answered by the simulated model where this run is not.
    pub(in crate::app) fn refuse_mismatch(
        &self,
        dataset: &DatasetFacts,
        simulated: Option<bool>,
    ) -> Result<(), Diagnostics> {
        if dataset.partial.is_none() {
            mismatch::refuse(&self.file, [mismatch::partial(&self.run.dataset)])?;
        }
        mismatch::refuse(
            &self.file,
            [
                mismatch::dataset(&self.run.dataset, dataset),
                simulated.and_then(|simulated| mismatch::simulation(self.run.simulated, simulated)),
            ],
        )
    }
}

fn source(settings: &Settings, prompt: &PromptSettings) -> PromptSource {
    PromptSource {
        path: prompt.path().to_owned(),
        inline: prompt.inline().map(|inline| inline.suite.clone()),
        user: settings.user.clone(),
        model: settings.model.as_ref().map(|model| model.value.clone()),
        parameters: settings.parameters.clone(),
    }
}

/// The references of candidate and baseline to published versions.
pub(super) fn references(
    options: &SuiteOptions,
    policy: &PolicySources,
    location: &Location,
) -> Vec<PromptReference> {
    let candidate = options.candidate.as_ref();
    let candidate = candidate.and_then(|text| BaselineSpec::parse_candidate(text, "candidate").ok());
    let baseline = baseline_spec(options, &policy.settings, location).ok().and_then(|(spec, _)| spec);
    let named = [candidate, baseline].into_iter().flatten().filter_map(|spec| match spec {
        BaselineSpec::Registry(reference) => Some(reference),
        _ => None,
    });
    named.collect()
}

/// The baseline that options or configuration name, with its place. By default, a released prompt is compared with the
/// version that production serves.
fn baseline_spec(
    options: &SuiteOptions,
    settings: &Settings,
    location: &Location,
) -> Result<(Option<BaselineSpec>, Place), Diagnostic> {
    let (text, place) = match (&options.baseline, &settings.baseline) {
        (Some(text), _) => (text, Place::file("--baseline")),
        (None, Some(written)) => (&written.value, written.place.clone()),
        (None, None) => {
            let production = |release: &ReleaseSettings| {
                let selector = Selector::Label(Label::Production);
                BaselineSpec::Registry(PromptReference { name: release.name.clone(), selector })
            };
            return Ok((settings.release.as_ref().map(production), Place::file(&location.shown)));
        }
    };
    Ok((Some(BaselineSpec::parse(text).map_err(|diagnostic| diagnostic.or_at(&place))?), place))
}

/// The candidate's prompt.
pub(super) fn candidate(
    options: &SuiteOptions,
    environment: &Environment,
    policy: &PolicySources,
    location: &Location,
    ledger: &LedgerSources,
) -> Result<ResolvedPrompt, Diagnostics> {
    let (settings, tree) = (&policy.settings, &policy.trees.candidate);
    let of_candidate = |tree: &Tree, prompt: &PromptSettings| {
        let mut prompt = variant(tree, settings, None, prompt)?;
        if let ResolvedPrompt::File(file) = &mut prompt {
            file.answer_schema = content::schema_of_suite(&policy.own_checks, tree);
        }
        Ok(prompt)
    };
    let Some(text) = &options.candidate else { return of_candidate(tree, &settings.prompt) };
    let flag = |diagnostic: Diagnostic| Diagnostics::from(diagnostic.or_at(&Place::file("--candidate")));
    let spec = BaselineSpec::parse_candidate(text, "candidate").map_err(flag)?;
    if let BaselineSpec::Registry(reference) = &spec {
        let found =
            ledger.record(reference).map_err(|diagnostics| diagnostics.at(&Place::file("--candidate")))?;
        let record = found.ok_or_else(|| {
            flag(
                Diagnostic::new(format!("{} has no version in production yet", reference.name))
                    .help("name a version: `--candidate registry:NAME@VERSION`"),
            )
        })?;
        return Ok(ResolvedPrompt::Published(Box::new(record)));
    }
    match files::baseline(Some(&spec), &location.folder, &|name| environment.variable(name)).map_err(flag)? {
        Baseline::File { path } => {
            of_candidate(tree, &PromptSettings::File(from_command_line(&path, &location.folder)))
        }
        Baseline::Commit { tree, path: Some(path), .. } => of_candidate(&tree, &PromptSettings::File(path)),
        Baseline::Commit { tree, path: None, .. } if settings.prompt.inline().is_some() => {
            of_candidate(&tree, &inline_at(&tree, location)?)
        }
        Baseline::Commit { tree, path: None, .. } => of_candidate(&tree, &settings.prompt),
        Baseline::None { .. } | Baseline::Report { .. } => {
            Err(flag(Diagnostic::new("not a valid candidate")))
        }
    }
}

/// The prompt of the configuration at a commit, where the configuration of the work tree holds its own.
///
/// # Errors
/// A commit without a configuration, and an invalid one.
fn inline_at(tree: &Tree, location: &Location) -> Result<PromptSettings, Diagnostics> {
    let (name, bytes) =
        configuration_at(tree, &location.name)?.ok_or_else(|| tree.not_found(&location.name))?;
    Ok(parse(tree, &name, &bytes)?.prompt)
}

/// The variant that a configuration describes in its tree: a prompt, or an application with or without one. `policy` is
/// the target whose variables and limits hold; `None` for those of the configuration.
fn variant(
    tree: &Tree,
    settings: &Settings,
    policy: Option<&TargetSettings>,
    prompt: &PromptSettings,
) -> Result<ResolvedPrompt, Diagnostics> {
    let Some(target) = &settings.target else {
        return Ok(ResolvedPrompt::File(Box::new(resolved(tree, settings, prompt)?)));
    };
    let prompt = if prompt.is_none() { None } else { Some(resolved(tree, settings, prompt)?) };
    let source = application::resolve(tree, settings, target, policy.unwrap_or(target), prompt)?;
    Ok(ResolvedPrompt::Application(Box::new(source)))
}

/// The bytes of a prompt in a tree, with the settings of a configuration.
pub(super) fn resolved(
    tree: &Tree,
    settings: &Settings,
    prompt: &PromptSettings,
) -> Result<PromptFile, Diagnostics> {
    let source = source(settings, prompt);
    let prompt = match prompt.inline() {
        Some(inline) => files::inline_prompt(tree, &inline.file, &inline.configuration),
        None => files::fetch_prompt(tree, &source.path)?,
    };
    let answer_schema = content::schema_of_suite(&settings.checks, tree);
    Ok(PromptFile { prompt, source, answer_schema, of_merge_base: false })
}

/// The baseline.
pub(super) fn baseline(
    options: &SuiteOptions,
    environment: &Environment,
    policy: &PolicySources,
    location: &Location,
    ledger: &LedgerSources,
    warnings: &mut Vec<String>,
) -> Result<BaselineSource, Diagnostics> {
    let settings = &policy.settings;
    let (spec, place) = baseline_spec(options, settings, location)?;
    let from_flag = options.baseline.is_some();
    let placed = |diagnostic: Diagnostic| diagnostic.or_at(&place);
    if let Some(BaselineSpec::Registry(reference)) = &spec {
        return published(reference, ledger).map_err(|diagnostics| diagnostics.at(&place));
    }
    let seen = |path: String| {
        if from_flag { from_command_line(&path, &location.folder) } else { path }
    };
    let base = base::find(spec.as_ref(), options, environment, &location.folder, policy.source.is_some());
    match base.map_err(placed)? {
        Baseline::None { note, if_needed } => Ok(BaselineSource::None { note, if_needed }),
        Baseline::File { path } => {
            // A file that the policy names is read from the policy, with its user message, model and parameters.
            let (tree, of) = match &policy.base {
                Some(base) if !from_flag => (&policy.trees.policy, base),
                _ => (&policy.trees.candidate, settings),
            };
            let prompt = variant(tree, of, settings.target.as_ref(), &PromptSettings::File(seen(path)))?;
            Ok(BaselineSource::Prompt(Box::new(prompt)))
        }
        Baseline::Report { path } => {
            // The same holds for a report.
            let mut folder = location.folder.as_path();
            if policy.base.is_some() && !from_flag {
                refuse_changed_report(policy, &path)?;
                // A report that a commit holds is the same in the candidate's folder.
                if policy.trees.policy.is_writable_by_change() {
                    folder = policy.trees.policy.folder();
                }
            }
            let report =
                report_files::read(&folder.join(seen(path.clone()))).map_err(|failure| match failure {
                    Failure::Diagnostics(diagnostics) => diagnostics,
                    _ => Diagnostic::new("this report cannot be read").at(Place::file(&path)).into(),
                })?;
            let run = report.to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&path)))?;
            Ok(BaselineSource::Earlier(Box::new(Earlier { run, file: path })))
        }
        Baseline::Commit { tree: base, path, how } => {
            at_commit(settings, location, &base, path, &how, warnings)
        }
    }
}

/// A published version; none where production serves nothing yet.
fn published(reference: &PromptReference, ledger: &LedgerSources) -> Result<BaselineSource, Diagnostics> {
    Ok(match ledger.record(reference)? {
        Some(record) => BaselineSource::Prompt(Box::new(ResolvedPrompt::Published(Box::new(record)))),
        None => {
            let name = &reference.name;
            let note = format!("new: {name} has no version in production yet; judged by thresholds alone");
            BaselineSource::None { note: Some(note), if_needed: None }
        }
    })
}

/// The prompt at a commit, with the user message, model and parameters that the configuration had there.
fn at_commit(
    settings: &Settings,
    location: &Location,
    base: &Tree,
    path: Option<String>,
    how: &str,
    warnings: &mut Vec<String>,
) -> Result<BaselineSource, Diagnostics> {
    let there = match configuration_at(base, &location.name)? {
        None => None,
        Some((name, bytes)) => {
            let shown = base.describe(&name);
            let parsed = parse(base, &name, &bytes);
            if let (Err(errors), None, Some(_)) = (&parsed, &path, settings.prompt.inline()) {
                return Err(invalid_base(errors, &shown));
            }
            if parsed.is_err() {
                warnings.push(format!(
                    "{shown} is not valid; the baseline runs with the user message, model and parameters of {}",
                    location.shown
                ));
            }
            parsed.ok()
        }
    };
    let named = path.is_some();
    let of = there.as_ref().unwrap_or(settings);
    let of_merge_base = !named
        && there.is_some()
        && matches!(base, Tree::Commit { reference, .. } if reference == MERGE_BASE);
    let prompt = path.map_or_else(|| of.prompt.clone(), PromptSettings::File);
    if prompt.inline().is_some() && there.is_none() {
        let note = format!(
            "new: {} is not there at the baseline ({how}); judged by thresholds alone",
            location.name
        );
        return Ok(BaselineSource::None { note: Some(note), if_needed: None });
    }
    if of.target.is_some() {
        let mut prompt = variant(base, of, settings.target.as_ref(), &prompt)?;
        if let ResolvedPrompt::Application(application) = &mut prompt {
            application.of_merge_base = of_merge_base;
            application.missing =
                application::missing_program(&application.target, base, &location.folder, how);
        }
        return Ok(BaselineSource::Prompt(Box::new(prompt)));
    }
    let source = source(of, &prompt);
    let found = match prompt.inline() {
        Some(inline) => Some(files::inline_prompt(base, &inline.file, &inline.configuration)),
        None => files::find_prompt(base, &source.path)?,
    };
    match found {
        Some(prompt) => {
            let answer_schema = content::schema_of_suite(&of.checks, base);
            let file = PromptFile { prompt, source, answer_schema, of_merge_base };
            Ok(BaselineSource::Prompt(Box::new(ResolvedPrompt::File(Box::new(file)))))
        }
        None if named => Err(Diagnostic::new("file not found in that commit")
            .at(Place::file(base.describe(&source.path)))
            .help("`git:REF` alone takes the path of the configuration at that commit")
            .into()),
        None => {
            let note = format!(
                "new: {} is not there at the baseline ({how}); judged by thresholds alone",
                source.path
            );
            Ok(BaselineSource::None { note: Some(note), if_needed: None })
        }
    }
}

/// The error of a baseline whose prompt is in a configuration that cannot be read.
fn invalid_base(errors: &Diagnostics, shown: &str) -> Diagnostics {
    let mut errors = errors.clone();
    let diagnostic = Diagnostic::new("the baseline's prompt is in this configuration, which is not valid");
    errors.0.push(
        diagnostic
            .at(Place::file(shown))
            .help("name another baseline: `--baseline git:REF`, `--baseline file:PATH` or `--baseline none`"),
    );
    errors
}

/// Refuses a report that a policy names and the change under test brings along, or has altered.
fn refuse_changed_report(sources: &PolicySources, path: &str) -> Result<(), Diagnostic> {
    let Trees { policy, candidate, .. } = &sources.trees;
    if policy.is_writable_by_change() {
        return Ok(());
    }
    let ours = candidate.find(path, REPORT_LIMIT)?;
    let same = match policy.find(path, REPORT_LIMIT)? {
        Some(theirs) => ours.is_some_and(|ours| ours == theirs),
        // A report that a job put there is not part of the change.
        None => !Repository::discover(candidate.folder()).map_err(Diagnostic::from)?.tracks(path)?,
    };
    if same {
        return Ok(());
    }
    Err(Diagnostic::new(
        "this report is the baseline, and the change under test has another one in its place",
    )
    .at(Place::file(path))
    .help("change a saved baseline and a prompt in two steps"))
}
