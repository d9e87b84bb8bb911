//! The texts of a run in CI for log, comment and summary.

use super::facts::Verdict;
use super::overrides::LABEL;
use super::{CiContext, NewSuite, OnNewSuite, Outcome, Uncalled};
use crate::app::Failure;
use crate::app::report_files::style;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::{Redactor, counted, neutral};
use promptgate_report::comment::{self, CommentFacts, ReviewerOptions, Subject};
use promptgate_report::{Disclose, Format};

/// How the message of a run begins whose base is HEAD itself.
pub(super) const NOTHING: &str = "nothing to compare";

/// The verdict in `ci.json`, and the code of the first reason. `passes` says whether the exit code is 0.
pub(super) fn verdict(outcome: &Outcome, passes: bool) -> (Verdict, Option<&'static str>) {
    let verdict = match outcome {
        Outcome::Reported(reported) if !reported.unwritten.is_empty() => {
            return (Verdict::Incomplete, Some("unwritten"));
        }
        Outcome::Reported(reported) => {
            let reason = reported.report.reasons.first();
            return (reported.report.verdict.into(), reason.map(|reason| reason.code.as_str()));
        }
        Outcome::Shard(_) if passes => Verdict::Pass,
        Outcome::Shard(_) | Outcome::Interrupted => Verdict::Incomplete,
        Outcome::Unchanged(_) => Verdict::Unchanged,
        Outcome::NoKey { skipped, .. } => {
            let verdict = if *skipped { Verdict::NotEvaluated } else { Verdict::Incomplete };
            return (verdict, Some("missing_credentials"));
        }
        Outcome::NewSuite { new, .. } => {
            let skip = new.result == OnNewSuite::Skip;
            let verdict = if skip { Verdict::NotEvaluated } else { Verdict::Incomplete };
            return (verdict, Some("new_suite"));
        }
        Outcome::Failed(failure) => {
            let (verdict, reason) = match failure {
                Failure::Diagnostics(_) => (Verdict::Error, "usage"),
                Failure::Incomplete(_) => (Verdict::Incomplete, "shards"),
                Failure::Unsettled(_) => (Verdict::Inconclusive, "unsettled"),
                Failure::Nothing(_) => (Verdict::Error, "nothing_to_evaluate"),
                Failure::Unwritten(_) => (Verdict::Incomplete, "unwritten"),
                Failure::Internal(_) => (Verdict::Error, "internal"),
            };
            return (verdict, Some(reason));
        }
    };
    (verdict, None)
}

/// The text for the log; empty where it was printed before.
pub(super) fn log_line(outcome: &Outcome, context: &CiContext, width: usize) -> String {
    match outcome {
        Outcome::Reported(reported) => {
            let style = style(&reported.redactor, width, false, &reported.files);
            let mut bytes = Vec::new();
            match promptgate_report::write(&reported.report, Format::Terminal, &mut bytes, style) {
                Ok(()) => reported.redactor.redact(&String::from_utf8_lossy(&bytes)).into_owned(),
                Err(error) => {
                    format!("the report could not be shown: {}\n", neutral::terminal(&error.to_string()))
                }
            }
        }
        Outcome::Unchanged(of) => {
            format!("UNCHANGED  {}\n           {}\n", short(name(of)), unchanged(of, context))
        }
        Outcome::NoKey { of, variables, .. } => uncalled(outcome, "no key", of, no_key(variables, context)),
        Outcome::NewSuite { of, new } => uncalled(outcome, "new suite", of, new_suite(new, context)),
        Outcome::Shard(_) | Outcome::Interrupted | Outcome::Failed(_) => String::new(),
    }
}

/// Why a suite has no report; empty where its verdict says it.
pub(super) fn why(outcome: &Outcome, context: &CiContext) -> String {
    match outcome {
        Outcome::Reported(_) | Outcome::Unchanged(_) | Outcome::Shard(_) => String::new(),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::NoKey { variables, .. } => format!("no key: {}", no_key(variables, context).0),
        Outcome::NewSuite { new, .. } => format!("new suite: {}", new_suite(new, context).0),
        // Printed once for all suites.
        Outcome::Failed(Failure::Nothing(diagnostic)) if diagnostic.message.starts_with(NOTHING) => {
            NOTHING.to_owned()
        }
        Outcome::Failed(failure) => failure.diagnostics().first().map(in_one_line).unwrap_or_default(),
    }
}

/// Why nothing was called, headed by the verdict.
fn uncalled(outcome: &Outcome, what: &str, of: &Uncalled, (why, next): (String, String)) -> String {
    let (verdict, _) = verdict(outcome, false);
    let word = verdict.as_str().replace('_', " ").to_uppercase();
    format!("{word}: {what}  {}\n           {why}\n           help: {next}\n", short(name(of)))
}

