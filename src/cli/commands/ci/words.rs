//! What is said of a run in the log, the comment and the summary; where there is a report, it is the report's.

use super::{Known, Of, Outcome, mistakes};
use crate::cli::args::{CiArguments, Disclose};
use crate::cli::commands::run::Finished;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use crate::report::{self, Format, Style};
use crate::text::{Redactor, neutral};

/// Mistakes that a comment lists.
const LISTED: usize = 10;
/// Stands where everything beyond verdict and numbers begins in a report's Markdown.
const FOLD: &str = "<details>";

/// The words of the verdict, for scripts.
pub(super) fn verdict(outcome: &Outcome, on_missing_pass: bool) -> &'static str {
    match outcome {
        Outcome::Finished(finished) => match &finished.report {
            Some(report) => report.verdict.as_str(),
            None if finished.status == ExitStatus::Pass => "pass",
            None => "incomplete",
        },
        Outcome::Unchanged(_) => "unchanged",
        Outcome::NoKey { .. } if on_missing_pass => "not_evaluated",
        Outcome::NoKey { .. } | Outcome::Failed(Failure::Incomplete(_), _) => "incomplete",
        Outcome::Failed(..) => "error",
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
            Failure::Mistakes(_) => "usage",
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

/// The body of the comment on a pull request, and of the job summary; below `limit` bytes where it is not empty.
pub(super) fn comment_body(
    outcome: &Outcome,
    known: &Known,
    arguments: &CiArguments,
    limit: usize,
) -> String {
    let text = match outcome {
        Outcome::Finished(finished) => match &finished.report {
            Some(report) => {
                let style = Style { redactor: finished.redactor.as_ref().clone(), ..Style::default() };
                let text = written(report, Format::Markdown, style);
                match arguments.disclose {
                    Disclose::Numbers => text.split(FOLD).next().unwrap_or_default().to_owned(),
                    Disclose::Excerpts | Disclose::Full => text,
                }
            }
            None => return String::new(),
        },
        Outcome::Unchanged(of) => {
            let why = markdown(&unchanged(of, known));
            format!("### promptgate: ✅ unchanged: {}\n\n{why}\n", markdown(name(of)))
        }
        Outcome::NoKey { of, variables, .. } => {
            let (why, next) = no_key(variables, known);
            let of_what = match of {
                Of::Suite { cases, .. } => format!("{} of this change", counted(*cases)),
                Of::Shards => "cases of this change".to_owned(),
            };
            format!(
                "### promptgate: ⏸ not evaluated: no key: {}\n\n**No key:** {}. Nothing was asked, so nothing is \
                 known of the {of_what}.\n\n**Next:** {}.\n",
                markdown(name(of)),
                markdown(&why),
                markdown(&next),
            )
        }
        Outcome::Failed(failure, _) => failed(failure),
    };
    whole_lines(text, limit)
}

fn failed(failure: &Failure) -> String {
    let title = match failure {
        Failure::Incomplete(_) => "💥 incomplete",
        _ => "💥 error: there is no verdict",
    };
    let all = mistakes(failure);
    let mut text = format!("### promptgate: {title}\n\n");
    for mistake in all.iter().take(LISTED) {
        let place = mistake.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
        text.push_str(&format!("* {}\n", markdown(&format!("{place}{}", mistake.message))));
        if let Some(help) = &mistake.help {
            text.push_str(&format!("  **Next:** {}\n", markdown(help)));
        }
    }
    if all.len() > LISTED {
        text.push_str(&format!("* and {} more in the log\n", all.len() - LISTED));
    }
    text
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

fn markdown(text: &str) -> String {
    neutral::markdown(&neutral::clip(text, 600))
}

/// A report in one of its forms. Writing to memory does not fail, and a report can always be shown.
fn written(report: &report::Report, format: Format, style: Style) -> String {
    let redactor: Redactor = style.redactor.clone();
    let mut bytes = Vec::new();
    if let Err(error) = report::write(report, format, &mut bytes, style) {
        return format!("the report could not be shown: {}\n", neutral::terminal(&error.to_string()));
    }
    redactor.redact(&String::from_utf8_lossy(&bytes)).into_owned()
}

/// The text, or as many of its first lines as there is room for.
fn whole_lines(text: String, limit: usize) -> String {
    const MORE: &str = "\n\nThe rest is in report.md.\n";
    if text.len() <= limit {
        return text;
    }
    let room = limit.saturating_sub(MORE.len());
    let end = text.as_bytes().get(..room).and_then(|bytes| bytes.iter().rposition(|byte| *byte == b'\n'));
    let kept = end.and_then(|end| text.get(..end)).unwrap_or_default();
    format!("{kept}{MORE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_cut_between_lines() {
        assert_eq!(whole_lines("a\nb\n".to_owned(), 4), "a\nb\n");
        let long = "0123456789\n".repeat(20);
        let cut = whole_lines(long.clone(), 100);
        assert!(cut.len() <= 100 && cut.starts_with("0123456789\n0123456789\n"), "{cut}");
        assert!(cut.ends_with("0123456789\n\nThe rest is in report.md.\n"), "{cut}");
        assert!(whole_lines(long, 5).len() <= 30);
    }
}
