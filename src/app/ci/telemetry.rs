//! The receiver of the trace of a run in CI.

use super::{CiOptions, Environment, Failure};
use crate::app::telemetry::{Telemetry, TelemetryOptions, no_trace_of_shard};

/// Checks the address and the headers, and adds the variables of headers to the secrets of the run. In a job of a change,
/// a variable that is not set is a warning: pull requests from forks get no secrets.
///
/// # Errors
/// An invalid address or header, a variable that is not set, and a shard, whose trials are a part of the run alone.
pub(crate) fn receiver(
    telemetry: &TelemetryOptions,
    options: &mut CiOptions,
    environment: &Environment,
) -> Result<Result<Telemetry, String>, Failure> {
    if options.run.shard.is_some() {
        return Err(no_trace_of_shard().into());
    }
    let is_change = environment.event()?.is_some_and(|event| event.kind.is_change());
    if let Some(variable) = telemetry.unset_variable(environment).filter(|_| is_change) {
        return Ok(Err(format!(
            "no telemetry is sent: the environment variable {variable} is not set; pull requests from forks get no secrets"
        )));
    }
    let receiver = Telemetry::new(telemetry, environment)?;
    options.run.suite.secret_variables.clone_from(&receiver.variables);
    Ok(Ok(receiver))
}
