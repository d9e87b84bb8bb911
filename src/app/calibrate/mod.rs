//! Measures a judge against human labels.

mod figures;
mod files;
mod labels;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::calibration::{below, counted};
use super::models::{Connection, Models};
use super::sources::NamedFiles;
use super::{CallOptions, Context, Environment, Failure, cache, prices, report_files, sources, suite};
use crate::config::{self, Settings};
use promptgate_adapters::files::Tree;
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Ended, Fault, JudgeFacts, Place, Role, Run, Trial, TrialResult};
use promptgate_core::port::{ChatModel, Event, EventSink};
use promptgate_core::text::Redactor;
use promptgate_engine::calibrate::{self, JudgedAnswer, Labels, judge_all};
use promptgate_engine::evaluate::CallCounter;
use promptgate_engine::judge::Judge;
use promptgate_report::calibration::Calibration;

/// Share of answers without a grade above which nothing is measured: the rest would be those that are easy to judge.
const MAX_MISSING: f64 = 0.02;
/// The configuration of the simulated judge where there is no other.
const SIMULATED: &str = "\
version: 1
dataset: labels.jsonl
prompt: prompt.md
judge: {model: simulated}
metrics: {faithfulness: {}}
";

/// How a judge is calibrated.
#[derive(Debug, Clone)]
pub(crate) struct CalibrateOptions {
    /// The file of labels.
    pub(crate) labels: PathBuf,
    /// The configuration or its folder; `None` for the nearest one.
    pub(crate) config: Option<PathBuf>,
    /// The judged metric; `None` for faithfulness or the only one.
    pub(crate) metric: Option<String>,
    /// How calls are made.
    pub(crate) calls: CallOptions,
    /// Times that each answer is judged.
    pub(crate) repeats: u32,
    /// The rating from which people count as having passed an answer.
    pub(crate) pass_at: f64,
    /// The column whose values make the slices.
    pub(crate) by: Option<String>,
    /// A report whose scores are corrected for the judge's errors.
    pub(crate) report: Option<PathBuf>,
    /// The folder of the results.
    pub(crate) out: PathBuf,
}

/// How a calibration ended.
pub(crate) enum Outcome {
    /// The judge was measured; the files are written.
    Measured(Box<Measurement>),
    /// The judge could not be measured: the lines that say why.
    Incomplete(Vec<String>),
    /// Interrupted; nothing is written.
    Interrupted,
}

/// A measured judge.
pub(crate) struct Measurement {
    /// The figures.
    pub(crate) calibration: Calibration,
    /// The paths of the files.
    pub(crate) files: Vec<PathBuf>,
    /// Why the judge misses the minimums of the configuration; `None` where it meets them.
    pub(crate) shortfall: Option<String>,
    /// The file that could not be written.
    pub(crate) unwritten: Option<Failure>,
}

/// Inputs of a calibration, read and validated before any call.
pub(crate) struct Prepared {
    settings: Settings,
    folder: PathBuf,
    judge: Judge,
    labels: Labels,
    /// The digest of the labels' rows.
    digest: String,
    /// The run of a report to correct.
    report: Option<Run>,
    /// The path of the calibration.
    target: PathBuf,
    /// Warnings for the reader.
    pub(crate) warnings: Vec<String>,
}

/// Reads and validates everything that the calibration needs.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn prepare(options: &CalibrateOptions, environment: &Environment) -> Result<Prepared, Failure> {
    let (mut settings, folder) = configured(options)?;
    let judge = judge_of(&settings, options.metric.as_deref())?;
    prices::add_known_of_judges(&mut settings, environment);
    prices::require(&settings, options.calls.ceilings, &[], prices::judges(&settings))?;
    let (labels, digest, warnings) = labels::read(options, &settings, &judge)?;
    let report = options.report.as_deref().map(report_files::read_run).transpose()?.map(|(_, run)| run);
    let target = files::target(options, &settings, &folder, judge.name())?;
    files::prepare(&options.out)?;
    Ok(Prepared { settings, folder, judge, labels, digest, report, target, warnings })
}

/// Judges the labeled answers, measures the judge, and writes the files.
///
/// # Errors
/// Errors before the first call, and files that cannot be written.
pub(crate) async fn calibrate(
    prepared: &Prepared,
    options: &CalibrateOptions,
    context: &Context,
) -> Result<Outcome, Failure> {
    let judging = judge_labels(prepared, options, context);
    tokio::select! {
        biased;
        () = context.interrupted.cancelled() => Ok(Outcome::Interrupted),
        judgements = judging => measure(prepared, options, judgements?),
    }
}

