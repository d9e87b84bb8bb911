//! `promptgate run` with several suites: one after the other, one verdict.

use std::path::Path;

use super::run::{self, Ran};
use crate::app::report_files::Reported;
use crate::app::suites::{self, EndedSuite, NamedSuite, SharedBudget, SuiteChoice};
use crate::app::{Environment, Failure, ci};
use crate::cli::args::RunCommandArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output::{self, Detail};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::Redactor;
use promptgate_report::suites::{SuiteVerdict, Suites};
use promptgate_report::{Format, Report};

/// Why a suite is not evaluated.
enum Skipped {
    /// It equals that of the base.
    Unchanged,
    /// A filter selects none of its cases.
    NoCase(Diagnostic),
}

/// The origin of the suites.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The choice that selected them.
    pub(super) choice: &'a SuiteChoice,
    /// The folder of what they share.
    pub(super) folder: &'a Path,
    /// The commit that they are compared with, where it is known already.
    pub(super) base: Option<&'a str>,
}

/// Loads all suites but the unchanged ones before anything is called, then evaluates each. A suite of the base that the
/// change removes is incomplete.
pub(super) async fn run(
    named: &[NamedSuite],
    unchanged: &[NamedSuite],
    scope: Scope<'_>,
    arguments: &RunCommandArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    refuse_flags_of_one_suite(arguments)?;
    let options = arguments.run.options(None);
    let mut loaded = Vec::new();
    let mut errors = Vec::new();
    for suite in named {
        if unchanged.contains(suite) {
            loaded.push(Err(Skipped::Unchanged));
            continue;
        }
        let mut options = arguments.run.options(Some(suite.config.clone()));
        options.out = options.out.join(&suite.folder);
        options.shared_cache = Some(scope.folder.to_owned());
        match run::load(options, arguments, environment).await {
            Ok(suite) => loaded.push(Ok(suite)),
            // A filter selects cases of some suites.
            Err(Failure::Nothing(diagnostic)) if arguments.run.selects_cases() => {
                loaded.push(Err(Skipped::NoCase(diagnostic)))
            }
            Err(Failure::Diagnostics(diagnostics)) => errors.extend(diagnostics.0),
            Err(failure) => return Err(failure),
        }
    }
    if !errors.is_empty() {
        return Err(Diagnostics(errors).into());
    }
    if loaded.iter().all(Result::is_err) {
        let diagnostics = loaded.into_iter().filter_map(|suite| match suite {
            Err(Skipped::NoCase(diagnostic)) => Some(diagnostic),
            _ => None,
        });
        if let Some(diagnostic) = diagnostics.last() {
            return Err(Failure::Nothing(diagnostic));
        }
        return Err(Failure::Internal("no suite is evaluated".to_owned()));
    }
    let of_policy = || loaded.iter().flatten().find_map(run::Loaded::policy_commit);
    let removed = match scope.base.or_else(of_policy) {
        Some(commit) => ci::removed_since(scope.choice, named, commit)?,
        None => Vec::new(),
    };
    suites::prepare(&options.out)?;
    let mut budget = SharedBudget::new(options.calls.ceilings);
    let mut ended: Vec<EndedSuite> = Vec::new();
    let mut statuses = Vec::new();
    for (suite, loaded) in named.iter().zip(loaded) {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(skipped) => {
                let (verdict, why) = match skipped {
                    Skipped::Unchanged => {
                        (SuiteVerdict::Unchanged, "nothing differs from the base".to_owned())
                    }
                    Skipped::NoCase(diagnostic) => (SuiteVerdict::NotEvaluated, diagnostic.message),
                };
                ended.push(EndedSuite::without_report(suite, verdict, 0, why));
                continue;
            }
        };
        announce(suite, ended.len() + 1, named.len(), arguments.run.quiet);
        let (of, status) = run_one(suite, loaded, &budget, arguments, environment).await;
        budget.take(of.result.calls, of.result.cost_usd);
        ended.push(of);
        statuses.push(status);
        if status == ExitStatus::Interrupted {
            break;
        }
    }
    for path in removed {
        let failure = ci::removal(&path);
        output::report(&failure);
        let status = ExitStatus::of_failure(&failure, arguments.run.output.exit_rules());
        let why = failure.diagnostics().into_iter().next().map(|first| first.message).unwrap_or_default();
        let suite = NamedSuite::removed(&path);
        ended.push(EndedSuite::without_report(&suite, SuiteVerdict::Incomplete, status.code(), why));
        statuses.push(status);
    }
    let status = ExitStatus::gravest(statuses);
    let rows: Vec<_> = ended.iter().map(|suite| &suite.result).collect();
    let joined = suites::joined(&rows, status.code(), &budget);
    finish(&joined, &ended, arguments, status)
}

