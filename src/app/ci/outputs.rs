//! The outputs of a run in CI: files, step outputs, job summary, annotations, log.

mod annotations;
mod several;

use std::path::Path;

use super::facts::{self, CiFacts, Verdict};
use super::messages;
use super::{CiContext, CiOptions, Outcome};
use crate::app::files::{append, refuse_special, write_whole};
use crate::app::{Environment, Failure, job_summary, report_files};
use promptgate_adapters::github::{self, EventKind, Outputs};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::comment::COMMENT_BYTES;
use promptgate_report::v1::CaseStatus;
use promptgate_report::{Disclose, Format, Report};

pub(crate) use several::{log_of, row, write_several};

/// The file with the body of the comment.
const COMMENT: &str = "comment.md";
/// The variable of the file with the outputs of the step.
const OUTPUT: &str = "GITHUB_OUTPUT";

/// Text for the terminal.
pub(crate) struct Log {
    /// Warnings for standard error.
    pub(crate) warnings: Vec<String>,
    /// The text for standard output.
    pub(crate) text: String,
    /// The files that could not be written.
    pub(crate) unwritten: Vec<Failure>,
}

/// Creates the folder of the report, and removes the files of an earlier run: its verdict must not be taken for that of
/// this one.
///
/// # Errors
/// A folder that cannot be written to, files that cannot be removed, or a `GITHUB_OUTPUT` that is not a regular file.
pub(crate) fn prepare(folder: &Path, environment: &Environment) -> Result<(), Failure> {
    if let Some(path) = environment.path(OUTPUT) {
        refuse_special(&path, OUTPUT)?;
    }
    report_files::prepare(folder)?;
    let reports = Format::files().map(|(name, _)| name);
    for name in [facts::NAME, COMMENT].into_iter().chain(reports) {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Diagnostic::new(format!("cannot remove the file of an earlier run: {error}"))
                    .at(Place::file(path.display().to_string()))
                    .help("name another folder with `--out`")
                    .into());
            }
        }
    }
    report_files::remove_earlier(&folder.join(promptgate_report::TRIALS_FILE))
}

/// The outcome of a suite with what is said of it.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    /// How the gate ended.
    pub(crate) outcome: &'a Outcome,
    /// Facts of comment and log beside it.
    pub(crate) context: &'a CiContext,
    /// The exit code of this suite alone.
    pub(crate) exit_code: u8,
}

/// Writes all outputs; returns the text for the log, `width` columns wide.
pub(crate) fn write_all(part: Part<'_>, options: &CiOptions, environment: &Environment, width: usize) -> Log {
    let Part { outcome, context, exit_code } = part;
    let folder = &options.run.out;
    let (verdict, reason) = messages::verdict(outcome, exit_code == 0);
    let run_url = environment.run_url();
    let is_private = context.event.as_ref().and_then(|event| event.is_private);
    let disclose = options.disclose.unwrap_or_else(|| Disclose::of_repository(is_private));
    let body =
        |limit| messages::comment_body(outcome, context, disclose, exit_code, run_url.as_deref(), limit);
    let comment = body(COMMENT_BYTES);
    let written = comment.as_ref().map_or(Ok(()), |comment| {
        write_whole(&folder.join(COMMENT), |out| out.write_all(comment.as_bytes()))
    });
    let overridden_by = match outcome {
        Outcome::Reported(reported) => reported.report.overridden.as_ref().map(|of| of.by.as_str()),
        _ => None,
    };
    let facts = write_facts(context, verdict, (reason, overridden_by), exit_code, comment.is_some(), folder);
    let mut unwritten: Vec<Failure> = [written, facts].into_iter().filter_map(Result::err).collect();
    let summary = job_summary::write(environment, |room| body(room).unwrap_or_default());
    let mut warnings: Vec<String> = summary.into_iter().collect();
    if let Some(path) = environment.path(OUTPUT) {
        let outputs = outputs(&[outcome], verdict, exit_code, folder);
        append_outputs(&outputs, &path, &mut warnings, &mut unwritten);
    }
    let mut text = github::log(&messages::log_line(outcome, context, width));
    if environment.is_github() {
        let workspace = environment.path("GITHUB_WORKSPACE");
        if let Some(annotation) = annotations::annotation(outcome, context, exit_code, workspace.as_deref()) {
            text.push_str(&annotation.command());
            text.push('\n');
        }
    }
    Log { warnings, text, unwritten }
}

