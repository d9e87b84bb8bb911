//! The processes that promptgate started in groups of their own, and the orphans that they leave.
//!
//! While there are any, promptgate is a subreaper on Linux: a process whose parent ends becomes a child of promptgate.
//! So what left its group with `setsid`, or was started as a daemon, is found by its parent and killed. A process that
//! is started elsewhere, such as git, is in promptgate's own group and never taken for an orphan; whatever needs a group
//! of its own is started here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(unix)]
use super::watchdog::Watchdog;

/// The variable that marks a process and its descendants.
pub(super) const MARK: &str = "PROMPTGATE_WORKER";

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    started: BTreeSet::new(),
    #[cfg(unix)]
    watchdog: None,
});

/// The processes that run, and their watchdog.
pub(super) struct Registry {
    started: BTreeSet<u32>,
    #[cfg(unix)]
    watchdog: Option<Watchdog>,
}

/// Locks the registry. A process is started under the lock: it must not be in the table before it is registered.
pub(super) fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Prepares for the first process.
    pub(super) fn before_start(&mut self) {
        if self.started.is_empty() {
            #[cfg(target_os = "linux")]
            let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
            #[cfg(unix)]
            {
                self.watchdog = Watchdog::start();
            }
        }
    }

    pub(super) fn add(&mut self, id: u32) {
        self.started.insert(id);
        #[cfg(unix)]
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.add(id);
        }
    }

    /// Removes a process whose group has ended, and kills the orphans that it left: those with its mark, and all if it
    /// was the last one.
    pub(super) fn remove(&mut self, id: u32, mark: &str) {
        if !self.started.remove(&id) {
            return;
        }
        #[cfg(unix)]
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.remove(id);
        }
        #[cfg(target_os = "linux")]
        self.kill_orphans(id, mark);
        #[cfg(not(target_os = "linux"))]
        let _ = mark;
        self.after_failed_start();
    }

    /// Undoes the preparation where no process runs.
    pub(super) fn after_failed_start(&mut self) {
        if self.started.is_empty() {
            #[cfg(unix)]
            drop(self.watchdog.take());
            #[cfg(target_os = "linux")]
            let _ = rustix::process::set_child_subreaper(None);
        }
    }
}

#[cfg(target_os = "linux")]
mod orphans {
    use std::time::Duration;

    use rustix::process::{Pid, Signal, WaitOptions, getpgrp, kill_process, kill_process_group, waitpid};

    use super::{MARK, Registry};
    use crate::worker::process_table::{self, ProcessEntry};

    /// Maximum number of generations of orphans: each one that ends may leave its own children.
    const MAX_GENERATIONS: usize = 32;
    /// Maximum number of waits for a killed process to end, and the length of one.
    const MAX_WAITS: usize = 100;
    const WAIT: Duration = Duration::from_millis(2);

    impl Registry {
        pub(super) fn kill_orphans(&self, leader: u32, mark: &str) {
            for _ in 0..MAX_GENERATIONS {
                let orphans = self.orphans(leader, mark);
                if orphans.is_empty() {
                    return;
                }
                orphans.iter().for_each(|orphan| self.kill(orphan));
            }
        }

        /// Returns children of this process that it did not start. The leader, whose group has ended, is awaited elsewhere.
        fn orphans(&self, leader: u32, mark: &str) -> Vec<ProcessEntry> {
            let own = std::process::id();
            let own_group = getpgrp().as_raw_nonzero().get().unsigned_abs();
            let mark = format!("{MARK}={mark}");
            let mut orphans = process_table::processes();
            orphans.retain(|entry| {
                entry.parent == own
                    && entry.group != own_group
                    && entry.id != leader
                    && !self.is_started(entry.id)
                    && (self.started.is_empty()
                        || entry.is_zombie
                        || process_table::has_variable(entry.id, &mark))
            });
            orphans
        }

        fn is_started(&self, id: u32) -> bool {
            self.started.contains(&id) || self.watchdog.as_ref().is_some_and(|watchdog| watchdog.id() == id)
        }

        fn kill(&self, orphan: &ProcessEntry) {
            let pid = |id: u32| i32::try_from(id).ok().and_then(Pid::from_raw);
            let Some(id) = pid(orphan.id) else { return };
            // An orphan in the group of a running worker is alone; any other group ends as a whole.
            if let Some(group) = pid(orphan.group).filter(|_| !self.is_started(orphan.group)) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = kill_process(id, Signal::KILL);
            for _ in 0..MAX_WAITS {
                match waitpid(Some(id), WaitOptions::NOHANG) {
                    Ok(None) => std::thread::sleep(WAIT),
                    Ok(Some(_)) | Err(_) => return,
                }
            }
        }
    }
}
