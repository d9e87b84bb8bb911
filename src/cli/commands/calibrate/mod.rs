//! `promptgate calibrate`: how far the judge can be trusted, by answers that people have labelled.

mod figures;
mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::cli::args::{CalibrateArguments, TableFormat};
use crate::cli::calibration::{below, counted};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::models::{self, Calls, Models};
use crate::cli::progress::Progress;
use crate::cli::suite;
use crate::cli::{answers, interrupt, output, runtime, saved};
use crate::config::{self, Settings};
use promptgate_adapters::endpoint::Ceilings;
use promptgate_adapters::load::{self, DatasetSource, LoadError, Tree};
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Ended, JudgeFacts, Place, Role, Run, TrialResult};
use promptgate_core::port::{ChatModel, EventSink};
use promptgate_engine::calibrate::{self, JudgedAnswer, Labels, judge_all};
use promptgate_engine::evaluate::CallCounter;
use promptgate_engine::judge::{Judge, Needs};
use promptgate_report::calibration::{Calibration, write};

/// More answers than this share without a grade, and the figures would be of what the judge finds easy.
const MAX_MISSING: f64 = 0.02;
/// The configuration of the simulated judge where there is no other.
const SIMULATED: &str = "\
version: 1
dataset: labels.jsonl
prompt: prompt.md
judge: {model: simulated}
metrics: {faithfulness: {}}
";

/// Judges labelled answers, measures, writes, prints.
pub(crate) fn calibrate(arguments: &CalibrateArguments) -> Result<ExitStatus, Failure> {
    let (settings, folder) = configured(arguments)?;
    let tree = Tree::work_tree(&folder);
    let judge = judge_of(&settings, arguments.metric.as_deref())?;
    let (labels, digest) = labels(arguments, &settings, &judge)?;
    let given = Given {
        report: arguments.report.as_deref().map(saved_run).transpose()?,
        target: files::target(arguments, &settings, &folder, judge.name())?,
        judge,
        labels,
        digest,
    };
    files::prepare(&arguments.out)?;
    let runtime = runtime::start()?;
    runtime.block_on(async {
        let interrupted = CancellationToken::new();
        let asked = asked(arguments, &settings, &tree, &given);
        tokio::select! {
            biased;
            () = interrupt::twice(interrupted.clone()) => Ok(ExitStatus::Interrupted),
            () = interrupted.cancelled() => {
                output::say("interrupted: nothing was written");
                Ok(ExitStatus::Interrupted)
            }
            asked = asked => conclude(arguments, &settings, &given, asked?),
        }
    })
}

/// What is read and looked at before anything is spent.
struct Given {
    judge: Judge,
    labels: Labels,
    /// The digest of the labels' rows.
    digest: String,
    /// A report to correct, and its name.
    report: Option<(String, Run)>,
    /// Where the calibration goes.
    target: PathBuf,
}

/// The configuration, or that of the simulated judge where there is none and no other is wanted.
fn configured(arguments: &CalibrateArguments) -> Result<(Settings, PathBuf), Failure> {
    match suite::configured(arguments.config.as_deref()) {
        Ok(found) => Ok((found.settings, found.folder)),
        Err(_) if arguments.offline && arguments.config.is_none() && nowhere() => {
            let settings = config::load("promptgate.yaml", SIMULATED, &check::entry_schema())?;
            Ok((settings, PathBuf::from(".")))
        }
        Err(failure) => Err(failure),
    }
}

/// Whether there is no configuration here or above.
fn nowhere() -> bool {
    std::env::current_dir().is_ok_and(|here| config::find(&here).is_none())
}

fn judge_of(settings: &Settings, metric: Option<&str>) -> Result<Judge, Failure> {
    let mut judges = suite::judges(settings);
    let names: Vec<String> = judges.iter().map(|judge| judge.name().to_owned()).collect();
    let place = || Place::file(settings.file.clone());
    let index = match metric {
        Some(metric) => names.iter().position(|name| name == metric),
        None if names.len() == 1 => Some(0),
        None => names.iter().position(|name| name == "faithfulness"),
    };
    match index {
        Some(index) => Ok(judges.swap_remove(index)),
        None if names.is_empty() => Err(Diagnostic::new("there is no judged metric to calibrate")
            .at(place())
            .help("add `judge:` and `metrics:`")
            .into()),
        None => {
            let message = match metric {
                Some(metric) => format!("`{metric}` is no judged metric here"),
                None => "there are several judged metrics".to_owned(),
            };
            let help = format!("name one with --metric: {}", names.join(", "));
            Err(Diagnostic::new(message).at(place()).help(help).into())
        }
    }
}

