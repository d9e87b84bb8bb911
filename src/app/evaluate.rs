//! Evaluates a suite: connect, check the judge, plan, execute, decide.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::announce::announce;
use super::application::{self, Answering, ApplicationContext, Checkouts, Running};
use super::cache;
use super::calibration::{CalibrationCheck, check_calibration};
use super::case_cost;
use super::models::{Connection, Models};
use super::scorers::{self, RunningScorers, ScorerContext};
use super::shard::{self, Part, ShardChoice, ShardResult};
use super::suite::{self, Suite, SuiteOptions};
use super::{
    CacheMode, CallOptions, Context, Environment, Failure, mismatch, now, partial, prices, report_files, sent,
};
use crate::config::{CachedBaseline, Settings};
use promptgate_core::gate::{Bound, Policy, Requirement};
use promptgate_core::model::{Diagnostic, Fault, JudgeFacts, Place, Role};
use promptgate_core::port::{Event, EventSink, Spool};
use promptgate_core::text::Redactor;
use promptgate_engine::evaluate::{self, CallCounter, Evaluation, Header};
use promptgate_engine::execute::Engine;
use promptgate_engine::judge::Judge;
use promptgate_report::shard::Shard;
use promptgate_report::v1::Override;
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
    /// The folder whose cache several suites share; `None` for that of the configuration.
    pub(crate) shared_cache: Option<PathBuf>,
    /// Whether the report is printed for people, with the warnings, so that they are not printed before as well.
    pub(crate) prints_warnings: bool,
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
    /// Who may override the verdict of a pull request.
    pub(crate) override_by: Vec<String>,
    /// The override of the verdict.
    pub(crate) overridden: Option<Override>,
    /// Answers that could not be cached.
    pub(super) unwritten: Vec<Failure>,
}

impl Decided {
    /// A decision without texts and secrets of its own, as of saved reports and shards.
    pub(super) fn of_saved(evaluation: Evaluation, policy: Policy, inconclusive_passes: bool) -> Self {
        Self {
            evaluation,
            policy,
            spool: None,
            redactor: Arc::default(),
            inconclusive_passes,
            override_by: Vec::new(),
            overridden: None,
            unwritten: Vec::new(),
        }
    }