/// Says which suite comes next.
pub(super) fn announce(suite: &NamedSuite, number: usize, of: usize, quiet: bool) {
    if !quiet {
        output::info(&format!("suite {number} of {of}: {}", suite.name));
    }
}

/// Evaluates a suite and shows its report, unless it passed.
async fn run_one(
    suite: &NamedSuite,
    mut loaded: run::Loaded,
    budget: &SharedBudget,
    arguments: &RunCommandArguments,
    environment: &Environment,
) -> (EndedSuite, ExitStatus) {
    loaded.options.calls.ceilings = budget.left();
    let without = |verdict, status: ExitStatus, why: String| {
        (EndedSuite::without_report(suite, verdict, status.code(), why), status)
    };
    match run::evaluated(loaded, arguments, environment).await {
        Ok(Ran::Reported(mut reported, status, receiver)) => {
            let status = status.unless_unwritten(&reported.unwritten, arguments.run.output.exit_rules());
            reported.report.exit_code = status.code();
            show(&reported, status, arguments);
            run::send(receiver, &reported, status, arguments).await;
            (EndedSuite::reported(suite, *reported), status)
        }
        Ok(Ran::Interrupted) => {
            without(SuiteVerdict::Incomplete, ExitStatus::Interrupted, "interrupted".to_owned())
        }
        // Refused with several suites.
        Ok(Ran::Shard(_)) => {
            without(SuiteVerdict::Error, ExitStatus::Internal, "a shard has no verdict".to_owned())
        }
        Err(failure) => {
            output::report(&failure);
            let status = ExitStatus::of_failure(&failure, arguments.run.output.exit_rules());
            let why = failure.diagnostics().into_iter().next().map(|first| first.message).unwrap_or_default();
            let verdict = match failure {
                Failure::Incomplete(_) | Failure::Unwritten(_) => SuiteVerdict::Incomplete,
                _ => SuiteVerdict::Error,
            };
            without(verdict, status, why)
        }
    }
}

/// Shows the report of a suite that did not pass.
fn show(reported: &Reported, status: ExitStatus, arguments: &RunCommandArguments) {
    let passed =
        SuiteVerdict::from(reported.report.verdict) == SuiteVerdict::Pass && status == ExitStatus::Pass;
    if arguments.run.output.format == Format::Terminal && !passed {
        let detail = Detail { answers: arguments.answers, quiet: arguments.run.quiet };
        let printed = output::print_report(
            &reported.report,
            Format::Terminal,
            &reported.redactor,
            &reported.files,
            detail,
        )
        .and_then(|()| output::print("\n"));
        printed.err().iter().for_each(output::report);
    }
    reported.unwritten.iter().for_each(output::report);
}

/// Writes and prints the result of all.
fn finish(
    joined: &Suites,
    ended: &[EndedSuite],
    arguments: &RunCommandArguments,
    status: ExitStatus,
) -> Result<ExitStatus, Failure> {
    let reports: Vec<Option<(&Report, &Redactor)>> = ended
        .iter()
        .map(|suite| suite.reported.as_ref().map(|reported| (&reported.report, &*reported.redactor)))
        .collect();
    let out = arguments.run.options(None).out;
    let written = suites::write(joined, &reports, &out);
    let files = written.as_deref().unwrap_or_default();
    let printed = match arguments.run.output.format {
        Format::Terminal => output::print_suites(joined, files),
        format => suites::render(joined, &reports, format)
            .and_then(|text| output::stream(|out| out.write_all(&text))),
    };
    let unwritten: Vec<Failure> = [written.err(), printed.err()].into_iter().flatten().collect();
    unwritten.iter().for_each(output::report);
    Ok(status.unless_unwritten(&unwritten, arguments.run.output.exit_rules()))
}

/// Refuses a flag that is about one suite.
pub(super) fn refuse_flag_of_one_suite(flag: Option<&str>) -> Result<(), Diagnostic> {
    let Some(flag) = flag else { return Ok(()) };
    Err(Diagnostic::new("this flag applies to a single suite, but several are selected")
        .at(Place::file(flag))
        .help("name one suite by its path"))
}

/// Refuses flags that are about one suite, and formats that several do not have.
fn refuse_flags_of_one_suite(arguments: &RunCommandArguments) -> Result<(), Diagnostic> {
    let own = if arguments.only_failed {
        Some("--only-failed")
    } else {
        (!arguments.case.is_empty()).then_some("--case")
    };
    refuse_flag_of_one_suite(own.or(arguments.run.flag_of_one_suite()))?;
    match arguments.run.output.format {
        Format::Csv => Err(Diagnostic::new("several suites are not printed as csv")
            .at(Place::file("--format"))
            .help("print each from its report: `promptgate report DIR --format csv`")),
        _ => Ok(()),
    }
}
