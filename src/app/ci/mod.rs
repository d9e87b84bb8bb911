//! The gate of a pull request, as a CI system runs it.
//!
//! [`gate`] finds the base of the event and loads the suite, [`outputs`] writes the files and the log of the job.

mod base;
mod environment;
pub(crate) mod facts;
mod linked;
mod messages;
mod new_suite;
pub(crate) mod outputs;
pub(crate) mod overrides;
mod removed;
mod shards;
mod telemetry;
mod unchanged;

use std::path::{Path, PathBuf};

use super::cache::CacheMode;
use super::evaluate::{self, Decided, RunOptions};
use super::report_files::Reported;
use super::shard::ShardResult;
use super::sources::{self, Configured, ReleaseMode};
use super::suite::Suite;
use super::{Environment, Failure, keys, shard};
use base::Base;
pub(crate) use new_suite::{NewSuite, OnNewSuite};
use promptgate_adapters::git::Repository;
use promptgate_adapters::github::Event;
use promptgate_report::Disclose;
use promptgate_report::shard::Shard;
pub(crate) use removed::{removal, removed_since, removed_suites};
pub(crate) use telemetry::receiver;
use unchanged::Comparison;
pub(in crate::app) use unchanged::is_suite_of;

/// Value of `--policy-from` that selects the change's own policy.
const OWN_POLICY: &str = "head";

/// How the gate of a pull request runs.
#[derive(Debug, Clone)]
pub(crate) struct CiOptions {
    /// The run.
    pub(crate) run: RunOptions,
    /// Join the shards in this folder instead of running the suite.
    pub(crate) merge: Option<PathBuf>,
    /// Whether a run without a key is skipped.
    pub(crate) on_missing_credentials: OnMissingCredentials,
    /// The result of a suite that the base does not have; `None` for `fail` where the base has any, else `skip`.
    pub(crate) on_new_suite: Option<OnNewSuite>,
    /// How much text the comment and the summary show; `None` for the default of the repository.
    pub(crate) disclose: Option<Disclose>,
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
    /// The first and the last line of a prompt that is part of the configuration.
    prompt_lines: Option<(usize, usize)>,
    folder: PathBuf,
    /// Which shard this is; `None` for the whole run.
    shard: Option<Shard>,
    /// Whether shards were joined, each with a fixed number of repeats.
    is_merge: bool,
    /// Who may override the verdict.
    override_by: Vec<String>,
}

impl CiContext {
    /// Notes who may override the verdict of a decided run.
    pub(crate) fn set_override_by(&mut self, logins: &[String]) {
        self.override_by = logins.to_vec();
    }

    fn set_files(&mut self, configured: &Configured) {
        self.folder.clone_from(&configured.location.folder);
        let file = Path::new(&configured.settings.file).file_name().unwrap_or_default();
        let prompt = &configured.settings.prompt;
        self.files = vec![prompt.path().to_owned(), file.to_string_lossy().into_owned()];
        if let Some(inline) = prompt.inline() {
            self.files.remove(0);
            self.prompt_lines = inline.place.line.map(|first| (first, inline.last_line));
        }
    }

    /// The repository of the configuration, if it is in one.
    fn repository(&self) -> Option<Repository> {
        (!self.files.is_empty()).then(|| Repository::discover(&self.folder).ok()).flatten()
    }
}

/// The next step of the gate.
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
        /// Whether that is allowed; else the verdict is incomplete.
        skipped: bool,
    },
    /// The base has no policy for the suite, so no key is used.
    NewSuite {
        /// The suite.
        of: Uncalled,
        /// Why, and what follows.
        new: NewSuite,
    },
    /// There is no verdict.
    Failed(Failure),
}