/// The configuration, or that of the simulated judge where none is named and none exists.
fn configured(options: &CalibrateOptions) -> Result<(Settings, PathBuf), Failure> {
    let none_found = || std::env::current_dir().is_ok_and(|here| config::find(&here).is_none());
    if options.calls.offline && options.config.is_none() && none_found() {
        let settings = config::load("promptgate.yaml", SIMULATED, &check::entry_schema())?;
        return Ok((settings, PathBuf::from(".")));
    }
    let configured = sources::configured(options.config.as_deref())?;
    Ok((configured.settings, configured.location.folder))
}

fn judge_of(settings: &Settings, metric: Option<&str>) -> Result<Judge, Failure> {
    let mut judges = suite::judges(settings);
    if let Some(pairwise) = judges.iter().find(|judge| judge.is_pairwise() && metric == Some(judge.name())) {
        let message = format!(
            "`{}` cannot be calibrated: labels rate one answer each, and it compares two",
            pairwise.name()
        );
        let help = "calibrate another metric; the self-test tries it on planted pairs in both orders";
        return Err(Diagnostic::new(message).at(Place::file(&settings.file)).help(help).into());
    }
    judges.retain(|judge| !judge.is_pairwise());
    let names: Vec<String> = judges.iter().map(|judge| judge.name().to_owned()).collect();
    let index = match metric {
        Some(metric) => names.iter().position(|name| name == metric),
        None if names.len() == 1 => Some(0),
        None => names.iter().position(|name| name == "faithfulness"),
    };
    if let Some(index) = index {
        return Ok(judges.swap_remove(index));
    }
    let message = match metric {
        _ if names.is_empty() => "there is no judged metric to calibrate".to_owned(),
        Some(metric) => format!("`{metric}` is not a judged metric here"),
        None => "there are several judged metrics".to_owned(),
    };
    let help = match names.as_slice() {
        [] => "add `judge:` and `metrics:`".to_owned(),
        names => format!("name one with --metric: {}", names.join(", ")),
    };
    Err(Diagnostic::new(message).at(Place::file(&settings.file)).help(help).into())
}

/// The judgements of all labeled answers.
struct Judgements {
    facts: JudgeFacts,
    judged: Vec<JudgedAnswer>,
    calls: u64,
    /// Why they are not complete.
    ended: Option<Ended>,
}

async fn judge_labels(
    prepared: &Prepared,
    options: &CalibrateOptions,
    context: &Context,
) -> Result<Judgements, Failure> {
    let Prepared { judge, labels, settings, .. } = prepared;
    let counter = Arc::new(CallCounter::new(Arc::clone(&context.events)));
    let sink = Arc::clone(&counter) as Arc<dyn EventSink>;
    let connection = Connection {
        judged: true,
        settings,
        files: &NamedFiles::fetch(&Tree::work_tree(&prepared.folder), sources::certificates(settings)),
        environment: &context.environment,
        calls: options.calls,
        redactor: &Arc::new(Redactor::new(&sources::secrets(settings, &context.environment))),
    };
    let Models { judging, judge_hosts, concurrency, cache, .. } =
        connection.open(&sink, &CancellationToken::new())?;
    let facts = suite::judge_facts(settings, std::slice::from_ref(judge), &judge_hosts)
        .ok_or_else(|| Failure::Internal("a judge without facts".to_owned()))?;
    let judgements = labels.answers.len() * options.repeats as usize * judge.judgements();
    sink.emit(Event::Note {
        message: format!(
            "asking {} for {judgements} judgements of {} answers; Ctrl-C ends without a result",
            facts.model(),
            labels.answers.len()
        ),
    });
    let models: Vec<&dyn ChatModel> = judging.iter().map(AsRef::as_ref).collect();
    let judged =
        judge_all(judge, &models, &labels.answers, options.repeats, concurrency, sink.as_ref()).await;
    for diagnostic in
        cache::close(cache.as_ref().map(|(cache, _)| cache.as_ref())).iter().flat_map(Failure::diagnostics)
    {
        sink.emit(Event::Warning { message: diagnostic.to_string() });
    }
    let (judged, ended) = match judged {
        Ok(judged) => (judged, None),
        Err(ended) => (Vec::new(), Some(ended)),
    };
    Ok(Judgements { facts, judged, calls: counter.calls(), ended })
}

