//! The scorers and the transformation by command of a run: their files, their environment and their processes.

use std::path::PathBuf;
use std::sync::Arc;

use super::application::{Checkouts, environment};
use super::sources::digest_of_tree;
use super::suite::{Suite, not_on_path};
use super::{Environment, Failure};
use promptgate_adapters::cache::{Cache, CacheOptions, Cached};
use promptgate_adapters::files::Tree;
use promptgate_adapters::git::Repository;
use promptgate_adapters::scorer::CommandScorer;
use promptgate_adapters::transform::CommandTransform;
use promptgate_adapters::worker::{DEFAULT_MAX_LINE_BYTES, WorkerLog, WorkerOptions, make_undumpable};
use promptgate_core::model::Fault;
use promptgate_core::port::{ChatModel, EventSink, NullSink};
use promptgate_core::text::Redactor;

/// The file of the standard error of scorers and of the transformation.
pub(super) const LOG: &str = "scorers.log";

/// The started programs.
#[derive(Default)]
pub(super) struct RunningScorers(Vec<Running>);

struct Running {
    name: String,
    program: Program,
    log: Arc<WorkerLog>,
}

enum Program {
    Scorer(Arc<CommandScorer>),
    Transform(Arc<CommandTransform>),
}

/// The parts of a run that its scorers need.
pub(super) struct ScorerContext<'a> {
    pub(super) environment: &'a Environment,
    pub(super) sink: &'a dyn EventSink,
    pub(super) redactor: &'a Arc<Redactor>,
    pub(super) checkouts: &'a Checkouts,
    /// The cache, and how it is used; `None` where it is bypassed.
    pub(super) cache: Option<&'a (Arc<Cache>, CacheOptions)>,
}

impl RunningScorers {
    /// Prepares the programs of a suite in a checkout of the policy's commit; without one, in the folder of the configuration.
    /// Their processes start with the first answer.
    ///
    /// # Errors
    /// The commit cannot be checked out, or a program is not on the PATH; the run is then incomplete.
    pub(super) async fn start(suite: &mut Suite, context: &ScorerContext<'_>) -> Result<Self, Failure> {
        let mut running = Self::default();
        if suite.settings.scorers.is_empty() && suite.settings.transform.command.is_none() {
            return Ok(running);
        }
        let path = context.environment.variable("PATH");
        if let Some(missing) = not_on_path(&suite.settings, path.as_deref()) {
            return Err(Failure::Incomplete(missing.into()));
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
            let options = WorkerOptions {
                command: settings.run.clone(),
                folder: folder.clone(),
                env: variables,
                workers: settings.workers,
                timeout: settings.timeout,
                max_line_bytes: DEFAULT_MAX_LINE_BYTES,
                label: whose,
            };
            let scorer = CommandScorer::new(options, Arc::clone(context.redactor), Arc::clone(&log));
            let scorer = Arc::new(scorer);
            let metric = settings.metric();
            for outside in suite.scorers.outside.iter_mut().filter(|outside| outside.metric == metric) {
                outside.scorer = Some(Arc::clone(&scorer) as _);
            }
            running.0.push(Running { name: settings.name.clone(), program: Program::Scorer(scorer), log });
        }
        if let Some(settings) = &suite.settings.transform.command {
            let listed = if is_unreviewed { &[][..] } else { &settings.env[..] };
            environment::warn_of_missing(listed, "the transformation", context.environment, context.sink);
            let env = environment::variables(listed, context.environment);
            let digest = digest_of_tree(&suite.policy_tree)?;
            let log = Arc::new(WorkerLog::new(Arc::clone(context.redactor)));
            let options = WorkerOptions {
                command: settings.run.clone(),
                folder,
                env: env.clone(),
                workers: settings.workers,
                timeout: settings.timeout,
                max_line_bytes: DEFAULT_MAX_LINE_BYTES,
                label: "the transformation".to_owned(),
            };
            let transform =
                Arc::new(CommandTransform::new(options, Arc::clone(context.redactor), Arc::clone(&log)));
            suite.scorers.transformer = Some(match (context.cache, digest) {
                (Some((cache, options)), Some(code)) => {
                    let identity =
                        format!("transform {code} {} {:?}", place(&suite.policy_tree), settings.run);
                    let scope = environment::scope(&identity, &env);
                    // Running the program is no call.
                    let options = CacheOptions { cached_only: false, ..*options };
                    let model = Arc::clone(&transform) as Arc<dyn ChatModel>;
                    Arc::new(Cached::new(model, Arc::clone(cache), &scope, options, Arc::new(NullSink)))
                }
                _ => Arc::clone(&transform) as Arc<dyn ChatModel>,
            });
            running.0.push(Running {
                name: "transform".to_owned(),
                program: Program::Transform(transform),
                log,
            });
        }
        Ok(running)
    }

    /// Stops the processes. Returns their standard error as the text of a log file, which is empty where there is none, and
    /// the fault of a program whose replies may be those to other answers.
    pub(super) async fn stop(self) -> (String, Option<Fault>) {
        let (mut text, mut found) = (String::new(), None);
        for Running { name, program, log } in self.0 {
            let stopped = match program {
                Program::Scorer(scorer) => scorer.shutdown().await,
                Program::Transform(transform) => transform.shutdown().await,
            };
            found = found.or(stopped.err());
            text.push_str(&log.section(&name));
        }
        (text, found)
    }
}

/// The folder of the policy's configuration in its repository: programs of one name in two folders are two programs.
fn place(tree: &Tree) -> String {
    match tree {
        Tree::Commit { repository, .. } => repository.prefix().to_owned(),
        Tree::WorkTree { root, .. } => match Repository::discover(root) {
            Ok(repository) => repository.prefix().to_owned(),
            Err(_) => root.display().to_string(),
        },
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