/// The body of the comment and of the job summary, at most `limit` bytes; `None` for a shard, which has no verdict.
pub(super) fn comment_body(
    outcome: &Outcome,
    context: &CiContext,
    disclose: Disclose,
    exit_code: u8,
    run_url: Option<&str>,
    limit: usize,
) -> Option<String> {
    let (reason, next);
    let messages: Vec<String>;
    let subject = match outcome {
        Outcome::Reported(reported) => Subject::Report(&reported.report),
        Outcome::Shard(_) | Outcome::Interrupted => return None,
        Outcome::Unchanged(of) => Subject::Unchanged { name: name(of) },
        Outcome::NoKey { of, variables, skipped } => {
            let why;
            (why, next) = no_key(variables, context);
            reason = format!("no key: {why}");
            Subject::NotEvaluated { skipped: *skipped, name: name(of), reason: &reason, help: Some(&next) }
        }
        Outcome::NewSuite { of, new } => {
            let why;
            (why, next) = new_suite(new, context);
            reason = format!("new suite: {why}");
            let skipped = new.result == OnNewSuite::Skip;
            Subject::NotEvaluated { skipped, name: name(of), reason: &reason, help: Some(&next) }
        }
        Outcome::Failed(failure) => {
            messages = failure.diagnostics().iter().map(in_one_line).collect();
            match failure {
                Failure::Incomplete(_) => Subject::Incomplete { name: None, messages: &messages },
                _ => Subject::Error { name: None, messages: &messages },
            }
        }
    };
    let without = Redactor::default();
    let redactor = match outcome {
        Outcome::Reported(reported) => reported.redactor.as_ref(),
        _ => &without,
    };
    let (base, head) = (context.base_commit(), context.head_commit());
    let is_pull_request = context.event.as_ref().is_some_and(|event| event.pull_request.is_some());
    let reviewer = ReviewerOptions {
        override_by: if is_pull_request { &context.override_by } else { &[] },
        override_label: LABEL,
        repeats_input: if context.is_merge { "repeats" } else { "max-repeats" },
    };
    let facts = CommentFacts {
        subject,
        exit_code,
        disclose,
        base,
        head,
        address: run_url,
        reviewer: Some(reviewer),
        redactor,
    };
    Some(comment::render(&facts, limit))
}

/// Place, message and help.
fn in_one_line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
    format!("{place}{}{help}", diagnostic.message)
}

fn name(of: &Uncalled) -> &str {
    match of {
        Uncalled::Suite { name, .. } => name,
        Uncalled::Shards => "all shards",
    }
}

/// Why no call was needed.
fn unchanged(of: &Uncalled, context: &CiContext) -> String {
    let base = context.base.as_ref().map(|base| &base.known);
    let commit = base.and_then(|base| base.commit.as_deref()?.get(..12)).unwrap_or("the base");
    let how = base.map_or_else(String::new, |base| format!(" ({})", base.how));
    let requests = match of {
        Uncalled::Suite { cases, .. } => {
            format!("the requests to the model for {}", counted(*cases as u64, "case"))
        }
        Uncalled::Shards => "the requests to the model".to_owned(),
    };
    format!(
        "no call was made: {requests}, the dataset, the scorers and the policy are those of {commit}{how}"
    )
}

/// Why there is no key, and the next step.
fn no_key(variables: &[String], context: &CiContext) -> (String, String) {
    let what = match variables {
        [] => "no shard had a key".to_owned(),
        [name] => format!("{name} is not set"),
        names => format!("{} are not set", names.join(" and ")),
    };
    match context.event.as_ref().and_then(|event| event.pull_request.as_ref()) {
        Some(request) if request.fork => (
            format!("{what}: pull request {} is from a fork, and forks get no secrets", request.number),
            "a maintainer can push the branch to this repository and open the pull request from there"
                .to_owned(),
        ),
        _ => {
            let names = if variables.is_empty() { "the key".to_owned() } else { variables.join(", ") };
            (what, format!("set {names} in the `env:` of this step, from a secret"))
        }
    }
}

/// Why a new suite is not evaluated, and the next step.
pub(super) fn new_suite(new: &NewSuite, context: &CiContext) -> (String, String) {
    let commit = context.base_commit().and_then(|commit| commit.get(..12)).unwrap_or("the base");
    let mut why = new.missing.clone().unwrap_or_else(|| {
        format!("{commit} has no configuration here, so this change would choose the host that gets the key")
    });
    if !new.vanished.is_empty() {
        let named: Vec<&str> = new.vanished.iter().take(3).map(String::as_str).collect();
        let more = if new.vanished.len() > named.len() { ", …" } else { "" };
        why.push_str(&format!("; it also removes {}{more}", named.join(", ")));
    }
    if new.missing.is_some() {
        return (
            why,
            "merge the suite first, or use `--baseline none`; later changes are then compared".to_owned(),
        );
    }
    let next = "review and merge the configuration by itself; later prompt changes are then evaluated. Or use \
                `--policy-from head`, which trusts this change's own policy with the key";
    (why, next.to_owned())
}

fn short(text: &str) -> String {
    neutral::clip(&neutral::terminal(text), 80)
}
