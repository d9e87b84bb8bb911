//! The scorers by command of a run: their files, their environment and their processes.

use std::path::PathBuf;
use std::sync::Arc;

use super::application::{Checkouts, environment};
use super::suite::Suite;
use super::{Environment, Failure};
use crate::config::ScorerSettings;
use promptgate_adapters::files::Tree;
use promptgate_adapters::scorer::CommandScorer;
use promptgate_adapters::worker::{DEFAULT_MAX_LINE_BYTES, WorkerLog, WorkerOptions, make_undumpable};
use promptgate_core::model::Fault;
use promptgate_core::port::EventSink;
use promptgate_core::text::Redactor;

/// The file of the standard error of scorers.
pub(super) const LOG: &str = "scorers.log";

/// The started scorers.
#[derive(Default)]
pub(super) struct RunningScorers(Vec<Running>);

struct Running {
    name: String,
    scorer: Arc<CommandScorer>,
    log: Arc<WorkerLog>,
}

/// The parts of a run that its scorers need.
pub(super) struct ScorerContext<'a> {
    pub(super) environment: &'a Environment,
    pub(super) sink: &'a dyn EventSink,
    pub(super) redactor: &'a Arc<Redactor>,
    pub(super) checkouts: &'a Checkouts,
}

impl RunningScorers {
    /// Prepares the scorers of a suite in a checkout of the policy's commit; without one, in the folder of the configuration.
    /// Their processes start with the first answer.
    ///
    /// # Errors
    /// The commit cannot be checked out; the run is then incomplete.
    pub(super) async fn start(suite: &mut Suite, context: &ScorerContext<'_>) -> Result<Self, Failure> {
        let mut running = Self::default();
        if suite.settings.scorers.is_empty() {
            return Ok(running);
        }
        make_undumpable().map_err(|error| Failure::Internal(error.to_string()))?;
        let folder = folder(&suite.policy_tree, context).await?;
        // Where the base has no configuration, nobody has reviewed which variables the scorers get.
        let is_unreviewed = suite.policy_source.as_ref().is_some_and(|source| source.new);
        for settings in &suite.settings.scorers {
            let listed = if is_unreviewed { &[][..] } else { &settings.env[..] };
            let whose = format!("scorer {}", settings.name);
            environment::warn_of_missing(listed, &whose, context.environment, context.sink);
            let variables = environment::variables(listed, context.environment);
            let log = Arc::new(WorkerLog::new(Arc::clone(context.redactor)));
            let options = options(settings, folder.clone(), variables, whose);
            let scorer = CommandScorer::new(options, Arc::clone(context.redactor), Arc::clone(&log));
            let scorer = Arc::new(scorer);
            let metric = settings.metric();
            for outside in suite.scorers.outside.iter_mut().filter(|outside| outside.metric == metric) {
                outside.scorer = Some(Arc::clone(&scorer) as _);
            }
            running.0.push(Running { name: settings.name.clone(), scorer, log });
        }
        Ok(running)
    }

    /// Stops the processes. Returns their standard error as the text of a log file, which is empty where there is none, and
    /// the fault of a scorer whose scores may be those of other answers.
    pub(super) async fn stop(self) -> (String, Option<Fault>) {
        let (mut text, mut found) = (String::new(), None);
        for Running { name, scorer, log } in self.0 {
            found = found.or(scorer.shutdown().await.err());
            text.push_str(&log.section(&name));
        }
        (text, found)
    }
}

fn options(
    settings: &ScorerSettings,
    folder: PathBuf,
    env: Vec<(String, String)>,
    label: String,
) -> WorkerOptions {
    WorkerOptions {
        command: settings.run.clone(),
        folder,
        env,
        workers: settings.workers,
        timeout: settings.timeout,
        max_line_bytes: DEFAULT_MAX_LINE_BYTES,
        label,
    }
}

/// The folder of the policy's configuration, in a checkout where the policy is that of a commit.
async fn folder(tree: &Tree, context: &ScorerContext<'_>) -> Result<PathBuf, Failure> {
    match tree {
        Tree::Commit { repository, commit, reference } => {
            let commit = (commit.as_str(), reference.as_str());
            let checkout = context.checkouts.take(repository, commit, "the scorers", context.sink).await?;
            Ok(checkout.folder(repository.prefix()))
        }
        Tree::WorkTree { root, .. } if root.as_os_str().is_empty() => Ok(PathBuf::from(".")),
        Tree::WorkTree { root, .. } => Ok(root.clone()),
    }
}
