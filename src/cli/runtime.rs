//! The threads that wait for the network.

use tokio::runtime::{Builder, Runtime};

use super::error::Failure;

/// Tasks that a thread polls before it looks at timers, signals and sockets again. A peer that floods its connection
/// keeps a task busy for its whole turn: with the usual 61 turns in between, time limits and Ctrl-C would come late.
const TURNS: u32 = 8;

/// Starts them.
///
/// # Errors
/// The system gives no threads.
pub(super) fn start() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().event_interval(TURNS).build();
    runtime.map_err(|error| Failure::Internal(format!("could not start the runtime: {error}")))
}