/// The labelled answers, and the digest of their rows.
fn labels(
    arguments: &CalibrateArguments,
    settings: &Settings,
    judge: &Judge,
) -> Result<(Labels, String), Failure> {
    let path = arguments.labels.display().to_string();
    let here = std::env::current_dir()
        .map_err(|error| Diagnostic::new(format!("the current folder cannot be read: {error}")))?;
    let source = DatasetSource {
        path: path.clone(),
        // Several rows may be ratings of one answer, so that an id is no id of a row.
        shared_ids: Some(calibrate::ID.to_owned()),
        ..DatasetSource::default()
    };
    let loaded = load::dataset(&Tree::work_tree(&here), &source).map_err(|error| match error {
        LoadError::Diagnostics(diagnostics) => Failure::from(diagnostics),
        LoadError::Empty(diagnostic) => Failure::Nothing(diagnostic),
    })?;
    output::warn(&loaded.warnings);
    let digest = loaded.value.facts.digest.clone();
    let mut labels = calibrate::labels(loaded.value.cases, arguments.by.as_deref())?;
    // A label may hold the whole answer or, as people read it, the text that the judge would see.
    for answer in labels.answers.iter_mut().filter(|answer| answer.response.trim_start().starts_with('{')) {
        let read = check::answer::extract(&answer.response, settings.answer_field.as_deref());
        answer.extracted = read.map(|text| text.to_string());
    }
    let Needs { context, expected, query } = judge.needs();
    for (field, needed) in [("context", context), ("expected", expected), ("query", query)] {
        let lacking = labels.answers.iter().find(|answer| match field {
            "context" => answer.case.context.is_none(),
            "expected" => answer.case.expected.is_none(),
            _ => answer.case.query.is_empty(),
        });
        if let Some(answer) = lacking.filter(|_| needed) {
            let message = format!("label {}: `{}` needs `{field}`", answer.id, judge.name());
            let help = "every label needs what the judge reads";
            return Err(Diagnostic::new(message).at(answer.case.place.clone()).help(help).into());
        }
    }
    if labels.answers.iter().all(|answer| answer.ratings.is_empty()) {
        let diagnostic = Diagnostic::new("no row has a label of a person").at(Place::file(path));
        return Err(Failure::Nothing(diagnostic.help("add `human`: true, false, or a number from 0 to 1")));
    }
    Ok((labels, digest))
}

/// What the judge said, and who it was.
struct Asked {
    facts: JudgeFacts,
    judged: Vec<JudgedAnswer>,
    calls: u64,
    ended: Option<Ended>,
}

async fn asked(
    arguments: &CalibrateArguments,
    settings: &Settings,
    tree: &Tree,
    Given { judge, labels, .. }: &Given,
) -> Result<Asked, Failure> {
    let progress = Arc::new(Progress::new(arguments.quiet));
    let counter = Arc::new(CallCounter::new(Arc::clone(&progress) as Arc<dyn EventSink>));
    let sink = Arc::clone(&counter) as Arc<dyn EventSink>;
    let calls = Calls {
        offline: arguments.offline,
        concurrency: arguments.concurrency,
        ceilings: Ceilings { calls: arguments.budget_calls, usd: arguments.budget_usd, time: None },
        cache: arguments.cache,
    };
    let stop = CancellationToken::new();
    let Models { judging, judge_hosts, concurrency, cache, .. } =
        models::connect(settings, tree, calls, &sink, &stop)?;
    let facts = suite::judge_facts(settings, std::slice::from_ref(judge), &judge_hosts)
        .ok_or_else(|| Failure::Internal("a judge without facts".to_owned()))?;
    let judgements = labels.answers.len() * arguments.repeats as usize * judge.judgements();
    if !arguments.quiet {
        output::say(&format!(
            "asking {} for {judgements} judgements of {} answers; Ctrl-C ends without a result",
            facts.model(),
            labels.answers.len()
        ));
    }
    let models: Vec<&dyn ChatModel> = judging.iter().map(AsRef::as_ref).collect();
    let sink: &dyn EventSink = sink.as_ref();
    let judging = judge_all(judge, &models, &labels.answers, arguments.repeats, concurrency, sink);
    let judged = tokio::select! {
        judged = judging => judged,
        never = progress.tick() => match never {},
    };
    progress.finish();
    answers::close(cache.as_deref());
    let (judged, ended) = match judged {
        Ok(judged) => (judged, None),
        Err(ended) => (Vec::new(), Some(ended)),
    };
    Ok(Asked { facts, judged, calls: counter.calls(), ended })
}

