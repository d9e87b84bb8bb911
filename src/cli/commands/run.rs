//! `promptgate run`: the gate.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::cli::announce::{Calling, announce};
use crate::cli::args::{Inconclusive, RunArguments};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::models::Calls;
use crate::cli::models::{self, Models};
use crate::cli::progress::Progress;
use crate::cli::suite::{self, Suite};
use crate::cli::{answers, calibration, interrupt, mismatch, output, policy, runtime, saved, shard};
use crate::config::{CachedBaseline, Settings};
use promptgate_adapters::endpoint::Ceilings;
use promptgate_core::gate::{Bound, Policy, Requirement};
use promptgate_core::model::{JudgeFacts, Role};
use promptgate_core::port::{EventSink, Spool};
use promptgate_core::text::Redactor;
use promptgate_engine::evaluate::{self, CallCounter, Evaluation, Header};
use promptgate_engine::execute::Engine;
use promptgate_report::Report;
use promptgate_report::shard::Shard;
use promptgate_report::spool::FileSpool;

/// A run that came to its end; its files are written.
pub(super) struct Finished {
    /// How the process is to end.
    pub(super) status: ExitStatus,
    /// The report; `None` for a shard, which decides nothing, and for a run that was cut short.
    pub(super) report: Option<Report>,
    /// Knows the secrets of the run.
    pub(super) redactor: Arc<Redactor>,
    /// The files of the report.
    pub(super) files: Vec<PathBuf>,
}

impl Finished {
    fn without_report(status: ExitStatus) -> Self {
        Self { status, report: None, redactor: Arc::default(), files: Vec::new() }
    }
}

/// Loads, asks, grades, decides, reports.
pub(crate) fn run(arguments: &RunArguments) -> Result<ExitStatus, Failure> {
    let (suite, shard) = load(arguments)?;
    let Finished { status, report, redactor, files } = carry_out(suite, shard, arguments)?;
    if let Some(report) = report {
        saved::print(&report, arguments.format, &redactor, &files)?;
    }
    Ok(status)
}

/// Loads the suite; nothing is asked yet.
pub(super) fn load(arguments: &RunArguments) -> Result<(Suite, Option<Shard>), Failure> {
    let shard = shard::asked(arguments)?;
    if let Some(shard) = shard {
        shard::forget_earlier(shard, &arguments.out)?;
    }
    let mut suite = suite::load(&arguments.suite, Some(arguments.offline))?;
    if let Some(shard) = shard {
        shard::take(shard, &mut suite)?;
    }
    Ok((suite, shard))
}

/// Asks, grades, decides, and writes the report or the shard.
pub(super) fn carry_out(
    suite: Suite,
    shard: Option<Shard>,
    arguments: &RunArguments,
) -> Result<Finished, Failure> {
    if !arguments.quiet {
        output::warn(&suite.warnings);
    }
    let runtime = runtime::start()?;
    let inconclusive_passes = match arguments.inconclusive {
        Some(choice) => choice == Inconclusive::Pass,
        None => suite.inconclusive_passes,
    };
    let finished = runtime.block_on(async {
        let interrupted = CancellationToken::new();
        let twice = interrupt::twice(interrupted.clone());
        tokio::pin!(twice);
        let owned = arguments.clone();
        let preparing = tokio::task::spawn_blocking(move || {
            Asking::prepare(&suite, shard, &owned).map(|asking| (suite, asking))
        });
        let (suite, asking) = tokio::select! {
            // First, so that it listens before the run says a word.
            biased;
            () = &mut twice => return Ok(None),
            // Nothing was asked yet, so the first signal is enough.
            () = interrupted.cancelled() => return Ok(None),
            prepared = preparing => prepared.map_err(|error| Failure::Internal(error.to_string()))??,
        };
        tokio::select! {
            biased;
            () = twice => Ok(Some(Finished::without_report(ExitStatus::Interrupted))),
            result = evaluate_and_report(suite, asking, arguments, shard, interrupted, inconclusive_passes) => {
                result.map(Some)
            }
        }
    })?;
    Ok(finished.unwrap_or_else(|| {
        // A thread may still wait for the cache.
        runtime.shutdown_background();
        Finished::without_report(ExitStatus::Interrupted)
    }))
}

/// What is there before the first call.
struct Asking {
    started: Instant,
    started_at: String,
    progress: Arc<Progress>,
    counter: Arc<CallCounter>,
    sink: Arc<dyn EventSink>,
    stop: CancellationToken,
    /// The ceiling of calls that a flag sets.
    calls: Option<u64>,
    models: Models,
}

