//! Evaluates a suite: connect, check the judge, plan, execute, decide.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::announce::{Calling, announce};
use super::cache::{self, CacheMode};
use super::calibration::check_calibration;
use super::models::{Connection, Models};
use super::shard::{self, Part, PlanFacts, ShardChoice, ShardOutput, ShardResult};
use super::suite::{self, Suite, SuiteOptions};
use super::{CallOptions, Context, Environment, Failure, mismatch, report_files};
use crate::config::{CachedBaseline, Settings};
use promptgate_core::gate::{Bound, Policy, Requirement};
use promptgate_core::model::{Fault, JudgeFacts, Role};
use promptgate_core::port::{Event, EventSink, Spool};
use promptgate_core::text::Redactor;
use promptgate_engine::evaluate::{self, CallCounter, Evaluation, Header};
use promptgate_engine::execute::Engine;
use promptgate_report::shard::Shard;
use promptgate_report::{FileSpool, Report};

/// How a suite is run.
#[derive(Debug, Clone)]
pub(crate) struct RunOptions {
    /// Which suite.
    pub(crate) suite: SuiteOptions,
    /// How calls are made.
    pub(crate) calls: CallOptions,
    /// Which shard; `None` for the whole run.
    pub(crate) shard: Option<ShardChoice>,
    /// Stop once the verdict can only be fail.
    pub(crate) fail_fast: bool,
    /// The folder of the report.
    pub(crate) out: PathBuf,
}

/// How an evaluation ended.
pub(crate) enum Outcome {
    /// There is a decision.
    Decided(Box<Decided>),
    /// A shard: its file is written, nothing is decided.
    Shard(Box<ShardResult>),
    /// Interrupted before the first call.
    Interrupted,
}

/// A decided run whose report is not written yet.
pub(crate) struct Decided {
    /// The run, its analysis and the decision.
    pub(crate) evaluation: Evaluation,
    pub(super) policy: Policy,
    pub(super) spool: Option<Arc<FileSpool>>,
    pub(super) redactor: Arc<Redactor>,
    /// Whether the configuration lets an inconclusive verdict pass.
    pub(crate) inconclusive_passes: bool,
}

impl Decided {
    /// The report, and the redactor to write it with.
    pub(super) fn report(self, exit_code: u8) -> (Report, Arc<Redactor>) {
        let Evaluation { run, decision, .. } = self.evaluation;
        let report = Report::undecided(&run, self.policy, self.spool.as_ref());
        let report = report.decided(&decision, exit_code);
        (report, self.redactor)
    }
}

/// Loads the suite, and narrows it to the shard that is chosen; nothing is called.
pub(crate) async fn load(
    options: &RunOptions,
    environment: &Environment,
) -> Result<(Suite, Option<Shard>), Failure> {
    let shard = shard::choose(options.shard, options.suite.max_repeats, environment)?;
    if let Some(shard) = shard {
        shard::remove_stale_shard(shard, &options.out)?;
    }
    let mut suite = suite::load(&options.suite, Some(options.calls.offline), environment).await?;
    if let Some(shard) = shard {
        shard::narrow(shard, &mut suite)?;
    }
    Ok((suite, shard))
}

/// Evaluates a suite.
///
/// # Errors
/// Errors before the first call, and a shard that cannot be written.
pub(crate) async fn evaluate(
    suite: Suite,
    shard: Option<Shard>,
    options: &RunOptions,
    context: &Context,
) -> Result<Outcome, Failure> {
    let session = Session::start(shard, options, context);
    session.warn(&suite.warnings);
    let Some((suite, models)) = connect(suite, &session).await? else { return Ok(Outcome::Interrupted) };
    let judge = check_judge(&suite, &models, session.calls.offline)?;
    session.warn(&judge.warnings);
    report_files::prepare(&options.out)?;
    let cache = models.cache.clone();
    let run = PreparedRun::new(suite, models, judge, &session)?;
    run.announce(session.calls, cache.is_some());
    let outcome = run.execute(&options.out).await;
    session.warn(cache::close(cache.as_deref()).as_slice());
    outcome
}

