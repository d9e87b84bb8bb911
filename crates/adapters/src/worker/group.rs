//! A process that leads a group of its own.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::process::{Child, Command};

use super::registry;

/// Time between the request to end and the kill.
const GRACE: Duration = Duration::from_secs(2);
/// Maximum time for a killed process to be gone.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// A command with its folder and its whole environment.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The working directory.
    pub folder: PathBuf,
    /// The whole environment; one variable, `PROMPTGATE_WORKER`, is added.
    pub env: Vec<(String, String)>,
}

/// A running process and its group, which ends with this value at the latest.
pub(crate) struct ProcessGroup {
    pub(crate) child: Child,
    handle: Arc<GroupHandle>,
}

/// Kills a group, also while its process is awaited.
#[derive(Debug)]
pub(crate) struct GroupHandle {
    id: u32,
    mark: String,
    /// Whether the group was killed: a second signal could meet another group that has the id by then.
    killed: AtomicBool,
    ended: AtomicBool,
}

impl ProcessGroup {
    /// Starts a process with pipes for its output and, if asked for, its input.
    pub(crate) fn start(line: &WorkerCommand, has_input: bool) -> io::Result<Self> {
        static STARTS: AtomicU64 = AtomicU64::new(0);
        let mark = format!("{}.{}", std::process::id(), STARTS.fetch_add(1, Ordering::Relaxed));
        let (program, arguments) =
            line.command.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&line.folder)
            .env_clear()
            .envs(line.env.iter().map(|(name, value)| (name, value)))
            .env(registry::MARK, &mark)
            .stdin(if has_input { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut registry = registry::lock();
        registry.before_start();
        let child = command.spawn().inspect_err(|_| registry.after_failed_start())?;
        let id = child.id().unwrap_or_default();
        registry.add(id);
        Ok(Self {
            child,
            handle: Arc::new(GroupHandle {
                id,
                mark,
                killed: AtomicBool::new(false),
                ended: AtomicBool::new(false),
            }),
        })
    }

    pub(crate) fn handle(&self) -> Arc<GroupHandle> {
        Arc::clone(&self.handle)
    }

    /// Waits until the process has exited; the rest of its group may still run. Can be cancelled.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the group to end, and kills what is left of it after a grace period.
    pub(crate) async fn stop(self) -> Option<ExitStatus> {
        let mut group = self;
        drop(group.child.stdin.take());
        group.handle.terminate();
        drop(tokio::time::timeout(GRACE, group.wait()).await);
        group.end().await
    }

    /// Kills the group and its orphans; returns the status of the process.
    pub(crate) async fn end(mut self) -> Option<ExitStatus> {
        self.handle.kill();
        let status = tokio::time::timeout(KILL_TIMEOUT, self.wait()).await;
        let handle = Arc::clone(&self.handle);
        // Reading the process table takes milliseconds.
        drop(tokio::task::spawn_blocking(move || handle.finish()).await);
        status.ok().and_then(Result::ok)
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.handle.finish();
    }
}

impl GroupHandle {
    /// Returns the peak resident memory of the process in bytes; `None` where the system does not report it.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        #[cfg(target_os = "linux")]
        return super::process_table::peak_memory(self.id);
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// Kills the group at once.
    pub(crate) fn kill(&self) {
        if !self.killed.swap(true, Ordering::AcqRel) {
            signal::kill(self.id);
        }
    }

    fn terminate(&self) {
        if !self.killed.load(Ordering::Acquire) {
            signal::terminate(self.id);
        }
    }

    /// Kills what is left of the group, and its orphans.
    fn finish(&self) {
        self.kill();
        if !self.ended.swap(true, Ordering::AcqRel) {
            registry::lock().remove(self.id, &self.mark);
        }
    }
}

#[cfg(unix)]
mod signal {
    use rustix::process::{Pid, Signal, kill_process_group};

    pub(super) fn kill(group: u32) {
        send(group, Signal::KILL);
    }

    pub(super) fn terminate(group: u32) {
        send(group, Signal::TERM);
    }

    fn send(group: u32, signal: Signal) {
        if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
            // It fails where the group has ended.
            let _ = kill_process_group(group, signal);
        }
    }
}

#[cfg(not(unix))]
mod signal {
    use std::process::{Command, Stdio};

    /// Ends the process with its children.
    pub(super) fn kill(process: u32) {
        let mut command = Command::new("taskkill");
        command.args(["/T", "/F", "/PID", &process.to_string()]);
        drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status());
    }

    /// The end of its input is all that a process is told.
    pub(super) fn terminate(_process: u32) {}
}