/// Appends the outputs of the step to their file.
fn append_outputs(outputs: &Outputs, path: &Path, warnings: &mut Vec<String>, unwritten: &mut Vec<Failure>) {
    if !outputs.refused().is_empty() {
        let names = outputs.refused().join(", ");
        warnings.push(format!(
            "no output {names}: the folder of `--out` has characters that outputs cannot have"
        ));
    }
    let appended = append(path, &outputs.text());
    unwritten.extend(appended.err().map(|error| Failure::writing("the file of GITHUB_OUTPUT", &error)));
}

impl CiContext {
    pub(super) fn base_commit(&self) -> Option<&str> {
        self.base.as_ref().and_then(|base| base.known.commit.as_deref())
    }

    pub(super) fn head_commit(&self) -> Option<&str> {
        let event = self.event.as_ref().and_then(|event| event.head.as_deref());
        event.or_else(|| self.base.as_ref().and_then(|base| base.head.as_deref()))
    }
}

fn write_facts(
    context: &CiContext,
    verdict: Verdict,
    (reason, overridden_by): (Option<&str>, Option<&str>),
    exit_code: u8,
    has_comment: bool,
    folder: &Path,
) -> Result<(), Failure> {
    let event = context.event.as_ref();
    let facts = CiFacts {
        schema: facts::SCHEMA,
        verdict,
        exit_code,
        event: event.map_or(EventKind::Other { privileged: false }, |event| event.kind).as_str().to_owned(),
        pull_request: event.and_then(|event| event.pull_request.as_ref()).map(|request| request.number),
        base: context.base_commit().map(str::to_owned),
        head: context.head_commit().map(str::to_owned),
        reason: reason.map(str::to_owned),
        overridden_by: overridden_by.map(str::to_owned),
        shard: context.shard.map(|shard| shard.to_string()),
        comment: has_comment.then(|| COMMENT.to_owned()),
    };
    let text = serde_json::to_string(&facts)
        .map_err(|error| Failure::Internal(format!("could not write {}: {error}", facts::NAME)))?;
    write_whole(&folder.join(facts::NAME), |out| writeln!(out, "{text}"))
}

fn outputs(outcomes: &[&Outcome], verdict: Verdict, exit_code: u8, folder: &Path) -> Outputs {
    let mut outputs = Outputs::default();
    outputs.add("verdict", verdict.as_str());
    outputs.add("exit-code", exit_code.to_string());
    // Later steps may run in another folder.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    for (file, _) in Format::files() {
        let path = folder.join(file);
        if path.is_file() {
            outputs.add(output_name(file), path.display().to_string());
        }
    }
    let reports: Vec<&Report> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Reported(reported) => Some(&reported.report),
            _ => None,
        })
        .collect();
    if !reports.is_empty() {
        let cases = || reports.iter().flat_map(|report| &report.cases);
        let worse = |status: CaseStatus| matches!(status, CaseStatus::Broken | CaseStatus::Regressed);
        outputs.add("cases", cases().count().to_string());
        outputs.add("regressed", cases().filter(|case| worse(case.status)).count().to_string());
        let cost: Option<f64> = reports.iter().map(|report| report.usage.cost_usd).sum();
        if let Some(cost) = cost {
            outputs.add("cost-usd", cost.to_string());
        }
    }
    outputs
}

/// The output with the path of a report: `report-md` for report.md, `junit` for junit.xml.
fn output_name(file: &str) -> String {
    match file.split_once('.') {
        Some(("report", extension)) => format!("report-{extension}"),
        Some((stem, _)) => stem.to_owned(),
        None => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_names_are_those_of_the_action() {
        let names: Vec<String> = Format::files().map(|(file, _)| output_name(file)).collect();
        assert_eq!(names[..4], ["report-json", "report-md", "report-html", "junit"]);
        let action = include_str!("../../../action.yml");
        for name in names {
            let value = format!("  {name}:\n");
            assert!(action.contains(&value), "action.yml declares no output {name}");
        }
    }
}
