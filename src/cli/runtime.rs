//! The async runtime.

use tokio::runtime::{Builder, Runtime};

use crate::app::Failure;

/// Tasks that a thread polls before it checks timers, signals and sockets. A peer that floods its connection keeps a task
/// busy for its whole turn: with the default of 61 turns, timeouts and Ctrl-C would come late.
const EVENT_INTERVAL: u32 = 8;

/// Starts the runtime.
///
/// # Errors
/// The system gives no threads.
pub(super) fn start() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().event_interval(EVENT_INTERVAL).build();
    runtime.map_err(|error| Failure::Internal(format!("could not start the runtime: {error}")))
}
