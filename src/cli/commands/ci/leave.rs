//! What a run in CI leaves: files, outputs of the step, the job summary, annotations, and lines in the log.

mod annotations;

use std::path::Path;

use super::surroundings::Surroundings;
use super::{Known, Outcome, words};
use crate::cli::args::{CiArguments, OnMissingCredentials};
use crate::cli::error::Failure;
use crate::cli::facts::{self, Facts, Verdict};
use crate::cli::files::{append, write_whole};
use crate::cli::{output, saved};
use promptgate_adapters::github::{self, EventKind, Outputs};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::comment::{COMMENT_BYTES, SUMMARY_BYTES};
use promptgate_report::v1::CaseStatus;

/// The body of the comment.
const COMMENT: &str = "comment.md";
/// What an earlier run may have left.
const EARLIER: [&str; 6] = [facts::NAME, COMMENT, "report.json", "report.md", "report.html", "junit.xml"];

/// Removes what an earlier run left: nobody must take its verdict for that of this one.
pub(super) fn remove_earlier(folder: &Path) -> Result<(), Failure> {
    for name in EARLIER {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Diagnostic::new(format!(
                    "what an earlier run left here cannot be removed: {error}"
                ))
                .at(Place::file(path.display().to_string()))
                .help("name another folder with `--out`")
                .into());
            }
        }
    }
    saved::remove_earlier(&folder.join(promptgate_report::TRIALS_FILE))
}

/// Leaves everything.
pub(super) fn all(
    outcome: &Outcome,
    known: &Known,
    arguments: &CiArguments,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    let folder = &arguments.run.out;
    let verdict = words::verdict(outcome, arguments.on_missing_credentials == OnMissingCredentials::Skip);
    let event = known.event.as_ref();
    let base = known.base.as_ref().and_then(|base| base.known.commit.as_deref());
    let head = event
        .and_then(|event| event.head.as_deref())
        .or_else(|| known.base.as_ref().and_then(|base| base.head.as_deref()));
    let address = surroundings.address();
    let body = |limit| {
        let disclose = arguments.disclose.into();
        words::comment_body(outcome, (base, head), known, disclose, address.as_deref(), limit)
    };
    let comment = body(COMMENT_BYTES);
    if let Some(comment) = &comment {
        write_whole(&folder.join(COMMENT), |out| out.write_all(comment.as_bytes()))?;
    }
    let facts = Facts {
        schema: facts::SCHEMA,
        verdict,
        exit_code: outcome.status().code(),
        event: event.map_or(EventKind::Other { privileged: false }, |event| event.kind).as_str().to_owned(),
        pull_request: event.and_then(|event| event.pull_request.as_ref()).map(|request| request.number),
        base: base.map(str::to_owned),
        head: head.map(str::to_owned),
        reason: words::reason(outcome).map(str::to_owned),
        shard: known.shard.map(|shard| shard.to_string()),
        comment: comment.is_some().then(|| COMMENT.to_owned()),
    };
    let text = serde_json::to_string(&facts)
        .map_err(|error| Failure::Internal(format!("could not write {}: {error}", facts::NAME)))?;
    write_whole(&folder.join(facts::NAME), |out| writeln!(out, "{text}"))?;
    if let Some(path) = surroundings.path("GITHUB_STEP_SUMMARY") {
        let there =
            std::fs::metadata(&path).map_or(0, |facts| usize::try_from(facts.len()).unwrap_or(usize::MAX));
        let room = SUMMARY_BYTES.saturating_sub(there);
        summary(&path, &body(room).unwrap_or_default(), room);
    }
    if let Some(path) = surroundings.path("GITHUB_OUTPUT") {
        let outputs = outputs(outcome, verdict, folder);
        if !outputs.refused().is_empty() {
            let names = outputs.refused().join(", ");
            output::warn(&[format!(
                "no output {names}: the folder of `--out` has characters that outputs cannot have"
            )]);
        }
        append(&path, &outputs.text())
            .map_err(|error| Failure::writing("the file of GITHUB_OUTPUT", &error))?;
    }
    log(outcome, known, surroundings)
}

/// Prints what happened, then the annotations.
fn log(outcome: &Outcome, known: &Known, surroundings: &Surroundings) -> Result<(), Failure> {
    let mut text = github::log(&words::of_log(outcome, known));
    if surroundings.is_github() {
        for annotation in annotations::of(outcome, known, surroundings.path("GITHUB_WORKSPACE").as_deref()) {
            text.push_str(&annotation.command());
            text.push('\n');
        }
    }
    output::print(&text)
}

fn outputs(outcome: &Outcome, verdict: Verdict, folder: &Path) -> Outputs {
    let mut outputs = Outputs::default();
    outputs.add("verdict", verdict.as_str());
    outputs.add("exit-code", outcome.status().code().to_string());
    // Later steps may run in another folder.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let files = [
        ("report-json", "report.json"),
        ("report-md", "report.md"),
        ("report-html", "report.html"),
        ("junit", "junit.xml"),
    ];
    for (name, file) in files {
        let path = folder.join(file);
        if path.is_file() {
            outputs.add(name, path.display().to_string());
        }
    }
    if let Outcome::Finished(finished) = outcome
        && let Some(report) = &finished.report
    {
        let worse = |status: CaseStatus| matches!(status, CaseStatus::Broken | CaseStatus::Regressed);
        outputs.add("cases", report.cases.len().to_string());
        outputs.add("regressed", report.cases.iter().filter(|case| worse(case.status)).count().to_string());
        if let Some(cost) = report.usage.cost_usd {
            outputs.add("cost-usd", cost.to_string());
        }
    }
    outputs
}

/// Adds to the job summary, as far as there is room; that it cannot be written changes no verdict.
fn summary(path: &Path, text: &str, room: usize) {
    let text = if text.len() <= room {
        text
    } else {
        "promptgate: there is no room for its report in this summary.\n"
    };
    if let Err(error) = append(path, text) {
        output::warn(&[format!("the job summary could not be written: {error}")]);
    }
}
