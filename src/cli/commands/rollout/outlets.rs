//! Where the results of a command of rollouts go beside standard output: the job summary and a receiver of telemetry.

use jiff::Timestamp;

use crate::app::telemetry::{RolloutCall, Telemetry};
use crate::app::{Environment, Failure};
use crate::cli::args::{LedgerFormat, RolloutTelemetryFlags, WriteFlags};
use crate::cli::{output, summary, telemetry};
use promptgate_release::Name;
use promptgate_report::release::rollout::Rollout;

/// A command that changes rollouts, and its flags.
pub(super) struct Call<'a> {
    command: &'static str,
    /// The prompt; `None` for all.
    name: Option<&'a Name>,
    write: &'a WriteFlags,
    telemetry: &'a RolloutTelemetryFlags,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        command: &'static str,
        name: Option<&'a Name>,
        write: &'a WriteFlags,
        telemetry: &'a RolloutTelemetryFlags,
    ) -> Self {
        Self { command, name, write, telemetry }
    }

    /// The prompt in the words of the summary.
    pub(super) fn subject(&self) -> String {
        self.name.map_or_else(|| "all prompts".to_owned(), Name::to_string)
    }

    pub(super) fn format(&self) -> LedgerFormat {
        self.write.format
    }
}

/// The outlets of a call that has begun.
pub(super) struct Outlets<'a> {
    call: &'a Call<'a>,
    environment: &'a Environment,
    receiver: Option<Telemetry>,
    begun: Timestamp,
}

impl<'a> Outlets<'a> {
    /// Checks the flags of telemetry before anything is done.
    ///
    /// # Errors
    /// An invalid address or header, or a variable that is not set.
    pub(super) fn open(call: &'a Call<'a>, environment: &'a Environment) -> Result<Self, Failure> {
        let options = call.telemetry.options();
        let receiver = options.map(|options| Telemetry::new(&options, environment)).transpose()?;
        Ok(Self { call, environment, receiver, begun: environment.now()? })
    }

    /// Appends the results to the job summary, and sends those that are there. A failure is a warning.
    pub(super) async fn publish(&self, results: &[(String, Result<Rollout, Failure>)]) {
        if !results.is_empty() {
            summary::write_rollouts(self.call.command, results, self.environment);
        }
        let Some(receiver) = &self.receiver else { return };
        if self.call.write.dry_run {
            output::info("no telemetry is sent: a dry run changes nothing");
            return;
        }
        let rollouts: Vec<&Rollout> = results.iter().filter_map(|(_, result)| result.as_ref().ok()).collect();
        let ended = self.environment.now().unwrap_or(self.begun);
        if !rollouts.is_empty() {
            let call = RolloutCall { command: self.call.command, begun: self.begun, ended };
            telemetry::send_rollouts(receiver, &rollouts, call, self.environment).await;
        }
    }
}
