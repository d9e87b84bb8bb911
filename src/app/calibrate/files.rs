//! The files of a calibration: figures, all judgements, and disagreements of judge and people.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::CalibrateOptions;
use crate::app::Failure;
use crate::app::files::{pretty_json, temporary, write_whole};
use crate::config::Settings;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::is_out_of_space;
use promptgate_engine::calibrate::{JudgedAnswer, LabeledAnswer, Labels, passes};
use promptgate_report::calibration::{self, Calibration};

/// The file of the figures in the folder of `--out`.
const FIGURES: &str = "calibration.json";

/// Creates the folder and tries to write there, before the calibration costs anything.
pub(super) fn prepare(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).and_then(|()| temporary(folder)).map_err(|error| {
        if is_out_of_space(&error) {
            return Failure::writing(&format!("a calibration into {}", folder.display()), &error);
        }
        Diagnostic::new(format!("no calibration can be written here: {error}"))
            .at(Place::file(folder.display().to_string()))
            .help("name a folder that can be written to with `--out`")
            .into()
    })?;
    Ok(())
}

/// The path of the calibration: the file that the configuration names, else one in the folder of `--out`.
///
/// # Errors
/// A path outside the folder of the configuration. An existing file that must not be overwritten: another kind of file,
/// the calibration of another metric, or that of a real judge where the simulated one is measured.
pub(super) fn target(
    options: &CalibrateOptions,
    settings: &Settings,
    folder: &Path,
    metric: &str,
) -> Result<PathBuf, Failure> {
    let named = settings.judge.as_ref().and_then(|judge| judge.calibration.as_ref());
    // The file of the configuration is about the real judge.
    let named = named.filter(|_| !options.calls.offline).map(|path| path.value.clone());
    let target = named.as_ref().map_or_else(|| options.out.join(FIGURES), |path| folder.join(path));
    let refused = |message: String, help: &str| {
        Failure::from(Diagnostic::new(message).at(Place::file(target.display().to_string())).help(help))
    };
    let inside = Path::new(named.as_deref().unwrap_or_default())
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        let help = "name a path below the folder of the configuration";
        return Err(refused("a calibration is written below its configuration only".to_owned(), help));
    }
    let Ok(facts) = std::fs::symlink_metadata(&target) else { return Ok(target) };
    let there = facts
        .is_file()
        .then(|| std::fs::read_to_string(&target).ok())
        .flatten()
        .and_then(|text| calibration::read(&target.display().to_string(), &text).ok());
    let what = match there {
        None => "not a calibration, and must not be overwritten".to_owned(),
        Some(there) if there.metric != metric => {
            format!("this file holds the calibration of {}", there.metric)
        }
        Some(there) if options.calls.offline && !there.judge.simulated => {
            "this file holds the calibration of a real judge".to_owned()
        }
        Some(_) => return Ok(target),
    };
    Err(refused(
        what,
        "name another folder with `--out`, or another file in the configuration, or remove this one",
    ))
}

/// Writes everything, the figures to `target`; returns the paths.
pub(super) fn write(
    options: &CalibrateOptions,
    calibration: &Calibration,
    labels: &Labels,
    judged: &[JudgedAnswer],
    target: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let verdicts = write_judged(options, labels, judged)?;
    let disagreements = options.out.join("disagreements.jsonl");
    let text = pretty_json(calibration, "the calibration")?;
    write_whole(target, |file| file.write_all(text.as_bytes()))?;
    let rows = || labels.answers.iter().zip(judged);
    write_whole(&disagreements, |file| {
        rows()
            .filter(|(answer, judged)| {
                let human = passes(answer, options.pass_at);
                human.zip(judged.score()).is_some_and(|(human, score)| human != (score >= 1.0))
            })
            .try_for_each(|(answer, judged)| line(file, &disagreement(answer, judged, options.pass_at)))
    })?;
    Ok(vec![target.to_owned(), verdicts, disagreements])
}

/// Writes all judgements; returns the path.
pub(super) fn write_judged(
    options: &CalibrateOptions,
    labels: &Labels,
    judged: &[JudgedAnswer],
) -> Result<PathBuf, Failure> {
    let path = options.out.join("judged.jsonl");
    write_whole(&path, |file| {
        let mut rows = labels.answers.iter().zip(judged);
        rows.try_for_each(|(answer, judged)| line(file, &verdict(answer, judged, options.pass_at)))
    })?;
    Ok(path)
}

fn line(file: &mut dyn Write, row: &Value) -> std::io::Result<()> {
    writeln!(file, "{row}")
}

/// The judgements of an answer without its text: enough to recompute every figure.
fn verdict(answer: &LabeledAnswer, judged: &JudgedAnswer, pass_at: f64) -> Value {
    json!({
        "id": answer.id,
        "slices": answer.slices,
        "ratings": answer.ratings,
        "human": answer.human(),
        "human_passes": passes(answer, pass_at),
        "score": judged.score(),
        "judge_passes": judged.score().map(|score| score >= 1.0),
        "scores": judged.grades.iter().map(|grade| grade.score()).collect::<Vec<_>>(),
    })
}

/// The judgements of an answer with everything that a reviewer needs to decide who is right.
fn disagreement(answer: &LabeledAnswer, judged: &JudgedAnswer, pass_at: f64) -> Value {
    let mut row = verdict(answer, judged, pass_at);
    let grade = judged.grades.first();
    if let Value::Object(fields) = &mut row {
        for (name, value) in [
            ("reason", json!(grade.map(|grade| &grade.reason))),
            ("flags", json!(grade.map(|grade| &grade.flags))),
            ("query", json!(answer.case.query)),
            ("context", json!(answer.case.context)),
            ("response", json!(answer.response)),
            ("details", json!(grade.map(|grade| &grade.details))),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    row
}