/// One evaluation from its start.
struct Session<'a> {
    options: &'a RunOptions,
    context: &'a Context,
    shard: Option<Shard>,
    /// How calls are made, with the shard's share of the ceilings.
    calls: CallOptions,
    counter: Arc<CallCounter>,
    /// Cancelled when the run ends early.
    stop: CancellationToken,
    started: Instant,
    /// RFC 3339, UTC.
    started_at: String,
}

impl<'a> Session<'a> {
    fn start(shard: Option<Shard>, options: &'a RunOptions, context: &'a Context) -> Self {
        Self {
            options,
            context,
            shard,
            calls: CallOptions { ceilings: shard::ceilings(shard, options.calls.ceilings), ..options.calls },
            counter: Arc::new(CallCounter::new(Arc::clone(&context.events))),
            stop: CancellationToken::new(),
            started: Instant::now(),
            started_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    fn sink(&self) -> Arc<dyn EventSink> {
        Arc::clone(&self.counter) as Arc<dyn EventSink>
    }

    fn warn(&self, messages: &[String]) {
        for message in messages {
            self.context.events.emit(Event::Warning { message: message.clone() });
        }
    }
}

/// Connects on a thread of its own, since the cache may be waited for; `None` where the user interrupts.
async fn connect(suite: Suite, session: &Session<'_>) -> Result<Option<(Suite, Models)>, Failure> {
    let (sink, stop, calls) = (session.sink(), session.stop.clone(), session.calls);
    let environment = session.context.environment.clone();
    let connecting = tokio::task::spawn_blocking(move || {
        let connection = Connection {
            settings: &suite.settings,
            files: &suite.files.policy,
            environment: &environment,
            calls,
            secrets: &suite.secrets,
        };
        let models = connection.open(&sink, &stop)?;
        Ok((suite, models))
    });
    tokio::select! {
        biased;
        // Nothing was called yet, so the first signal is enough.
        () = session.context.interrupted.cancelled() => Ok(None),
        connected = connecting => match connected {
            Ok(connected) => connected.map(Some),
            Err(error) => Err(Failure::Internal(error.to_string())),
        },
    }
}

/// The judge of a run and whether it may be used.
struct CheckedJudge {
    facts: Option<JudgeFacts>,
    rejected: Option<Fault>,
    warnings: Vec<String>,
}

/// Checks the judge against its calibration and against the judge of a saved baseline.
fn check_judge(suite: &Suite, models: &Models, offline: bool) -> Result<CheckedJudge, Failure> {
    let facts = suite::judge_facts(&suite.settings, &suite.scorers.judges, &models.judge_hosts);
    let check = check_calibration(&suite.settings, &suite.files.policy, facts.as_ref(), offline)?;
    let facts = facts.map(|judge| JudgeFacts { calibration: check.facts, ..judge });
    if let Some(earlier) = &suite.earlier {
        mismatch::refuse(&earlier.file, [mismatch::judge(earlier.run.judge.as_ref(), facts.as_ref())])?;
    }
    Ok(CheckedJudge { facts, rejected: check.rejected, warnings: check.warnings })
}

/// A run before its first call.
struct PreparedRun {
    engine: Arc<Engine>,
    header: Header,
    policy: Policy,
    settings: Settings,
    earlier: Option<promptgate_core::model::Run>,
    part: Option<Part>,
    spool: Arc<FileSpool>,
    redactor: Arc<Redactor>,
    counter: Arc<CallCounter>,
    started: Instant,
    inconclusive_passes: bool,
}

impl PreparedRun {
    fn new(
        suite: Suite,
        models: Models,
        judge: CheckedJudge,
        session: &Session<'_>,
    ) -> Result<Self, Failure> {
        let Suite { mut plan, mut scorers, policy, earlier, settings, mut warnings, .. } = suite;
        scorers.judge_models = models.judging;
        let options = session.options;
        let simulated = options.calls.offline;
        let part = session.shard.map(|shard| {
            let facts = PlanFacts {
                settings: &settings,
                files: &suite.files,
                policy_source: suite.policy_source.as_ref(),
                scorers: &scorers.metrics(),
                policy: &policy,
                judge: judge.facts.as_ref(),
                endpoint: &models.scope,
                earlier: earlier.as_ref(),
                simulated,
            };
            Part::cut(shard, &mut plan, &mut scorers, &facts)
        });
        warnings.extend(judge.warnings);
        let header = Header {
            name: settings.name.clone(),
            started_at: session.started_at.clone(),
            judge: judge.facts,
            judge_rejection: judge.rejected,
            prices: settings.prices.clone(),
            simulated,
            baseline_note: suite.baseline_note,
            policy_source: suite.policy_source,
            warnings,
        };
        let spool = FileSpool::new(&options.out)
            .map_err(|error| Failure::Internal(format!("could not create a temporary file: {error}")))?;
        let spool = Arc::new(spool);
        let plan = plan.refresh(refreshed_roles(&settings, &policy));
        let engine = Engine {
            concurrency: models.concurrency,
            fail_fast: if options.fail_fast { literal_metrics(&policy) } else { BTreeSet::new() },
            spool: Some(Arc::clone(&spool) as Arc<dyn Spool>),
            interrupted: session.context.interrupted.clone(),
            stop: session.stop.clone(),
            ..Engine::new(plan, models.answering, scorers, session.sink())
        };
        Ok(Self {
            engine: Arc::new(engine),
            header,
            policy,
            settings,
            earlier: earlier.map(|earlier| earlier.run),
            part,
            spool,
            redactor: models.redactor,
            counter: Arc::clone(&session.counter),
            started: session.started,
            inconclusive_passes: suite.inconclusive_passes,
        })
    }

    /// Emits the cost estimate. `cached` says whether there is a cache.
    fn announce(&self, calls: CallOptions, cached: bool) {
        let calling = Calling {
            offline: calls.offline,
            cached,
            cached_only: calls.cache == CacheMode::CachedOnly,
            ceiling: calls.ceilings.calls.or(self.settings.budget.calls),
        };
        announce(&self.engine, self.policy.schedule(), &self.settings, calling);
    }

    async fn execute(self, folder: &Path) -> Result<Outcome, Failure> {
        let elapsed = || self.started.elapsed();
        let Some(part) = self.part else {
            let evaluation = evaluate::evaluate(
                self.engine,
                self.header,
                &self.policy,
                self.earlier,
                &self.counter,
                elapsed,
            );
            return Ok(Outcome::Decided(Box::new(Decided {
                evaluation: evaluation.await,
                policy: self.policy,
                spool: Some(self.spool),
                redactor: self.redactor,
                inconclusive_passes: self.inconclusive_passes,
            })));
        };
        let output = ShardOutput { folder, redactor: self.redactor.as_ref(), spool: &self.spool };
        let shard = part.run(&self.engine, self.header, self.earlier, &self.counter, elapsed, output);
        Ok(Outcome::Shard(Box::new(shard.await?)))
    }
}

/// The roles whose answers must not come from an earlier run: those compared by latency, and a baseline that the
/// settings want fresh.
fn refreshed_roles(settings: &Settings, policy: &Policy) -> Vec<Role> {
    let relative = |requirement: &Requirement| {
        matches!(requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. })
    };
    let by_latency = policy
        .criteria
        .iter()
        .any(|criterion| criterion.metric == "latency" && relative(&criterion.requirement));
    match (by_latency, settings.cache.baseline) {
        (true, _) => vec![Role::Candidate, Role::Baseline],
        (false, CachedBaseline::Fresh) => vec![Role::Baseline],
        (false, CachedBaseline::Reuse) => Vec::new(),
    }
}

/// The metrics on which one failing trial of the candidate makes the verdict fail.
fn literal_metrics(policy: &Policy) -> BTreeSet<String> {
    policy
        .criteria
        .iter()
        .filter(|criterion| criterion.requirement == Requirement::EveryTrial && criterion.tag.is_none())
        .map(|criterion| criterion.metric.clone())
        .collect()
}
