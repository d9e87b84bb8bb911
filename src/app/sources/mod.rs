//! Phase one of loading a suite: resolves what options and configuration refer to.
//!
//! A reference is a file of the work tree, a commit, or a saved report. The redactor knows the secrets of configuration
//! and policy before anything that they name is fetched. Errors are kept with what could not be fetched, so that phase
//! two, which only parses bytes, reports them together with all others.

mod application;
mod base;
mod committed;
mod extended;
mod files;
mod ledger;
mod locate;
mod policy;
mod prompts;
mod secrets;
mod values;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use application::{ApplicationSource, digest_of_tree};
pub(super) use files::{NamedFiles, certificates, dataset_source};
pub(super) use ledger::ReleaseSources;
pub(crate) use ledger::{BaseRepository, ReleaseMode};
pub(super) use locate::{current_folder, lexical, shown, shown_text as shown_path};
pub(super) use policy::{between, matched, warnings as policy_warnings};
pub(crate) use prompts::Earlier;
pub(super) use prompts::{BaselineSource, PromptFile, ResolvedPrompt};
use secrets::secrets_of_flags;
pub(super) use secrets::{header_variables, own_tokens, secrets};
pub(super) use values::{CasesToRead, read_values};

use super::suite::SuiteOptions;
use super::{Environment, Failure};
use crate::config::{self, ReleaseSettings, Settings};
use files::Trees;
use ledger::LedgerSources;
use locate::Location;
use policy::PolicySources;
use promptgate_adapters::files::{DatasetBytes, DatasetSource, Images, Tree, fetch_dataset, fetch_images};
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Diagnostics, Fault, PolicySource};
use promptgate_core::text::Redactor;

/// The commit that a change is compared with, as the event of a CI system gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownBase {
    /// Its full object name; `None` where there is nothing to compare with.
    pub(crate) commit: Option<String>,
    /// How it was found, or why there is none.
    pub(crate) how: String,
    /// The commit whose files are evaluated; `None` for the work tree as it is.
    pub(crate) evaluated: Option<String>,
    /// Without a commit: the error if a criterion needs a baseline.
    pub(crate) if_needed: Option<Diagnostic>,
}

/// A configuration with its folder.
pub(super) struct Configured {
    /// Its file.
    pub(super) location: Location,
    /// Its settings.
    pub(super) settings: Settings,
}

/// A configuration that releases a prompt: its path for messages, its folder, and the settings of the release.
pub(super) type Released = (String, PathBuf, ReleaseSettings);

/// Reads the `release:` of the configuration that is named, else of the nearest one; `None` without that key. Errors in
/// other keys are not reported.
///
/// # Errors
/// No configuration, or an invalid `release:`.
pub(super) fn configured_release(named: Option<&Path>) -> Result<Option<Released>, Failure> {
    let location = locate::configuration(named)?;
    let release = location.text()?.load_release()?;
    Ok(release.map(|release| (location.shown, location.folder, release)))
}

/// Refuses the configuration that is named, else the nearest one, where it lists suites.
///
/// # Errors
/// No configuration, one that cannot be parsed, and a list.
pub(super) fn refuse_list(named: Option<&Path>) -> Result<(), Failure> {
    Ok(locate::configuration(named)?.refuse_list()?)
}

/// The `release:` of a configuration at a commit; `None` without that key. Errors in other keys are not reported.
///
/// # Errors
/// An invalid `release:`.
pub(super) fn release_of(
    tree: &Tree,
    name: &str,
    bytes: &[u8],
) -> Result<Option<ReleaseSettings>, Diagnostics> {
    locate::text_in(tree, name, bytes)?.load_release()
}

/// The root of the repository that a folder is in; `None` outside one.
pub(super) fn repository_root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists())
}

