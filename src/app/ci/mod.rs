//! The gate of a pull request, as a CI system runs it.
//!
//! [`gate`] finds the base of the event and loads the suite, [`outputs`] writes the files and the log of the job.

mod base;
mod environment;
pub(crate) mod facts;
mod messages;
pub(crate) mod outputs;
mod shards;
mod unchanged;

use std::path::{Path, PathBuf};

pub(crate) use environment::CiEnvironment;

use super::cache::CacheMode;
use super::evaluate::{self, Decided, RunOptions};
use super::report_files::Reported;
use super::shard::ShardResult;
use super::suite::{self, Configured, Suite};
use super::{Failure, models, shard};
use base::Base;
use promptgate_adapters::github::Event;
use promptgate_adapters::load::Repository;
use promptgate_report::Disclose;
use promptgate_report::shard::Shard;

/// Value of `--policy-from` that selects the change's own policy.
const OWN_POLICY: &str = "head";

/// How the gate of a pull request runs.
#[derive(Debug, Clone)]
pub(crate) struct CiOptions {
    /// The run.
    pub(crate) run: RunOptions,
    /// Join the shards in this folder instead of a run.
    pub(crate) merge: Option<PathBuf>,
    /// Whether a run without a key is skipped.
    pub(crate) on_missing_credentials: OnMissingCredentials,
    /// Texts that comment and summary may show.
    pub(crate) disclose: Disclose,
}

/// The result of a run whose key is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnMissingCredentials {
    /// Incomplete.
    #[default]
    Fail,
    /// Not evaluated, which passes.
    Skip,
}

/// The context of a run in CI, for comment, annotations and log.
#[derive(Default)]
pub(crate) struct CiContext {
    event: Option<Event>,
    base: Option<Base>,
    /// The candidate's prompt and configuration, relative to `folder`.
    files: Vec<String>,
    folder: PathBuf,
    /// Which shard this is; `None` for the whole run.
    shard: Option<Shard>,
}

impl CiContext {
    fn set_files(&mut self, configured: &Configured) {
        self.folder.clone_from(&configured.folder);
        let file = Path::new(&configured.settings.file).file_name().unwrap_or_default();
        self.files = vec![configured.settings.prompt.value.clone(), file.to_string_lossy().into_owned()];
    }

    /// The repository of the configuration, if it is in one.
    fn repository(&self) -> Option<Repository> {
        (!self.files.is_empty()).then(|| Repository::discover(&self.folder).ok()).flatten()
    }
}

/// What the gate has to do.
pub(crate) enum Gate {
    /// Evaluate this suite.
    Evaluate {
        /// The suite.
        suite: Box<Suite>,
        /// Which shard of it.
        shard: Option<Shard>,
        /// How it is run.
        options: Box<RunOptions>,
    },
    /// The shards are joined and decided.
    Merged(Box<Decided>),
    /// No call is needed, or none is possible.
    Ended(Outcome),
}

/// How the gate ended.
pub(crate) enum Outcome {
    /// There is a verdict.
    Reported(Box<Reported>),
    /// A shard; it has no verdict.
    Shard(Box<ShardResult>),
    /// Interrupted before the first call.
    Interrupted,
    /// Nothing differs from the base.
    Unchanged(Uncalled),
    /// A key is missing.
    NoKey {
        /// The suite.
        of: Uncalled,
        /// The variables that are not set; empty where only the shards know.
        variables: Vec<String>,
    },
    /// There is no verdict.
    Failed(Failure),
}

/// A suite for which no call was made.
pub(crate) enum Uncalled {
    /// It was loaded.
    Suite {
        /// Its name.
        name: String,
        /// Its cases.
        cases: usize,
    },
    /// Every shard had the same result.
    Shards,
}

impl Uncalled {
    fn suite(suite: &Suite) -> Self {
        Self::Suite { name: suite.settings.name.clone(), cases: suite.plan.dataset().cases.len() }
    }
}

/// Finds the base of the event, and loads what is evaluated.
///
/// # Errors
/// An event that must not be run, a base that is out of reach, and everything that is wrong with the suite or shards.
pub(crate) fn gate(
    options: &CiOptions,
    environment: &CiEnvironment,
    context: &mut CiContext,
) -> Result<Gate, Failure> {
    let event = environment.event()?;
    context.event.clone_from(&event);
    let mut run = options.run.clone();
    let variable = |name: &str| environment.variable(name);
    if let Some(folder) = &options.merge {
        return shards::merge(folder, &run, context, &variable);
    }
    context.shard = shard::choose(run.shard, run.suite.max_repeats, &environment.0)?;
    let configured = suite::configured(run.suite.config.as_deref())?;
    context.set_files(&configured);
    let mut base = base::find(event.as_ref(), &configured.folder, &variable)?;
    let is_change = event.as_ref().is_some_and(|event| event.kind.is_change());
    if is_change {
        base.known.evaluated.clone_from(&base.head);
    }
    run.suite.merge_base = Some(base.known.clone());
    run.suite.policy_from = match run.suite.policy_from.take() {
        Some(spec) => Some(spec).filter(|spec| spec != OWN_POLICY),
        None => is_change.then(|| "git:merge-base".to_owned()),
    };
    let base = context.base.insert(base);
    let (suite, shard) = evaluate::load(&run, &environment.0)?;
    let may_settle = base.settles && run.calls.cache != CacheMode::Refresh;
    if may_settle && unchanged::is_unchanged(&suite, &run, base, &environment.0) {
        return Ok(Gate::Ended(Outcome::Unchanged(Uncalled::suite(&suite))));
    }
    let variables = missing_keys(&suite, &run, environment);
    if !variables.is_empty() {
        return Ok(Gate::Ended(Outcome::NoKey { of: Uncalled::suite(&suite), variables }));
    }
    Ok(Gate::Evaluate { suite: Box::new(suite), shard, options: Box::new(run) })
}

/// The variables of required keys that are not set.
fn missing_keys(suite: &Suite, run: &RunOptions, environment: &CiEnvironment) -> Vec<String> {
    if run.calls.offline || run.calls.cache == CacheMode::CachedOnly {
        return Vec::new();
    }
    models::missing_keys(&suite.settings, &environment.0, !suite.scorers.judges.is_empty())
}
