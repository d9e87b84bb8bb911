//! The outputs of several suites: one comment, one summary, one verdict.

use super::{COMMENT, Log, OUTPUT, Part, annotations, append_outputs, messages, outputs, write_facts};
use crate::app::ci::{CiOptions, Outcome};
use crate::app::files::write_whole;
use crate::app::suites::NamedSuite;
use crate::app::{Environment, Failure, job_summary, suites};
use promptgate_adapters::github;
use promptgate_core::text::Redactor;
use promptgate_report::comment::COMMENT_BYTES;
use promptgate_report::suites::{SuiteResult, Suites};
use promptgate_report::{Disclose, Report};

/// Annotations of a step that GitHub shows.
const MAX_ANNOTATIONS: usize = 10;

/// Writes all outputs of several suites, whose parts are in the order of their rows; returns the text for the log.
pub(crate) fn write_several(
    suites: &Suites,
    parts: &[Part<'_>],
    options: &CiOptions,
    environment: &Environment,
) -> Log {
    let folder = &options.run.out;
    let context = parts.iter().map(|part| part.context).find(|context| context.event.is_some());
    let is_private = context.and_then(|context| context.event.as_ref()?.is_private);
    let disclose = options.disclose.unwrap_or_else(|| Disclose::of_repository(is_private));
    let run_url = environment.run_url();
    let body = |limit: usize| {
        promptgate_report::suites_markdown(suites, &Redactor::default(), limit, |at, limit| {
            let Part { outcome, context, exit_code } = *parts.get(at)?;
            messages::comment_body(outcome, context, disclose, exit_code, run_url.as_deref(), limit)
        })
    };
    let reports: Vec<Option<(&Report, &Redactor)>> = parts
        .iter()
        .map(|part| match part.outcome {
            Outcome::Reported(reported) => Some((&reported.report, &*reported.redactor)),
            _ => None,
        })
        .collect();
    let comment = body(COMMENT_BYTES);
    let written = [
        suites::write(suites, &reports, folder).map(|_| ()),
        write_whole(&folder.join(COMMENT), |out| out.write_all(comment.as_bytes())),
    ];
    let verdict = suites.verdict;
    let first = parts.iter().find(|part| messages::verdict(part.outcome, part.exit_code == 0).0 == verdict);
    let reason = first.and_then(|part| messages::verdict(part.outcome, part.exit_code == 0).1);
    let none = super::CiContext::default();
    let of = first.map(|part| part.context).or(context).unwrap_or(&none);
    let facts = write_facts(of, verdict, (reason, None), suites.exit_code, true, folder);
    let mut unwritten: Vec<Failure> = written.into_iter().chain([facts]).filter_map(Result::err).collect();
    let mut warnings: Vec<String> = job_summary::write(environment, body).into_iter().collect();
    if let Some(path) = environment.path(OUTPUT) {
        let outcomes: Vec<&Outcome> = parts.iter().map(|part| part.outcome).collect();
        let mut outputs = outputs(&outcomes, verdict, suites.exit_code, folder);
        let json = std::path::absolute(folder).unwrap_or_else(|_| folder.clone()).join(suites::NAME);
        outputs.add("suites-json", json.display().to_string());
        append_outputs(&outputs, &path, &mut warnings, &mut unwritten);
    }
    let mut text = String::new();
    if environment.is_github() {
        let workspace = environment.path("GITHUB_WORKSPACE");
        let annotation = |part: &Part<'_>| {
            annotations::annotation(part.outcome, part.context, part.exit_code, workspace.as_deref())
        };
        for annotation in parts.iter().filter_map(annotation).take(MAX_ANNOTATIONS) {
            text.push_str(&annotation.command());
            text.push('\n');
        }
    }
    Log { warnings, text, unwritten }
}

/// The row of a suite among several.
pub(crate) fn row(suite: &NamedSuite, part: Part<'_>) -> SuiteResult {
    let Part { outcome, context, exit_code } = part;
    match outcome {
        Outcome::Reported(reported) => suites::with_report(suite, reported, exit_code),
        _ => {
            let (verdict, _) = messages::verdict(outcome, exit_code == 0);
            suites::without_report(suite, verdict, exit_code, messages::why(outcome, context))
        }
    }
}

/// The text for the log of one suite among several.
pub(crate) fn log_of(part: Part<'_>, width: usize) -> String {
    github::log(&messages::log_line(part.outcome, part.context, width))
}