/// The configurations in a folder and below it, without those in hidden folders, sorted.
pub(super) fn configurations(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let hidden = name.to_string_lossy().starts_with('.');
            // Links are not followed, so that no folder is read twice.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !hidden && name != "node_modules" && name != "target" => {
                    folders.push(entry.path());
                }
                Ok(kind) if kind.is_file() && config::NAMES.iter().any(|known| name == *known) => {
                    found.push(entry.path());
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The path of the configuration that is named (a file, or its folder), else of the nearest one.
pub(super) fn configuration_file(named: Option<&Path>) -> Result<PathBuf, Diagnostic> {
    locate::configuration(named).map(|location| location.folder.join(location.name))
}

/// The result of phase one.
pub(super) struct Resolved {
    /// Everything that a suite is parsed from, apart from the dataset.
    pub(super) sources: Sources,
    /// The bytes of the dataset.
    pub(super) dataset: DatasetBytes,
    /// For files that only the cases name.
    pub(super) trees: Trees,
}

/// Settings and bytes that a suite is parsed from.
pub(super) struct Sources {
    /// The configuration as a reader would write its path.
    pub(super) shown: String,
    /// The settings of the policy, with the candidate's own parts.
    pub(super) settings: Settings,
    /// Where the policy is from; `None` without `--policy-from`.
    pub(super) policy_source: Option<PolicySource>,
    /// The dataset of a policy from elsewhere, beside its configuration.
    pub(super) policy_dataset: Option<PolicyDataset>,
    /// The prompt of a policy from elsewhere, beside its configuration; `None` where an application answers.
    pub(super) policy_prompt: Option<PromptFile>,
    /// Why the change is not compared with its base: it evaluates another kind of target.
    pub(super) changed_target: Option<Fault>,
    /// Planted answers of the judge.
    pub(super) planted: Option<DatasetBytes>,
    /// The files that scorers by command are run from: those of the policy.
    pub(super) policy_tree: Tree,
    /// The other files that the settings name.
    pub(super) files: NamedFiles,
    /// The candidate's prompt.
    pub(super) candidate: Result<ResolvedPrompt, Diagnostics>,
    /// The baseline.
    pub(super) baseline: Result<BaselineSource, Diagnostics>,
    /// The prompt by its ledger; `None` without `release:`, and where that is not known.
    pub(super) release: Option<ReleaseSources>,
    /// Knows every secret that settings and environment hold.
    pub(super) redactor: Arc<Redactor>,
    /// Facts that reports state first.
    pub(super) notices: Vec<String>,
    /// Errors of the configuration; the settings are those of its valid parts.
    pub(super) errors: Diagnostics,
    /// Warnings for the reader.
    pub(super) warnings: Vec<String>,
}

/// The dataset beside a policy from elsewhere.
pub(super) struct PolicyDataset {
    /// Its bytes.
    pub(super) bytes: DatasetBytes,
    /// How they are read.
    pub(super) source: DatasetSource,
    /// Whether the change could have replaced a dataset that no commit holds: it names another one, or commits one.
    pub(super) replaced: bool,
    /// Whether the policy is that of another commit than the baseline, so that the branch may not know its cases.
    pub(super) newer: bool,
}

/// Reads the configuration that is named, else the nearest one; none of its files is read.
pub(super) fn configured(named: Option<&Path>) -> Result<Configured, Failure> {
    let location = locate::configuration(named)?;
    location.refuse_list()?;
    let settings = location.text()?.load(&check::entry_schema())?;
    Ok(Configured { location, settings })
}

/// The valid parts of a configuration, with the errors of the others.
pub(super) struct Examined {
    /// Its path for messages.
    pub(super) shown: String,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The settings of its valid parts.
    pub(super) settings: Settings,
    /// The errors of the others.
    pub(super) errors: Diagnostics,
}

/// Reads the valid parts of the configuration that is named, else of the nearest one.
///
/// # Errors
/// No configuration, or nothing of it can be read.
pub(super) fn examine(named: Option<&Path>) -> Result<Examined, Failure> {
    let location = locate::configuration(named)?;
    location.refuse_list()?;
    let (settings, errors) = locate::parse_valid_parts(&location.text()?)?;
    Ok(Examined { shown: location.shown, folder: location.folder, settings, errors })
}

/// Resolves the references of options and configuration, on threads that may wait for git.
///
/// # Errors
/// An invalid configuration or policy.
pub(super) async fn resolve(options: &SuiteOptions, environment: &Environment) -> Result<Resolved, Failure> {
    let (options, environment) = (options.clone(), environment.clone());
    blocking(move || resolve_all(&options, &environment)).await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Internal(error.to_string()))
}