impl Asking {
    fn prepare(suite: &Suite, shard: Option<Shard>, arguments: &RunArguments) -> Result<Self, Failure> {
        let started = Instant::now();
        let started_at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let progress = Arc::new(Progress::new(arguments.quiet));
        let counter = Arc::new(CallCounter::new(Arc::clone(&progress) as Arc<dyn EventSink>));
        let sink = Arc::clone(&counter) as Arc<dyn EventSink>;
        let stop = CancellationToken::new();
        let calls = Calls {
            offline: arguments.offline,
            concurrency: arguments.concurrency,
            ceilings: shard::ceilings(
                shard,
                Ceilings {
                    calls: arguments.budget_calls,
                    usd: arguments.budget_usd,
                    time: arguments.deadline,
                },
            ),
            cache: arguments.cache,
        };
        let ceiling = calls.ceilings.calls;
        let models = models::connect(&suite.settings, &suite.files.policy, calls, &sink, &stop)?;
        Ok(Self { started, started_at, progress, counter, sink, stop, calls: ceiling, models })
    }
}

async fn evaluate_and_report(
    suite: Suite,
    asking: Asking,
    arguments: &RunArguments,
    shard: Option<Shard>,
    interrupted: CancellationToken,
    inconclusive_passes: bool,
) -> Result<Finished, Failure> {
    let Asking { started, started_at, progress, counter, sink, stop, calls, models } = asking;
    let Models { answering, scope, judging, judge_hosts, redactor, concurrency, cache } = models;
    let Suite {
        mut plan,
        mut scorers,
        policy,
        earlier,
        baseline_note,
        policy_source,
        settings,
        mut warnings,
        files,
        ..
    } = suite;
    scorers.judge_models = judging;
    let judge = suite::judge_facts(&settings, &scorers.judges, &judge_hosts);
    let standing = calibration::standing(&settings, &files.policy, judge.as_ref(), arguments.offline)?;
    if !arguments.quiet {
        output::warn(&standing.warnings);
    }
    warnings.extend(standing.warnings);
    let judge = judge.map(|judge| JudgeFacts { calibration: standing.facts, ..judge });
    if let Some(earlier) = &earlier {
        mismatch::refuse(&earlier.file, [mismatch::judge(earlier.run.judge.as_ref(), judge.as_ref())])?;
    }
    saved::prepare(&arguments.out)?;
    let part = shard.map(|shard| {
        let facts = shard::Facts {
            settings: &settings,
            files: &files,
            policy_source: policy_source.as_ref(),
            scorers: &scorers.metrics(),
            policy: &policy,
            judge: judge.as_ref(),
            endpoint: &scope,
            earlier: earlier.as_ref(),
            simulated: arguments.offline,
        };
        shard::Part::cut(shard, &mut plan, &mut scorers, &facts)
    });
    let fail_fast = if arguments.fail_fast { literal_metrics(&policy) } else { Default::default() };
    let header = Header {
        name: settings.name.clone(),
        started_at,
        judge,
        judge_rejection: standing.unfit,
        prices: settings.prices.clone(),
        simulated: arguments.offline,
        baseline_note,
        policy_source,
        warnings,
    };
    let plan = plan.refresh(needed_refresh(&settings, &policy));
    let spool = FileSpool::new(&arguments.out)
        .map_err(|error| Failure::Internal(format!("no temporary file can be made: {error}")))?;
    let spool = Arc::new(spool);
    let engine = Arc::new(Engine {
        plan,
        model: answering,
        scorers,
        concurrency,
        fail_fast,
        spool: Some(Arc::clone(&spool) as Arc<dyn Spool>),
        names: Mutex::default(),
        sink,
        interrupted,
        stop,
    });
    let ceiling = calls.or(settings.budget.calls);
    let cached_only = arguments.cache.cached_only;
    let calling = Calling { offline: arguments.offline, cached: cache.is_some(), cached_only, ceiling };
    announce(&engine, policy.schedule(), &settings, (!arguments.quiet).then_some(calling));
    let elapsed = || started.elapsed();
    let earlier = earlier.map(|earlier| earlier.run);
    if let Some(part) = part {
        let to = (arguments, redactor.as_ref(), &spool);
        let status = part.carry_out(&engine, header, earlier, (&counter, &progress), elapsed, to).await;
        answers::close(cache.as_deref());
        return status.map(Finished::without_report);
    }
    let evaluation = evaluate::evaluate(engine, header, &policy, earlier, &counter, elapsed);
    let Evaluation { run, analysis, decision } = tokio::select! {
        evaluation = evaluation => evaluation,
        never = progress.tick() => match never {},
    };
    progress.finish();
    answers::close(cache.as_deref());
    let status = ExitStatus::of(&run, decision.verdict, inconclusive_passes, arguments.advisory);
    let mut report =
        Report::spilled(&run, &analysis, &decision, policy::saved(&policy), status.code(), Some(&spool));
    drop((run, analysis, decision));
    let files = saved::write(&mut report, &arguments.out, &redactor)?;
    Ok(Finished { status, report: Some(report), redactor, files })
}

/// The sides whose answers must be of this session: what is compared by its latency, and what is said to be.
fn needed_refresh(settings: &Settings, policy: &Policy) -> Vec<Role> {
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
fn literal_metrics(policy: &Policy) -> std::collections::BTreeSet<String> {
    policy
        .criteria
        .iter()
        .filter(|criterion| criterion.requirement == Requirement::EveryTrial && criterion.tag.is_none())
        .map(|criterion| criterion.metric.clone())
        .collect()
}
