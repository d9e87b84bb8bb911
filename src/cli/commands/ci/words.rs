//! What is said of a run in the log, the comment and the summary; where there is a report, it is the report's.

use super::{Known, Of, Outcome, diagnostics};
use crate::cli::commands::run::Finished;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::facts::Verdict;
use crate::cli::output;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::{Redactor, neutral};
use promptgate_report::comment::{self, CommentFacts, Subject};
use promptgate_report::{Disclose, Format, Style};

/// What became of the gate.
pub(super) fn verdict(outcome: &Outcome, on_missing_pass: bool) -> Verdict {
    match outcome {
        Outcome::Finished(finished) => match &finished.report {
            Some(report) => report.verdict.into(),
            None if finished.status == ExitStatus::Pass => Verdict::Pass,
            None => Verdict::Incomplete,
        },
        Outcome::Unchanged(_) => Verdict::Unchanged,
        Outcome::NoKey { .. } if on_missing_pass => Verdict::NotEvaluated,
        Outcome::NoKey { .. } | Outcome::Failed(Failure::Incomplete(_), _) => Verdict::Incomplete,
        Outcome::Failed(..) => Verdict::Error,
    }
}

/// The code of the first reason.
pub(super) fn reason(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Finished(finished) => {
            let reason = finished.report.as_ref().and_then(|report| report.reasons.first());
            reason.map(|reason| reason.code.as_str())
        }
        Outcome::Unchanged(_) => None,
        Outcome::NoKey { .. } => Some("missing_credentials"),
        Outcome::Failed(failure, _) => Some(match failure {
            Failure::Diagnostics(_) => "usage",
            Failure::Incomplete(_) => "shards",
            Failure::Nothing(_) => "nothing_to_evaluate",
            Failure::Internal(_) | Failure::BrokenPipe => "internal",
        }),
    }
}

/// What goes into the log; nothing where it was said already.
pub(super) fn of_log(outcome: &Outcome, known: &Known) -> String {
    let files = |finished: &Finished| -> Vec<String> {
        finished.files.iter().map(|path| path.display().to_string()).collect()
    };
    match outcome {
        Outcome::Finished(finished) => match &finished.report {
            Some(report) => {
                let style = Style {
                    width: output::width(),
                    color: false,
                    files: files(finished),
                    redactor: finished.redactor.as_ref().clone(),
                };
                written(report, Format::Terminal, style)
            }
            None => String::new(),
        },
        Outcome::Unchanged(of) => {
            format!("UNCHANGED  {}\n           {}\n", short(name(of)), unchanged(of, known))
        }
        Outcome::NoKey { of, variables, .. } => {
            let (why, next) = no_key(variables, known);
            format!("NOT EVALUATED: no key  {}\n           {why}\n           help: {next}\n", short(name(of)))
        }
        Outcome::Failed(..) => String::new(),
    }
}

/// The body of the comment on a pull request, and of the job summary, below `limit` bytes; `None` for a shard, which
/// decides nothing. `address` is where the run can be looked at.
pub(super) fn comment_body(
    outcome: &Outcome,
    (base, head): (Option<&str>, Option<&str>),
    known: &Known,
    disclose: Disclose,
    address: Option<&str>,
    limit: usize,
) -> Option<String> {
    let (reason, next);
    let messages: Vec<String>;
    let subject = match outcome {
        Outcome::Finished(finished) => Subject::Report(finished.report.as_ref()?),
        Outcome::Unchanged(of) => Subject::Unchanged { name: name(of) },
        Outcome::NoKey { of, variables, .. } => {
            let why;
            (why, next) = no_key(variables, known);
            reason = format!("no key: {why}");
            Subject::NotEvaluated { name: name(of), reason: &reason, help: Some(&next) }
        }
        Outcome::Failed(failure, _) => {
            messages = diagnostics(failure).iter().map(in_one_line).collect();
            match failure {
                Failure::Incomplete(_) => Subject::Incomplete { name: None, messages: &messages },
                _ => Subject::Error { name: None, messages: &messages },
            }
        }
    };
    let without = Redactor::default();
    let redactor = match outcome {
        Outcome::Finished(finished) => finished.redactor.as_ref(),
        _ => &without,
    };
    let exit_code = outcome.status().code();
    let facts = CommentFacts { subject, exit_code, disclose, base, head, address, redactor };
    Some(comment::render(&facts, limit))
}

/// Where, what, and what to do next.
fn in_one_line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
    format!("{place}{}{help}", diagnostic.message)
}

fn name(of: &Of) -> &str {
    match of {
        Of::Suite { name, .. } => name,
        Of::Shards => "all shards",
    }
}

/// Why nothing had to be asked.
fn unchanged(of: &Of, known: &Known) -> String {
    let base = known.base.as_ref().map(|base| &base.known);
    let commit = base.and_then(|base| base.commit.as_deref()?.get(..12)).unwrap_or("the base");
    let how = base.map_or_else(String::new, |base| format!(" ({})", base.how));
    let requests = match of {
        Of::Suite { cases, .. } => format!("the requests to the model for {}", counted(*cases)),
        Of::Shards => "the requests to the model".to_owned(),
    };
    format!(
        "nothing was asked: {requests}, the dataset, what scores and the policy are those of {commit}{how}"
    )
}

/// Why there is no key, and what to do.
fn no_key(variables: &[String], known: &Known) -> (String, String) {
    let what = match variables {
        [] => "no shard had a key".to_owned(),
        [name] => format!("{name} is not set"),
        names => format!("{} are not set", names.join(" and ")),
    };
    match known.event.as_ref().and_then(|event| event.pull_request.as_ref()) {
        Some(request) if request.fork => (
            format!("{what}: pull request {} is from a fork, and forks get no secrets", request.number),
            "a maintainer can push the branch to this repository and open the pull request from there"
                .to_owned(),
        ),
        _ => {
            let names = if variables.is_empty() { "the key".to_owned() } else { variables.join(", ") };
            (what, format!("give {names} to this step as environment, from the secrets of the repository"))
        }
    }
}

fn counted(cases: usize) -> String {
    if cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") }
}

fn short(text: &str) -> String {
    neutral::clip(&neutral::terminal(text), 80)
}

/// A report in one of its forms. Writing to memory does not fail, and a report can always be shown.
fn written(report: &promptgate_report::Report, format: Format, style: Style) -> String {
    let redactor: Redactor = style.redactor.clone();
    let mut bytes = Vec::new();
    if let Err(error) = promptgate_report::write(report, format, &mut bytes, style) {
        return format!("the report could not be shown: {}\n", neutral::terminal(&error.to_string()));
    }
    redactor.redact(&String::from_utf8_lossy(&bytes)).into_owned()
}
