//! Sends telemetry once a result is printed.

use super::{interrupt, output};
use crate::app::Environment;
use crate::app::release::RolledBack;
use crate::app::report_files::Reported;
use crate::app::telemetry::{RolloutCall, Telemetry};
use promptgate_report::release::rollout::Rollout;

/// Sends the trace of a reported run. A failure is a warning.
pub(super) async fn send_run(telemetry: &Telemetry, reported: &Reported, quiet: bool) {
    send(telemetry, telemetry.send(reported), quiet).await;
}

/// Sends the results of a command of rollouts. A failure is a warning.
pub(super) async fn send_rollouts(
    telemetry: &Telemetry,
    rollouts: &[&Rollout],
    call: RolloutCall,
    environment: &Environment,
) {
    send(telemetry, telemetry.send_rollouts(rollouts, call, environment), false).await;
}

/// Sends the result of a rollback. A failure is a warning.
pub(super) async fn send_rollback(
    telemetry: &Telemetry,
    rolled_back: &RolledBack,
    call: RolloutCall,
    environment: &Environment,
) {
    send(telemetry, telemetry.send_rollback(rolled_back, call, environment), false).await;
}

async fn send(telemetry: &Telemetry, sending: impl Future<Output = Result<String, String>>, quiet: bool) {
    let sent = tokio::select! {
        biased;
        () = interrupt::signal() => Err(format!("the telemetry was not sent to {}: interrupted", telemetry.url())),
        sent = sending => sent,
    };
    match sent {
        Ok(line) if !quiet => output::info(&line),
        Ok(_) => {}
        Err(warning) => output::warn(&[warning]),
    }
}