fn conclude(
    arguments: &CalibrateArguments,
    settings: &Settings,
    given: &Given,
    asked: Asked,
) -> Result<ExitStatus, Failure> {
    let Given { judge, labels, digest, report, target } = given;
    if let Some(Ended::Stopped(fault)) = &asked.ended {
        output::say(&format!("INCOMPLETE  {}", fault.message));
        if let Some(help) = &fault.help {
            output::say(&format!("help: {help}"));
        }
        return Ok(ExitStatus::Incomplete);
    }
    let elsewhere =
        report.as_ref().map(|(file, run)| elsewhere(file, run, judge, &asked.facts)).transpose()?;
    let measured = calibrate::measure(labels, &asked.judged, arguments.pass_at, elsewhere.as_deref());
    let missing = asked.judged.iter().filter(|judged| judged.score().is_none()).count();
    let all = labels.answers.len();
    // By what people say, too: a judge that fails on the bad answers alone would look better than it is.
    let too_many = [None, Some(true), Some(false)].into_iter().any(|kind| {
        let of_kind = labels
            .answers
            .iter()
            .zip(&asked.judged)
            .filter(|(answer, _)| kind.is_none() || calibrate::passes(answer, arguments.pass_at) == kind);
        let of_kind: Vec<bool> = of_kind.map(|(_, judged)| judged.score().is_none()).collect();
        let missing = of_kind.iter().filter(|missing| **missing).count();
        missing as f64 > MAX_MISSING * of_kind.len() as f64
    });
    let Some(measured) = measured.filter(|_| !too_many) else {
        let why = asked.judged.iter().filter_map(|judged| judged.grades.first());
        let why = why.filter(|grade| grade.score().is_none()).map(|grade| grade.reason.as_str()).next();
        let said = files::verdicts(arguments, labels, &asked.judged)?;
        output::say(&format!(
            "INCOMPLETE  {missing} of {all} answers could not be judged, more than 2 % of one kind: {}",
            why.unwrap_or("no answer is both rated and judged")
        ));
        output::say(&format!("what was judged is in {}", said.display()));
        return Ok(ExitStatus::Incomplete);
    };
    let calibration = figures::calibration(
        &figures::About {
            created_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            judge,
            facts: &asked.facts,
            simulated: arguments.offline,
            calls: asked.calls,
            file: &arguments.labels,
            digest: digest.clone(),
            labels,
            pass_at: arguments.pass_at,
        },
        &measured,
    );
    let written = files::write(arguments, &calibration, labels, &asked.judged, target)?;
    print(arguments, &calibration, &written)?;
    Ok(verdict(settings, &calibration))
}

/// A report with its name, read before anything is spent.
fn saved_run(path: &Path) -> Result<(String, Run), Failure> {
    let file = path.display().to_string();
    let run = saved::read(path)?.to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&file)))?;
    Ok((file, run))
}

/// The candidate's scores in a report by the same judge: one answer of each case, since repeats are no answers of
/// their own.
fn elsewhere(file: &str, run: &Run, judge: &Judge, facts: &JudgeFacts) -> Result<Vec<f64>, Failure> {
    let theirs = run.judge.as_ref().and_then(|judge_there| judge_there.by_metric.get(judge.name()));
    if theirs != facts.by_metric.get(judge.name()) {
        let message = format!("this report was not judged by the same judge of {}", judge.name());
        let help = "two judges can differ by more than two prompts: judge again with this one";
        return Err(Diagnostic::new(message).at(Place::file(file)).help(help).into());
    }
    let first = run.trials.iter().filter(|trial| trial.role == Role::Candidate && trial.repeat == 0);
    let scores: Vec<Option<f64>> = first
        .map(|trial| match &trial.result {
            TrialResult::Completed(answered) => answered.grade(judge.name()).and_then(|grade| grade.score),
            TrialResult::Missing(_) => None,
        })
        .collect();
    let graded: Vec<f64> = scores.iter().flatten().copied().collect();
    let missing = run.cases.len().saturating_sub(graded.len());
    if missing as f64 > MAX_MISSING * run.cases.len() as f64 {
        let message = format!(
            "{missing} of {} cases of this report have no grade of {}",
            run.cases.len(),
            judge.name()
        );
        let help = "what is missing may be what is bad: run again until the report is complete";
        return Err(Diagnostic::new(message).at(Place::file(file)).help(help).into());
    }
    Ok(graded)
}

fn print(
    arguments: &CalibrateArguments,
    calibration: &Calibration,
    written: &[PathBuf],
) -> Result<(), Failure> {
    let text = match arguments.format {
        TableFormat::Json => files::json(calibration)?,
        TableFormat::Terminal => {
            let mut text = Vec::new();
            write(calibration, &mut text, output::width())
                .map_err(|error| Failure::Internal(format!("could not write the table: {error}")))?;
            let mut text = String::from_utf8_lossy(&text).into_owned();
            let here = std::env::current_dir().unwrap_or_default();
            for (index, path) in written.iter().enumerate() {
                let label = if index == 0 { "files" } else { "" };
                let shown = path.strip_prefix(&here).unwrap_or(path).display();
                text.push_str(&format!("{label:5}  {shown}\n"));
            }
            text
        }
    };
    output::print(&text)
}

/// Whether the judge is as good as the configuration wants it.
fn verdict(settings: &Settings, calibration: &Calibration) -> ExitStatus {
    let facts = counted(&calibration.labels.file, calibration);
    match settings.judge.as_ref().and_then(|judge| below(judge, &facts)) {
        Some(why) => {
            output::say(&format!("FAIL  {why}"));
            ExitStatus::Fail
        }
        None => ExitStatus::Pass,
    }
}