impl Outcome {
    /// Failures to write the report, the shard and the cache.
    pub(crate) fn unwritten(&self) -> &[Failure] {
        match self {
            Self::Reported(reported) => &reported.unwritten,
            Self::Shard(shard) => shard.unwritten.as_slice(),
            Self::Interrupted
            | Self::Unchanged(_)
            | Self::NoKey { .. }
            | Self::NewSuite { .. }
            | Self::Failed(_) => &[],
        }
    }
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
pub(crate) async fn gate(
    options: &CiOptions,
    environment: &Environment,
    context: &mut CiContext,
) -> Result<Gate, Failure> {
    let event = environment.event()?;
    context.event.clone_from(&event);
    let mut run = options.run.clone();
    let variable = |name: &str| environment.variable(name);
    if let Some(folder) = &options.merge {
        context.is_merge = true;
        return shards::merge(folder, options, context, &variable);
    }
    context.shard = shard::choose(run.shard, run.suite.max_repeats, environment)?;
    let configured = sources::configured(run.suite.config.as_deref())?;
    context.set_files(&configured);
    linked::refuse_working_directory(environment)?;
    // Who names a policy does not trust the change, which must not choose its base either.
    let trusted = run.suite.policy_from.as_ref().is_some_and(|spec| spec != OWN_POLICY);
    let mut base = base::find(event.as_ref(), &configured.location.folder, &variable, trusted)?;
    let is_change = event.as_ref().is_some_and(|event| event.kind.is_change());
    let repository = context.repository();
    if is_change {
        base.known.evaluated.clone_from(&base.head);
        if let (Some(repository), Some(commit), Some(head)) = (&repository, &base.known.commit, &base.head) {
            linked::refuse(repository, base.policy.as_ref().unwrap_or(commit), head)?;
        }
    }
    run.suite.merge_base = Some(base.known.clone());
    run.suite.release = ReleaseMode::ByLevel;
    run.suite.base_repository = is_change.then(|| environment.base_repository()).flatten();
    run.suite.policy_from = match run.suite.policy_from.take() {
        Some(spec) => Some(spec).filter(|spec| spec != OWN_POLICY),
        None if is_change => Some(match &base.policy {
            Some(commit) => format!("git:{commit}"),
            None => unchanged::BASE.to_owned(),
        }),
        None => None,
    };
    let base = context.base.insert(base);
    let (suite, shard) = evaluate::load(&run, environment).await?;
    match unchanged::compare(&suite, &run, base, environment).await {
        Comparison::Unchanged => return Ok(Gate::Ended(Outcome::Unchanged(Uncalled::suite(&suite)))),
        Comparison::WithItself => return Err(unchanged::nothing_to_compare(base)),
        Comparison::Differs => {}
    }
    if let Some(new) = new_suite::find(&suite, &run, options.on_new_suite, repository.as_ref(), base)? {
        return Ok(Gate::Ended(Outcome::NewSuite { of: Uncalled::suite(&suite), new }));
    }
    let variables = missing_keys(&suite, &run, environment);
    if !variables.is_empty() {
        let skipped = options.on_missing_credentials == OnMissingCredentials::Skip;
        return Ok(Gate::Ended(Outcome::NoKey { of: Uncalled::suite(&suite), variables, skipped }));
    }
    Ok(Gate::Evaluate { suite: Box::new(suite), shard, options: Box::new(run) })
}

/// The variables of required keys that are not set.
fn missing_keys(suite: &Suite, run: &RunOptions, environment: &Environment) -> Vec<String> {
    if run.calls.offline || run.calls.cache == CacheMode::CachedOnly {
        return Vec::new();
    }
    keys::missing_keys(&suite.settings, environment, !suite.scorers.judges.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::of(variables)
    }

    fn options(folder: &Path) -> CiOptions {
        let run = RunOptions {
            suite: testing::options(folder),
            calls: super::super::CallOptions::default(),
            shard: None,
            fail_fast: false,
            out: folder.join("out"),
            shared_cache: None,
            prints_warnings: true,
        };
        CiOptions {
            run,
            merge: None,
            on_missing_credentials: OnMissingCredentials::Fail,
            on_new_suite: None,
            disclose: None,
        }
    }

    fn gate_of(folder: &Path, variables: &[(&str, &str)]) -> (Result<Gate, Failure>, CiContext) {
        let mut context = CiContext::default();
        let environment = environment(variables);
        let gate = testing::block_on(gate(&options(folder), &environment, &mut context));
        (gate, context)
    }

    #[test]
    fn missing_key_ends_the_gate_before_any_call() {
        let folder = testing::folder();
        let (gate, context) = gate_of(folder.path(), &[]);
        let Ok(Gate::Ended(outcome)) = gate else { panic!("the gate has a key") };
        let Outcome::NoKey { variables, .. } = &outcome else { panic!("no missing key") };
        assert_eq!(variables, &["OPENAI_API_KEY"]);
        let text = messages::log_line(&outcome, &context, 80);
        assert!(text.starts_with("INCOMPLETE: no key"), "{text}");
        let skipped = messages::verdict(&outcome, true);
        assert_eq!(skipped, (facts::Verdict::Incomplete, Some("missing_credentials")));
    }

    #[test]
    fn suite_with_a_key_is_evaluated() {
        let folder = testing::folder();
        let (gate, context) = gate_of(folder.path(), &[("OPENAI_API_KEY", "sk-test")]);
        let Ok(Gate::Evaluate { suite, shard: None, .. }) = gate else { panic!("not evaluated") };
        assert_eq!(suite.plan.dataset().cases.len(), 3);
        assert_eq!(context.files, ["prompt.md", "promptgate.yaml"]);
    }

    #[test]
    fn pull_request_target_is_refused() {
        let folder = testing::folder();
        testing::write(folder.path(), "event.json", "{}");
        let path = folder.path().join("event.json").display().to_string();
        let variables = [("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_EVENT_PATH", path.as_str())];
        let Err(failure) = gate_of(folder.path(), &variables).0 else { panic!("not refused") };
        assert!(failure.diagnostics()[0].message.contains("pull_request_target"), "{failure:?}");
    }

    #[test]
    fn outputs_of_a_failure_have_its_reason_and_exit_code() {
        let folder = testing::folder();
        let options = options(folder.path());
        std::fs::create_dir(&options.run.out).unwrap();
        let outcome = Outcome::Failed(Failure::Internal("disk full".to_owned()));
        let context = CiContext::default();
        let part = outputs::Part { outcome: &outcome, context: &context, exit_code: 1 };
        let log = outputs::write_all(part, &options, &environment(&[]), 80);
        assert!(log.warnings.is_empty() && log.unwritten.is_empty());
        let text = std::fs::read_to_string(options.run.out.join(facts::NAME)).unwrap();
        let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&facts["verdict"], &facts["exit_code"]), (&"error".into(), &1.into()));
        assert_eq!((&facts["reason"], &facts["comment"]), (&"internal".into(), &"comment.md".into()));
    }
}
