//! Reading a saved report: strict about what it must hold, silent about what a later version may add.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fs::File;
use std::io;

use serde::Deserialize;

use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::neutral;

use super::{Case, EndedKind, Report, Role, SCHEMA, Trial, policy, trials_file};

/// At most this many mistakes are listed: a file that is wrong throughout needs no more.
pub(super) const LISTED: usize = 20;

/// Most repeats of a case, as in the configuration.
pub(super) const MAX_REPEATS: u32 = 1000;

/// Only the field that says what the rest is.
#[derive(Deserialize)]
struct Header {
    schema: Option<serde_json::Value>,
}

/// Reads a report from the text of `file`, which is named in mistakes; `open` opens a file of that name beside it.
///
/// Trials that the report has in another file stay there until they are asked for.
///
/// # Errors
/// [`Diagnostics`] where the text is cut off, is not JSON, is no report, is one of another version, or contradicts
/// itself; and where its trials are in another file that is missing, cut off, or not the one it was written with.
pub fn read(
    file: &str,
    text: &str,
    open: impl FnOnce(&str) -> io::Result<File>,
) -> Result<Report, Diagnostics> {
    if text.trim().is_empty() {
        return Err(Diagnostic::new("the report is empty").at(Place::file(file)).help(AGAIN).into());
    }
    let header: Header = serde_json::from_str(text).map_err(|error| unreadable(file, &error))?;
    match header.schema {
        Some(serde_json::Value::String(name)) if name == SCHEMA => {}
        Some(serde_json::Value::String(name)) => return Err(other_version(file, &name).into()),
        _ => {
            return Err(Diagnostic::new(format!("this is no report: `schema` is not {SCHEMA:?}"))
                .at(Place::file(file))
                .help("name the report.json that `promptgate run` wrote")
                .into());
        }
    }
    let mut report: Report = serde_json::from_str(text).map_err(|error| unreadable(file, &error))?;
    let diagnostics = contradictions(&report);
    if diagnostics.is_empty() {
        trials_file::find(&mut report, file, open)?;
        return Ok(report);
    }
    let place = |message: String| Diagnostic::new(message).at(Place::file(file)).help(AGAIN);
    Err(Diagnostics(diagnostics.into_iter().take(LISTED).map(place).collect()))
}

const AGAIN: &str = "make the report again with `promptgate run`";

fn unreadable(file: &str, error: &serde_json::Error) -> Diagnostic {
    let place = Place { column: Some(error.column().max(1)), ..Place::line(file, error.line().max(1)) };
    let message = match error.classify() {
        serde_json::error::Category::Eof => "the report is cut off".to_owned(),
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            format!("the report is damaged: {}", described(error))
        }
        serde_json::error::Category::Data => format!("this is no report: {}", described(error)),
    };
    Diagnostic::new(message).at(place).help(AGAIN)
}

/// The error without its place, which is shown before it; it may quote the file, so it is neutralised.
pub(super) fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let bare = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    neutral::terminal(bare)
}

fn other_version(file: &str, name: &str) -> Diagnostic {
    let shown = neutral::terminal(name);
    let diagnostic = if name.starts_with("promptgate.report/") {
        Diagnostic::new(format!("the report has version `{shown}`, this promptgate reads `{SCHEMA}`"))
            .help("read it with the promptgate that wrote it, or make it again with this one")
    } else if name.starts_with("promptgate.shard/") {
        Diagnostic::new("this is one shard of a run, not a report")
            .help("join all shards with `promptgate merge DIR`, and name the report.json that it writes")
    } else {
        Diagnostic::new(format!("this is no report: its `schema` is `{shown}`, not `{SCHEMA}`"))
            .help("name the report.json that `promptgate run` wrote")
    };
    diagnostic.at(Place::file(file))
}

/// What the types cannot rule out: the places where an edited report contradicts itself.
pub(crate) fn contradictions(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = HashSet::new();
    let mut scorers = HashSet::new();
    for scorer in &report.scorers {
        if !scorers.insert(scorer.as_str()) {
            found.push(format!("the scorer `{}` is there twice", neutral::terminal(scorer)));
        }
    }
    for case in &report.cases {
        let id = || neutral::terminal(&case.id);
        if !ids.insert(case.id.as_str()) {
            found.push(format!("case `{}` is there twice", id()));
        }
        found.extend(wrong_trials(report, case, &mut case.trials.readable()));
        if found.len() >= LISTED {
            return found;
        }
    }
    if report.dataset.cases != report.cases.len() {
        let (said, there) = (report.dataset.cases, report.cases.len());
        found.push(format!("`dataset.cases` is {said}, but there are {there} cases"));
    }
    if report.repeats > MAX_REPEATS {
        found.push(format!("`repeats` is {}, above the {MAX_REPEATS} that a run can have", report.repeats));
    }
    found.extend(policy::contradictions(report));
    if report.ended.kind == EndedKind::Stopped && report.ended.fault.is_none() {
        found.push("`ended` is `stopped` without a `fault`".to_owned());
    }
    found
}

/// What the trials of a case contradict: each other, the case, or the report.
pub(super) fn wrong_trials<T: Borrow<Trial>>(
    report: &Report,
    case: &Case,
    trials: &mut dyn Iterator<Item = T>,
) -> Vec<String> {
    let mut found = Vec::new();
    let id = || neutral::terminal(&case.id);
    let mut there = HashSet::new();
    for trial in trials {
        let trial: &Trial = trial.borrow();
        let name = || format!("case `{}`, {} repeat {}", id(), trial.role.as_str(), trial.repeat);
        if !there.insert((trial.role, trial.repeat)) {
            found.push(format!("{}: is there twice", name()));
        }
        if trial.repeat >= report.repeats {
            found.push(format!("{}: there are {} repeats, counted from 0", name(), report.repeats));
        }
        if trial.role == Role::Baseline && report.variants.baseline.is_none() {
            found.push(format!("{}: there is no baseline", name()));
        }
        let mut graded = HashSet::new();
        for grade in &trial.grades {
            let scorer = || neutral::terminal(&grade.scorer);
            if !graded.insert(grade.scorer.as_str()) {
                found.push(format!("{}: two grades of `{}`", name(), scorer()));
            }
            if !case.scorers.contains(&grade.scorer) {
                found.push(format!("{}: a grade of `{}`, which does not apply", name(), scorer()));
            }
            if grade.judging.is_some() && report.judge.is_none() {
                found.push(format!("{}: a judgement of `{}`, but no `judge`", name(), scorer()));
            }
        }
        if trial.latency_ms.is_some_and(|latency| latency < 0.0) {
            found.push(format!("{}: `latency_ms` is below 0", name()));
        }
        if trial.error.is_none()
            && let Err(what) = trial.spoken()
        {
            found.push(format!("{}: {what}", name()));
        }
    }
    found
}