fn measure(
    prepared: &Prepared,
    options: &CalibrateOptions,
    judgements: Judgements,
) -> Result<Outcome, Failure> {
    let Prepared { judge, labels, .. } = prepared;
    if let Some(Ended::Stopped(fault)) = &judgements.ended {
        return Ok(Outcome::Incomplete(stopped(fault)));
    }
    let place = Place::file(options.report.as_deref().unwrap_or(Path::new("")).display().to_string());
    let scores = prepared.report.as_ref().map(|run| report_scores(run, judge, &judgements.facts));
    let scores = scores.transpose().map_err(|diagnostic| diagnostic.at(place))?;
    let measured = calibrate::measure(labels, &judgements.judged, options.pass_at, scores.as_deref());
    let measured = measured.filter(|_| !too_many_missing(labels, &judgements.judged, options.pass_at));
    let Some(measured) = measured else { return not_judged(labels, &judgements.judged, options) };
    let calibration = figures::calibration(prepared, options, &judgements, &measured);
    let written = files::write(options, &calibration, labels, &judgements.judged, &prepared.target);
    let (files, unwritten) = match written {
        Ok(files) => (files, None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let facts = counted(&calibration.labels.file, &calibration);
    let shortfall = prepared.settings.judge.as_ref().and_then(|judge| below(judge, &facts));
    Ok(Outcome::Measured(Box::new(Measurement { calibration, files, shortfall, unwritten })))
}

fn stopped(fault: &Fault) -> Vec<String> {
    let help = fault.help.iter().map(|help| format!("help: {help}"));
    std::iter::once(format!("INCOMPLETE  {}", fault.message)).chain(help).collect()
}

/// Whether too many answers have no grade, of all, or of those that people passed or failed: a judge that gives none for
/// bad answers alone would look better than it is.
fn too_many_missing(labels: &Labels, judged: &[JudgedAnswer], pass_at: f64) -> bool {
    [None, Some(true), Some(false)].into_iter().any(|kind| {
        let of_kind = labels
            .answers
            .iter()
            .zip(judged)
            .filter(|(answer, _)| kind.is_none() || calibrate::passes(answer, pass_at) == kind);
        let of_kind: Vec<bool> = of_kind.map(|(_, judged)| judged.score().is_none()).collect();
        let missing = of_kind.iter().filter(|missing| **missing).count();
        missing as f64 > MAX_MISSING * of_kind.len() as f64
    })
}

fn not_judged(
    labels: &Labels,
    judged: &[JudgedAnswer],
    options: &CalibrateOptions,
) -> Result<Outcome, Failure> {
    let missing = judged.iter().filter(|judged| judged.score().is_none()).count();
    let grades = judged.iter().filter_map(|judged| judged.grades.first());
    let why = grades.filter(|grade| grade.score().is_none()).map(|grade| grade.reason.as_str()).next();
    let path = files::write_judged(options, labels, judged)?;
    Ok(Outcome::Incomplete(vec![
        format!(
            "INCOMPLETE  {missing} of {} answers could not be judged, more than 2 % of one kind: {}",
            labels.answers.len(),
            why.unwrap_or("no answer is both rated and judged")
        ),
        format!("the judgements are in {}", path.display()),
    ]))
}

/// The candidate's scores in a report by the same judge: one of each case, since repeats are not independent.
fn report_scores(run: &Run, judge: &Judge, facts: &JudgeFacts) -> Result<Vec<f64>, Diagnostic> {
    let theirs = run.judge.as_ref().and_then(|judge_there| judge_there.by_metric.get(judge.name()));
    if theirs != facts.by_metric.get(judge.name()) {
        let message = format!("this report was not judged by the same judge of {}", judge.name());
        let help = "two judges can differ by more than two prompts: judge again with this one";
        return Err(Diagnostic::new(message).help(help));
    }
    let first = run.trials.iter().filter(|trial| trial.role == Role::Candidate && trial.repeat == 0);
    let score = |trial: &Trial| match &trial.result {
        TrialResult::Completed(answered) => answered.grade(judge.name())?.score,
        TrialResult::Missing(_) => None,
    };
    let graded: Vec<f64> = first.filter_map(score).collect();
    let missing = run.cases.len().saturating_sub(graded.len());
    if missing as f64 > MAX_MISSING * run.cases.len() as f64 {
        let (cases, name) = (run.cases.len(), judge.name());
        let message = format!("{missing} of {cases} cases of this report have no grade of {name}");
        let help = "missing grades may be those of bad answers: run again until the report is complete";
        return Err(Diagnostic::new(message).help(help));
    }
    Ok(graded)
}