    /// The report, and the redactor to write it with.
    pub(super) fn report(self, exit_code: u8) -> (Report, Arc<Redactor>) {
        let Evaluation { mut run, decision, .. } = self.evaluation;
        sent::redact_prompts(&mut run, &self.redactor);
        let report = Report::undecided(&run, self.policy, self.spool.as_ref());
        let report = report.decided(&decision, exit_code);
        let report = match self.overridden {
            Some(overridden) => report.overridden(overridden),
            None => report,
        };
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
    require_prices(&suite, options.calls)?;
    if let Some(folder) = &options.shared_cache {
        suite.settings.cache.share(folder);
    }
    if let Some(shard) = shard {
        shard::narrow(shard, &mut suite)?;
    }
    Ok((suite, shard))
}

/// Requires the prices of all models that are called where there is a limit in US dollars.
fn require_prices(suite: &Suite, calls: CallOptions) -> Result<(), Failure> {
    let variants = [Some(suite.plan.candidate()), suite.plan.baseline()].into_iter().flatten();
    let judges = prices::judges(&suite.settings).filter(|_| !suite.scorers.judges.is_empty());
    let answering: Vec<&str> = variants.map(|variant| variant.facts.model.as_str()).collect();
    prices::require(
        &suite.settings,
        calls.ceilings,
        &answering,
        judges.chain(prices::embeddings(&suite.settings)),
    )
}

/// Refuses to send keys to the hosts that a change names, where the policy is from elsewhere and there is none; and an
/// application that the commit of its baseline does not have.
///
/// # Errors
/// Such a suite; it is incomplete.
pub(crate) fn refuse_new_suite(suite: &Suite, options: &RunOptions) -> Result<(), Failure> {
    if let Some(missing) = suite.missing_program().filter(|_| options.calls.cache != CacheMode::CachedOnly) {
        return Err(Failure::Incomplete(missing.clone().into()));
    }
    let Some(source) = suite.policy_source.as_ref().filter(|source| source.new) else { return Ok(()) };
    if options.calls.offline || options.calls.cache == CacheMode::CachedOnly {
        return Ok(());
    }
    let message = format!(
        "new suite: {} has no configuration here, so this change would choose the host that gets the key",
        source.spec
    );
    let help = "review and merge the configuration by itself; or leave `--policy-from` out, to evaluate it by its own \
                policy with the key";
    Err(Failure::Incomplete(Diagnostic::new(message).at(Place::file("--policy-from")).help(help).into()))
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
    let warnings = suite.warnings.clone();
    let is_printed = options.prints_warnings && shard.is_none();
    if !is_printed {
        session.warn(&warnings);
    }
    let outcome = connect_and_execute(suite, shard, &session).await;
    if is_printed && !matches!(outcome, Ok(Outcome::Decided(_))) {
        session.warn(&warnings);
    }
    outcome
}

async fn connect_and_execute(
    suite: Suite,
    shard: Option<Shard>,
    session: &Session<'_>,
) -> Result<Outcome, Failure> {
    let options = session.options;
    let Some((mut suite, models)) = connect(suite, session).await? else { return Ok(Outcome::Interrupted) };
    let (judge, check) = check_judge(&suite, &models, session.calls.offline)?;
    if shard.is_some() || !options.prints_warnings {
        session.warn(&check.warnings);
    }
    check.correct(&suite.settings, &mut suite.policy);
    suite.warnings.extend(check.warnings);
    report_files::prepare(&options.out)?;
    let part = shard.map(|shard| {
        Part::cut(shard, &mut suite, judge.as_ref(), &models.scope, session.calls.offline)
            .read_from(shard::source(options.shard, &session.context.environment))
    });
    let cache = models.cache.as_ref().map(|(cache, _)| Arc::clone(cache));
    let checkouts = Checkouts::new(&suite.files.folder, &suite.settings);
    let Some(running) = start_applications(&mut suite, &models, &checkouts, session).await? else {
        return Ok(Outcome::Interrupted);
    };
    let Some(scorers) = start_scorers(&mut suite, &models, &checkouts, session).await? else {
        return Ok(Outcome::Interrupted);
    };
    let answering = running.models(&models, suite.plan.baseline().is_some());
    let mut outcome = execute(suite, models, answering, (judge, check.rejected), part, session).await;
    let (log, fault) = running.stop().await;
    let (scorers_log, fault_of_scorer) = scorers.stop().await;
    let fault = fault.or(fault_of_scorer);
    let logs = [(application::LOG, log), (scorers::LOG, scorers_log)];
    let mut unwritten: Vec<Failure> =
        logs.iter().filter_map(|(name, log)| application::write_log(&options.out, name, log).err()).collect();
    if let Some(fault) = fault {
        if let Some(shard) = shard {
            shard::remove_stale_shard(shard, &options.out)?;
        }
        let help = "write one line for each case, and echo its `id`: a line too many moves the answers of later cases";
        return Err(Failure::Incomplete(
            Diagnostic::new(fault.message).help(fault.help.unwrap_or(help.to_owned())).into(),
        ));
    }
    // Reported after the verdict, which does not change.
    unwritten.extend(cache::close(cache.as_deref()));
    match &mut outcome {
        Ok(Outcome::Decided(decided)) => decided.unwritten = unwritten,
        Ok(Outcome::Shard(shard)) => shard.unwritten = unwritten,
        Ok(Outcome::Interrupted) | Err(_) => {}
    }
    outcome
}

/// One evaluation from its start.
struct Session<'a> {
    options: &'a RunOptions,
    context: &'a Context,
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
            calls: CallOptions { ceilings: shard::ceilings(shard, options.calls.ceilings), ..options.calls },
            counter: Arc::new(CallCounter::new(Arc::clone(&context.events))),
            stop: CancellationToken::new(),
            started: Instant::now(),
            started_at: now(),
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
            judged: !suite.scorers.judges.is_empty(),
            files: &suite.files,
            environment: &environment,
            calls,
            redactor: &suite.redactor,
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

/// Checks the judge against its calibration and against the judge of a saved baseline.
fn check_judge(
    suite: &Suite,
    models: &Models,
    offline: bool,
) -> Result<(Option<JudgeFacts>, CalibrationCheck), Failure> {
    let facts = suite::judge_facts(&suite.settings, &suite.scorers.judges, &models.judge_hosts);
    let mut check = check_calibration(&suite.settings, &suite.files, facts.as_ref(), offline)?;
    let facts = facts.map(|judge| JudgeFacts { calibration: check.facts.take(), ..judge });
    if let Some(earlier) = &suite.earlier {
        mismatch::refuse(&earlier.file, [mismatch::judge(earlier.run.judge.as_ref(), facts.as_ref())])?;
    }
    Ok((facts, check))
}

/// Starts the applications of the variants; `None` where the user interrupts.
async fn start_applications(
    suite: &mut Suite,
    models: &Models,
    checkouts: &Checkouts,
    session: &Session<'_>,
) -> Result<Option<Running>, Failure> {
    let applications = std::mem::take(&mut suite.applications);
    // Nothing is called.
    if suite.rejection.is_some() {
        return Ok(Some(Running::default()));
    }
    let context = ApplicationContext {
        environment: &session.context.environment,
        sink: session.sink(),
        stop: session.stop.clone(),
        models,
        cache_mode: session.calls.cache,
        checkouts,
    };
    tokio::select! {
        biased;
        () = session.context.interrupted.cancelled() => Ok(None),
        running = Running::start(applications, &context) => running.map(Some),
    }
}

/// Prepares the scorers by command; `None` where the user interrupts.
async fn start_scorers(
    suite: &mut Suite,
    models: &Models,
    checkouts: &Checkouts,
    session: &Session<'_>,
) -> Result<Option<RunningScorers>, Failure> {
    if suite.rejection.is_some() {
        return Ok(Some(RunningScorers::default()));
    }
    let sink = session.sink();
    let context = ScorerContext {
        environment: &session.context.environment,
        sink: &*sink,
        redactor: &models.redactor,
        checkouts,
        cache: models.cache.as_ref(),
    };
    tokio::select! {
        biased;
        () = session.context.interrupted.cancelled() => Ok(None),
        running = RunningScorers::start(suite, &context) => running.map(Some),
    }
}

/// Executes a suite, or its part of a shard, and decides, or writes the shard.
async fn execute(
    suite: Suite,
    models: Models,
    answering: Answering,
    (judge, judge_rejection): (Option<JudgeFacts>, Option<Fault>),
    part: Option<Part>,
    session: &Session<'_>,
) -> Result<Outcome, Failure> {
    let simulated = suite.is_simulated(session.calls.offline);
    let (inconclusive_passes, override_by) = (suite.inconclusive_passes(), suite.override_by());
    let too_dear = suite
        .case_cost
        .as_ref()
        .and_then(|limit| case_cost::estimate(limit, &suite.plan).and_then(|times| limit.fault(times)));
    let case_cost = suite.case_cost;
    let Suite { plan, mut scorers, policy, earlier, settings, warnings, .. } = suite;
    scorers.judge_models = models.judging;
    if let Some(embeddings) = &mut scorers.embeddings {
        embeddings.model = models.embedding;
    }
    let spool = FileSpool::new(&session.options.out)
        .map_err(|error| Failure::writing("a temporary file beside the report", &error))?;
    let spool = Arc::new(spool);
    let earlier = earlier.map(|earlier| earlier.run);
    let requests = sent::spill(&plan, earlier.as_ref(), &spool)?;
    let header = Header {
        name: settings.name.clone(),
        started_at: session.started_at.clone(),
        judge,
        rejection: suite.rejection.or(too_dear).or(judge_rejection),
        prices: settings.prices.clone(),
        simulated,
        baseline_note: suite.baseline_note,
        policy_source: suite.policy_source,
        release: suite.release,
        requests,
        notices: suite.notices,
        warnings,
    };
    let plan = plan.refresh(refreshed_roles(&settings, &policy));
    let compares = scorers.judges.iter().any(Judge::is_pairwise);
    let reused_baseline = match earlier.as_ref().filter(|_| compares) {
        Some(earlier) => {
            let ids = plan.dataset().cases.iter().map(|case| case.id.as_str());
            evaluate::baseline_trials(ids, earlier, policy.schedule().last())
        }
        None => Vec::new(),
    };
    let engine = Arc::new(Engine {
        transform: settings.transform.answer.clone(),
        concurrency: models.concurrency,
        case_cost,
        fail_fast: if session.options.fail_fast { literal_metrics(&policy) } else { BTreeSet::new() },
        cached_only: session.calls.cache == CacheMode::CachedOnly,
        spool: Some(Arc::clone(&spool) as Arc<dyn Spool>),
        interrupted: session.context.interrupted.clone(),
        stop: session.stop.clone(),
        baseline_model: answering.baseline,
        reused_baseline,
        ..Engine::new(plan, answering.candidate, scorers, session.sink())
    });
    if header.rejection.is_none() {
        announce(&engine, policy.schedule(), &settings, session.calls, models.cache.is_some());
    }
    let (counter, elapsed) = (&session.counter, || session.started.elapsed());
    if let Some(part) = part {
        let shard_run = part.shard_run(earlier.as_ref());
        let mut run = evaluate::execute_shard(&engine, header, shard_run, counter, elapsed).await;
        sent::redact_prompts(&mut run, &models.redactor);
        let written = part.write(&run, &spool, &models.redactor, &session.options.out)?;
        return Ok(Outcome::Shard(Box::new(written)));
    }
    let mut evaluation = evaluate::evaluate(engine, header, &policy, earlier, counter, elapsed).await;
    partial::withhold_pass(&mut evaluation);
    let (spool, redactor) = (Some(spool), models.redactor);
    Ok(Outcome::Decided(Box::new(Decided {
        evaluation,
        policy,
        spool,
        redactor,
        inconclusive_passes,
        override_by,
        overridden: None,
        unwritten: Vec::new(),
    })))
}

/// The roles whose answers must not come from an earlier run: those compared by their times, and a baseline that the
/// settings want fresh.
fn refreshed_roles(settings: &Settings, policy: &Policy) -> Vec<Role> {
    let relative = |requirement: &Requirement| {
        matches!(requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. })
    };
    let by_time = policy.criteria.iter().any(|criterion| {
        ["latency", "ttft"].contains(&criterion.metric.as_str()) && relative(&criterion.requirement)
    });
    match (by_time, settings.cache.baseline) {
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
