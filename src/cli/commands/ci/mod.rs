//! `promptgate ci`: the gate of a pull request, as a CI system starts it.
//!
//! Finds out what the event asks for, runs the gate as `run` and `merge` do, and leaves what a workflow shows. What is
//! written for whom is [`leave`]'s, which commit is compared with [`base`]'s.

mod base;
mod leave;
mod merged;
mod surroundings;
mod unchanged;
mod words;

use std::path::{Path, PathBuf};

use super::run::{self, Finished};
use crate::cli::args::{CiArguments, Mode, OnMissingCredentials, RunArguments};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::suite::{self, Configured, Suite};
use crate::cli::{models, output, saved, shard};
use base::Base;
use promptgate_adapters::github::Event;
use promptgate_adapters::load::Repository;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_report::Format;
use promptgate_report::shard::Shard;
use surroundings::Surroundings;

/// `--policy-from` that takes the change's own policy.
const OWN_POLICY: &str = "head";

/// What is known of a run in CI, for those who read of it.
#[derive(Default)]
struct Known {
    event: Option<Event>,
    base: Option<Base>,
    /// The candidate's prompt and configuration, relative to `folder`.
    files: Vec<String>,
    folder: PathBuf,
    /// Which part of the run this is; `None` for the whole.
    shard: Option<Shard>,
}

impl Known {
    /// Remembers where the candidate's files are.
    fn look_at(&mut self, configured: &Configured) {
        self.folder.clone_from(&configured.folder);
        let file = Path::new(&configured.settings.file).file_name().unwrap_or_default();
        self.files = vec![configured.settings.prompt.value.clone(), file.to_string_lossy().into_owned()];
    }
}

/// How it came out.
enum Outcome {
    /// The gate was asked.
    Finished(Box<Finished>),
    /// Nothing differs from the base.
    Unchanged(Of),
    /// There is no key.
    NoKey {
        /// Of which suite.
        of: Of,
        /// The variables that are not set; empty where only the shards know.
        variables: Vec<String>,
        /// How it ends.
        status: ExitStatus,
    },
    /// There was no verdict to come to.
    Failed(Failure, ExitStatus),
}

/// A suite of which nothing was asked.
enum Of {
    /// It was loaded.
    Suite {
        /// Its name.
        name: String,
        /// Its cases.
        cases: usize,
    },
    /// Every shard said the same.
    Shards,
}

impl Of {
    fn suite(suite: &Suite) -> Self {
        Self::Suite { name: suite.settings.name.clone(), cases: suite.plan.dataset().cases.len() }
    }
}

impl Outcome {
    fn status(&self) -> ExitStatus {
        match self {
            Self::Finished(finished) => finished.status,
            Self::Unchanged(_) => ExitStatus::Pass,
            Self::NoKey { status, .. } | Self::Failed(_, status) => *status,
        }
    }
}

/// Finds out, runs, leaves.
pub(crate) fn ci(arguments: &CiArguments) -> Result<ExitStatus, Failure> {
    let surroundings = Surroundings::of_process();
    saved::prepare(&arguments.run.out)?;
    leave::remove_earlier(&arguments.run.out)?;
    let advisory = arguments.mode == Mode::Advisory || arguments.run.advisory;
    let mut known = Known::default();
    let outcome = match gate(arguments, advisory, &surroundings, &mut known) {
        Ok(outcome) => outcome,
        Err(Failure::BrokenPipe) => return Err(Failure::BrokenPipe),
        Err(failure) => {
            // Advisory is of use only if it never stands in the way.
            let excused = advisory && matches!(failure, Failure::Incomplete(_));
            let status = if excused { ExitStatus::Pass } else { failure.status() };
            output::report(&failure);
            Outcome::Failed(failure, status)
        }
    };
    leave::all(&outcome, &known, arguments, &surroundings)?;
    Ok(outcome.status())
}

fn gate(
    arguments: &CiArguments,
    advisory: bool,
    surroundings: &Surroundings,
    known: &mut Known,
) -> Result<Outcome, Failure> {
    if arguments.run.format != Format::Terminal {
        return Err(Diagnostic::new(
            "what `ci` prints goes into a log, where texts of a model have no place",
        )
        .at(Place::file("--format"))
        .help("leave it out: the other forms are in the folder of `--out`")
        .into());
    }
    let event = surroundings.event()?;
    known.event.clone_from(&event);
    let mut run = RunArguments { advisory, ..arguments.run.clone() };
    let variable = |name: &str| surroundings.variable(name);
    if let Some(folder) = &arguments.merge {
        return merged::merged(folder, &run, arguments, known, &variable);
    }
    known.shard = shard::asked(&run)?;
    let configured = suite::configured(run.suite.config.as_deref())?;
    known.look_at(&configured);
    let mut found = base::find(event.as_ref(), &configured.folder, &variable)?;
    if event.as_ref().is_some_and(|event| event.kind.is_change()) {
        found.known.evaluated.clone_from(&found.head);
    }
    run.suite.merge_base = Some(found.known.clone());
    run.suite.policy_from = match (run.suite.policy_from.take(), &event) {
        (Some(spec), _) if spec == OWN_POLICY => None,
        (Some(spec), _) => Some(spec),
        (None, Some(event)) if event.kind.is_change() => Some("git:merge-base".to_owned()),
        (None, _) => None,
    };
    let settles = found.settles && !run.cache.refresh;
    let base = known.base.insert(found);
    let (suite, shard) = run::load(&run)?;
    if settles && unchanged::is_unchanged(&suite, &run, base) {
        return Ok(Outcome::Unchanged(Of::suite(&suite)));
    }
    if let Some(outcome) = without_key(&suite, &run, arguments) {
        return Ok(outcome);
    }
    Ok(Outcome::Finished(Box::new(run::carry_out(suite, shard, &run)?)))
}

/// What becomes of a suite whose endpoints need a key that is not there; `None` where nothing is missing.
fn without_key(suite: &Suite, run: &RunArguments, arguments: &CiArguments) -> Option<Outcome> {
    if run.offline || run.cache.cached_only {
        return None;
    }
    let variables = models::missing_keys(&suite.settings, !suite.scorers.judges.is_empty());
    if variables.is_empty() {
        return None;
    }
    Some(Outcome::NoKey { of: Of::suite(suite), variables, status: status_without_key(run, arguments) })
}

fn status_without_key(run: &RunArguments, arguments: &CiArguments) -> ExitStatus {
    match arguments.on_missing_credentials {
        OnMissingCredentials::Skip => ExitStatus::Pass,
        OnMissingCredentials::Fail if run.advisory => ExitStatus::Pass,
        OnMissingCredentials::Fail => ExitStatus::Incomplete,
    }
}

/// The repository of the configuration, if it is in one.
fn repository(known: &Known) -> Option<Repository> {
    (!known.files.is_empty()).then(|| Repository::discover(&known.folder).ok()).flatten()
}

/// Mistakes of a failure, for those who do not read the log.
fn diagnostics(failure: &Failure) -> Vec<Diagnostic> {
    match failure {
        Failure::Diagnostics(Diagnostics(diagnostics)) | Failure::Incomplete(Diagnostics(diagnostics)) => {
            diagnostics.clone()
        }
        Failure::Nothing(diagnostic) => vec![diagnostic.clone()],
        Failure::Internal(message) => vec![Diagnostic::new(message)],
        Failure::BrokenPipe => Vec::new(),
    }
}
