//! `promptgate ci` with several suites: each as it would be alone, one comment, one verdict.

use std::path::Path;

use super::ci::{Gated, gated};
use super::suites::announce;
use crate::app::ci::outputs::{self, Part};
use crate::app::ci::{self, CiContext, Outcome};
use crate::app::suites::{self, NamedSuite, SharedBudget, SuiteChoice};
use crate::app::{Environment, Failure};
use crate::cli::args::CiArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Runs the gate of each suite, and writes what the CI system shows.
pub(super) async fn ci_suites(
    named: &[NamedSuite],
    folder: &Path,
    choice: &SuiteChoice,
    arguments: &CiArguments,
    environment: &Environment,
) -> ExitStatus {
    let (options, rules) = (arguments.options(None), arguments.exit_rules());
    let mut budget = SharedBudget::new(options.run.calls.ceilings);
    let mut ended: Vec<(Gated, ExitStatus)> = Vec::new();
    for suite in named {
        announce(suite, ended.len() + 1, named.len(), arguments.run.quiet);
        let mut options = arguments.options(Some(suite.config.clone()));
        options.run.out = options.run.out.join(&suite.folder);
        options.run.calls.ceilings = budget.left();
        options.run.shared_cache = Some(folder.to_owned());
        let gated = gated(options, arguments, environment).await;
        if let Outcome::Failed(failure) = &gated.outcome {
            report_once(failure, &ended);
        }
        gated.outcome.unwritten().iter().for_each(output::report);
        let status = ExitStatus::of_ci(&gated.outcome, rules);
        let part = Part { outcome: &gated.outcome, context: &gated.context, exit_code: status.code() };
        if let Outcome::Reported(reported) = &gated.outcome {
            budget.take(reported.report.usage.calls, reported.report.usage.cost_usd);
        }
        let printed = output::print(&outputs::log_of(part, output::width()));
        printed.err().iter().for_each(output::report);
        gated.send(status, arguments).await;
        ended.push((gated, status));
        if status == ExitStatus::Interrupted {
            break;
        }
    }
    finish(named, choice, &ended, &budget, arguments, environment)
}

/// Reports a failure, unless it is that nothing can be compared and an earlier suite said the same.
fn report_once(failure: &Failure, earlier: &[(Gated, ExitStatus)]) {
    let is_same = |gated: &Gated| match &gated.outcome {
        Outcome::Failed(Failure::Nothing(earlier)) => {
            matches!(failure, Failure::Nothing(diagnostic) if diagnostic == earlier)
        }
        _ => false,
    };
    if !earlier.iter().any(|(gated, _)| is_same(gated)) {
        output::report(failure);
    }
}

/// Writes and prints the result of all.
fn finish(
    named: &[NamedSuite],
    choice: &SuiteChoice,
    ended: &[(Gated, ExitStatus)],
    budget: &SharedBudget,
    arguments: &CiArguments,
    environment: &Environment,
) -> ExitStatus {
    let (options, rules) = (arguments.options(None), arguments.exit_rules());
    let mut parts: Vec<Part<'_>> = ended
        .iter()
        .map(|(gated, status)| Part {
            outcome: &gated.outcome,
            context: &gated.context,
            exit_code: status.code(),
        })
        .collect();
    let mut rows: Vec<_> = named.iter().zip(&parts).map(|(suite, part)| outputs::row(suite, *part)).collect();
    let contexts: Vec<&CiContext> = parts.iter().map(|part| part.context).collect();
    let removed = removed(ci::removed_suites(choice, named, &contexts), rules.advisory);
    let nowhere = CiContext::default();
    let mut statuses: Vec<ExitStatus> = ended.iter().map(|(_, status)| *status).collect();
    for (suite, outcome, status) in &removed {
        let part = Part { outcome, context: &nowhere, exit_code: status.code() };
        rows.push(outputs::row(suite, part));
        parts.push(part);
        statuses.push(*status);
    }
    let status = ExitStatus::gravest(statuses);
    let joined = suites::joined(&rows.iter().collect::<Vec<_>>(), status.code(), budget);
    let mut log = outputs::write_several(&joined, &parts, &options, environment);
    output::warn(&log.warnings);
    log.unwritten.extend(output::print_suites(&joined, &[]).and_then(|()| output::print(&log.text)).err());
    log.unwritten.iter().for_each(output::report);
    status.unless_unwritten(&log.unwritten, rules)
}

/// A suite that the change removes, as one that could not be evaluated.
fn removed(found: Result<Vec<String>, Failure>, advisory: bool) -> Vec<(NamedSuite, Outcome, ExitStatus)> {
    let status = if advisory { ExitStatus::Pass } else { ExitStatus::Incomplete };
    let missing = |path: String, failure| {
        let suite = NamedSuite::removed(&path);
        (suite, Outcome::Failed(failure), status)
    };
    match found {
        Ok(paths) => paths
            .into_iter()
            .map(|path| {
                let failure = ci::removal(&path);
                missing(path, failure)
            })
            .collect(),
        Err(failure) => vec![missing("the suites of the base".to_owned(), failure)],
    }
}
