//! Worker processes: programs that answer one JSON object per line, many over their life.
//!
//! [`Workers`] is a pool of processes of one command. A request is a line on standard input, a reply a line on standard
//! output; everything else on standard output is a fault, and the process that wrote it is replaced. Standard error is
//! drained into a [`WorkerLog`]. Every process leads a group of its own (`group`), which ends with it; processes that
//! leave the group are found as orphans (`registry`), and a watchdog ends the groups if promptgate is killed.
//!
//! `connection` is one process with its requests in flight, `protocol` the meaning of its lines, `pool` the choice of a
//! process for a request.

mod connection;
mod group;
mod lines;
mod log;
mod pool;
#[cfg(target_os = "linux")]
mod process_table;
mod protocol;
mod registry;
mod run_to_end;
#[cfg(test)]
mod tests;
#[cfg(unix)]
mod watchdog;

use std::path::PathBuf;
use std::time::Duration;

pub use group::WorkerCommand;
pub(crate) use group::{GroupHandle, ProcessGroup};
pub(crate) use log::ProcessLog;
pub use log::{WorkerLog, WorkerSummary};
pub use pool::Workers;
pub use protocol::Reply;
pub(crate) use protocol::error_text;
pub use run_to_end::run_to_end;

/// Default maximum of bytes of a reply: 16 MiB.
pub const DEFAULT_MAX_LINE_BYTES: usize = 16 << 20;

/// Maximum of requests in flight that a worker may ask for.
pub const MAX_CONCURRENCY: usize = 256;

/// The command of a pool and its limits.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The working directory.
    pub folder: PathBuf,
    /// The whole environment of the processes; one variable, `PROMPTGATE_WORKER`, is added.
    pub env: Vec<(String, String)>,
    /// Maximum number of processes.
    pub workers: usize,
    /// Maximum time from a request to its reply.
    pub timeout: Duration,
    /// Maximum bytes of a reply.
    pub max_line_bytes: usize,
    /// The name in messages, such as `target` or `scorer sql-valid`.
    pub label: String,
}

/// Protects the memory of this process, and with it the keys in it, from other processes of the same user: no debugger
/// attaches and no core is dumped. Does nothing where the system is not Linux.
///
/// # Errors
/// The refusal of the system.
pub fn make_undumpable() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
