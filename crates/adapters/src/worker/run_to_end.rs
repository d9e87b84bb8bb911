//! A command that runs once, such as the setup of an application.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;

use super::{ProcessGroup, ProcessLog, WorkerCommand, WorkerLog};
use promptgate_core::model::{Fault, FaultKind};

/// Maximum time for which the output of a command is read after its end: a process that it left may hold it open.
const DRAIN_TIME: Duration = Duration::from_millis(500);

/// Runs a command until its own process has exited, with no input; both of its outputs go to the log. The processes that it
/// started end with it, also where the future is dropped.
///
/// # Errors
/// A command that cannot be started, takes longer than `timeout` or exits with another code than 0. The message has the
/// end of its output.
pub async fn run_to_end(
    command: WorkerCommand,
    timeout: Duration,
    label: &str,
    log: &Arc<WorkerLog>,
) -> Result<(), Fault> {
    let shown = command.command.join(" ");
    let started = ProcessGroup::start(&command, false);
    let mut group = started.map_err(|error| {
        let message = format!("{label} could not be started: {shown}: {error}");
        Fault::new(FaultKind::Disconnected, message)
    })?;
    let process = log.start();
    let outputs = (group.child.stdout.take(), group.child.stderr.take());
    let mut draining = pin!(async {
        tokio::join!(drain(Arc::clone(&process), outputs.0), drain(Arc::clone(&process), outputs.1));
    });
    let mut is_drained = false;
    let waited = tokio::time::timeout(timeout, async {
        tokio::select! {
            status = group.wait() => return status,
            () = &mut draining => is_drained = true,
        }
        group.wait().await
    })
    .await;
    is_drained = is_drained || tokio::time::timeout(DRAIN_TIME, &mut draining).await.is_ok();
    let end = match waited {
        Ok(Ok(status)) if status.success() => None,
        Ok(Ok(status)) => Some(format!("failed with {status}")),
        Ok(Err(error)) => Some(format!("failed: {error}")),
        Err(_) => Some(format!("was not done after {} s", timeout.as_secs())),
    };
    group.end().await;
    if !is_drained {
        // The processes that held the output open are gone.
        drop(tokio::time::timeout(DRAIN_TIME, &mut draining).await);
    }
    log.end(&process, end.as_deref().unwrap_or("done"), end.is_some());
    let Some(end) = end else { return Ok(()) };
    let tail = log.tail_of(&process);
    let tail = if tail.is_empty() { String::new() } else { format!(": {tail}") };
    Err(Fault::new(FaultKind::Disconnected, format!("{label} {end}: {shown}{tail}")))
}

async fn drain(process: Arc<ProcessLog>, output: Option<impl AsyncRead + Unpin>) {
    if let Some(output) = output {
        process.drain(output).await;
    }
}
