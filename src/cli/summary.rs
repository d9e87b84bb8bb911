//! The job summary of commands of a release. A failure to write it is a warning.

use super::exit::ExitStatus;
use super::output;
use crate::app::{Environment, Failure, job_summary};
use promptgate_core::model::Diagnostic;
use promptgate_report::release::rollout::Rollout;
use promptgate_report::summary::{self, RolloutEntry, Tone};

/// Appends the results of `promptgate rollout COMMAND`, each with its prompt or configuration.
pub(super) fn write_rollouts(
    command: &str,
    results: &[(String, Result<Rollout, Failure>)],
    environment: &Environment,
) {
    let warning = job_summary::write(environment, |limit| {
        let messages: Vec<Vec<String>> =
            results.iter().map(|(_, result)| result.as_ref().err().map_or_else(Vec::new, messages)).collect();
        let entries: Vec<RolloutEntry<'_>> = results
            .iter()
            .zip(&messages)
            .map(|((subject, result), messages)| match result {
                Ok(rollout) => RolloutEntry::Done(rollout),
                Err(_) => RolloutEntry::Failed { subject, messages },
            })
            .collect();
        summary::rollouts(command, &entries, &environment.redactor(), limit)
    });
    output::warn(warning.as_slice());
}

/// Appends the lines that a command printed.
pub(super) fn write_lines(command: &str, status: ExitStatus, text: &str, environment: &Environment) {
    let tone = match status {
        ExitStatus::Pass => Tone::Good,
        ExitStatus::Inconclusive => Tone::Caution,
        _ => Tone::Bad,
    };
    let redactor = environment.redactor();
    let warning = job_summary::write(environment, |_| summary::lines(command, tone, text, &redactor));
    output::warn(warning.as_slice());
}

/// Place, message and help of each diagnostic.
fn messages(failure: &Failure) -> Vec<String> {
    failure.diagnostics().iter().map(Diagnostic::to_string).collect()
}