fn resolve_all(options: &SuiteOptions, environment: &Environment) -> Result<Resolved, Failure> {
    let location = locate::configuration(options.config.as_deref())?;
    location.refuse_list()?;
    let (own, errors) = locate::parse_valid_parts(&location.text()?)?;
    // Files that an invalid configuration names are read only where no policy from elsewhere restricts that.
    if options.policy_from.is_some() && !errors.0.is_empty() {
        return Err(errors.into());
    }
    let mut warnings = Vec::new();
    let mut known = secrets(&own, environment);
    known.extend(secrets_of_flags(&options.secret_variables, environment));
    // The gate reads labels with it; no endpoint gets it.
    known.extend(own_tokens(environment));
    let mut policy = policy::resolve(options, environment, &location, own, &mut warnings)?;
    // Nothing that configuration and policy name is fetched before this.
    known.extend(secrets(&policy.settings, environment));
    let redactor = Arc::new(Redactor::new(&known));
    let references = prompts::references(options, &policy, &location);
    let ledger = LedgerSources::read(references, options, &policy, &location.folder, &mut warnings)?;
    let candidate = prompts::candidate(options, environment, &policy, &location, &ledger);
    let baseline = prompts::baseline(options, environment, &policy, &location, &ledger, &mut warnings);
    policy::add_named_files(&mut policy);
    let PolicySources { settings, source: policy_source, trees, base, .. } = policy;
    let dataset = fetch_dataset(&trees.candidate, &settings.dataset.path);
    let notices = committed::notices(&trees.candidate, &settings, &dataset, options.candidate.is_none());
    let policy_dataset = base.as_ref().map(|base| policy_dataset(options, base, &settings, &trees, &dataset));
    let policy_prompt = base
        .as_ref()
        .filter(|base| base.target.is_none())
        .and_then(|base| prompts::resolved(&trees.policy, base, &base.prompt).ok());
    let changed_target = base.as_ref().and_then(|base| policy::changed_kind(base, &settings));
    let planted = settings.judge.as_ref().and_then(|judge| judge.planted.as_ref());
    let planted = planted.map(|path| fetch_dataset(&trees.policy, &path.value));
    let files = NamedFiles::fetch(&trees.policy, files::named_files(&settings));
    let shown = location.shown;
    let sources = Sources {
        shown,
        settings,
        policy_source,
        policy_dataset,
        policy_prompt,
        changed_target,
        planted,
        policy_tree: trees.policy.clone(),
        files,
        candidate,
        baseline,
        release: ledger.own,
        redactor,
        notices,
        errors,
        warnings,
    };
    Ok(Resolved { sources, dataset, trees })
}

/// Fetches the dataset beside the policy of `base`.
fn policy_dataset(
    options: &SuiteOptions,
    base: &Settings,
    settings: &Settings,
    trees: &Trees,
    own: &DatasetBytes,
) -> PolicyDataset {
    let source = dataset_source(&base.dataset);
    let known = options.merge_base.as_ref().and_then(|known| known.commit.as_deref());
    PolicyDataset {
        bytes: fetch_dataset(&trees.policy, &source.path),
        source,
        replaced: trees.policy.commit().is_some()
            && (settings.dataset != base.dataset || committed::is_tracked(&trees.candidate, own)),
        newer: known.zip(trees.policy.commit()).is_some_and(|(known, policy)| known != policy),
    }
}

/// Fetches the images that cases name: those of the change's dataset from the tree of the change, those of the base's from the
/// tree of the policy.
///
/// # Errors
/// None of its own: an image that cannot be read is an error of its case.
pub(super) async fn fetch_images_of_cases(
    trees: &Trees,
    own: BTreeSet<String>,
    of_base: BTreeSet<String>,
) -> Result<(Images, Images), Failure> {
    if own.is_empty() && of_base.is_empty() {
        return Ok(Default::default());
    }
    let trees = trees.clone();
    blocking(move || (fetch_images(&trees.candidate, own), fetch_images(&trees.policy, of_base))).await
}

/// Fetches the files that only the cases name.
///
/// # Errors
/// None of its own: a file that cannot be read is an error of its case.
pub(super) async fn fetch_files_of_cases(
    mut sources: Sources,
    trees: Trees,
    paths: BTreeSet<String>,
) -> Result<Sources, Failure> {
    if paths.is_empty() {
        return Ok(sources);
    }
    blocking(move || {
        if let Some(source) = sources.policy_source.as_mut().filter(|source| !source.new) {
            policy::add_files_of_cases(source, &trees, &paths);
        }
        sources.files.fetch_of_cases(&trees, paths);
        sources
    })
    .await
}
