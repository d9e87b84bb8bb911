//! Phase one of loading a suite: resolves what options and configuration refer to.
//!
//! A reference is a file of the work tree, a commit, or a saved report. Secrets are collected before anything is
//! fetched. Errors of candidate and baseline are kept, so that phase two reports them together with all others.

mod base;
mod files;
mod locate;
mod policy;
mod prompts;
mod secrets;

use std::path::{Path, PathBuf};

pub(super) use files::Files;
pub(super) use policy::{PolicySources, add_files, between, warnings as policy_warnings};
pub(crate) use prompts::Earlier;
pub(super) use prompts::{BaselineSource, ResolvedPrompt};
pub(super) use secrets::secrets;

use super::suite::SuiteOptions;
use super::{Environment, Failure};
use crate::config::{self, Settings};
use locate::Location;
use promptgate_adapters::files::decode;
use promptgate_core::check;
use promptgate_core::model::Diagnostics;
use promptgate_core::text::Secret;

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

/// A configuration with its folder.
pub(super) struct Configured {
    /// The folder that its paths are relative to.
    pub(super) folder: PathBuf,
    location: Location,
    /// Its settings.
    pub(super) settings: Settings,
}

/// Everything that a suite is loaded from.
pub(super) struct Sources {
    /// The configuration as a reader would write its path.
    pub(super) shown: String,
    /// Settings and files, of the policy and of the candidate.
    pub(super) policy: PolicySources,
    /// The candidate's prompt.
    pub(super) candidate: Result<ResolvedPrompt, Diagnostics>,
    /// The baseline.
    pub(super) baseline: Result<BaselineSource, Diagnostics>,
    /// Every secret that settings and environment hold.
    pub(super) secrets: Vec<Secret>,
    /// Warnings for the reader.
    pub(super) warnings: Vec<String>,
}

/// Reads the configuration that is named, else the nearest one; none of its files is read.
pub(super) fn configured(named: Option<&Path>) -> Result<Configured, Failure> {
    let location = locate::configuration(named)?;
    let text = decode(&location.shown, &location.bytes)?.to_owned();
    let settings = config::load(&location.shown, &text, &check::entry_schema())?;
    Ok(Configured { folder: location.folder.clone(), location, settings })
}

/// Resolves the references of options and configuration, on threads that may wait for git.
///
/// # Errors
/// An invalid configuration or policy.
pub(super) async fn resolve(options: &SuiteOptions, environment: &Environment) -> Result<Sources, Failure> {
    let (options, environment) = (options.clone(), environment.clone());
    let resolving = tokio::task::spawn_blocking(move || resolve_all(&options, &environment));
    resolving.await.map_err(|error| Failure::Internal(error.to_string()))?
}

fn resolve_all(options: &SuiteOptions, environment: &Environment) -> Result<Sources, Failure> {
    let Configured { location, settings: own, .. } = configured(options.config.as_deref())?;
    let mut warnings = Vec::new();
    let mut known = secrets(&own, environment);
    let policy = policy::resolve(options, environment, &location, own, &mut warnings)?;
    known.extend(secrets(&policy.settings, environment));
    let candidate = prompts::candidate(options, environment, &policy, &location);
    let baseline = prompts::baseline(options, environment, &policy, &location, &mut warnings);
    Ok(Sources { shown: location.shown, policy, candidate, baseline, secrets: known, warnings })
}
