//! Ctrl-C, SIGTERM and SIGHUP: the first signal ends the run with a report, the second at once.

use tokio_util::sync::CancellationToken;

/// Listens from now on; cancels `interrupted` at the first signal, and is ready at the second.
pub(super) fn twice(interrupted: CancellationToken) -> impl Future<Output = ()> + Send {
    let first = next_signal(HangUp::Counts);
    async move {
        first.await;
        interrupted.cancel();
        // A terminal that is closed may send SIGHUP twice, once by the shell and once by the system.
        next_signal(HangUp::Ignored).await;
    }
}

/// Listens from now on; ready at the first signal to stop, also at one that comes before the future is awaited.
pub(super) fn signal() -> impl Future<Output = ()> + Send {
    next_signal(HangUp::Counts)
}

/// Whether SIGHUP is a signal to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HangUp {
    Counts,
    Ignored,
}

/// Installs the handlers before it returns: a signal that found none would end the process at once.
#[cfg(unix)]
fn next_signal(hang_up: HangUp) -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn next(listener: Option<Signal>) {
        match listener {
            Some(mut listener) => _ = listener.recv().await,
            None => std::future::pending().await,
        }
    }
    let interrupt = signal(SignalKind::interrupt()).ok();
    let terminate = signal(SignalKind::terminate()).ok();
    let listens = hang_up == HangUp::Counts && !ignores_hang_up();
    let hang_up = if listens { signal(SignalKind::hangup()).ok() } else { None };
    async move {
        tokio::select! {
            () = next(interrupt) => {}
            () = next(terminate) => {}
            () = next(hang_up) => {}
        }
    }
}

/// Whether this process was started by nohup, which ignores SIGHUP: a handler would undo that. Where this cannot be read,
/// it was not.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    use std::sync::OnceLock;
    static IGNORED: OnceLock<bool> = OnceLock::new();
    *IGNORED.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        // SIGHUP is signal 1, the lowest bit.
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
    })
}

#[cfg(not(unix))]
async fn next_signal(_hang_up: HangUp) {
    let _ = tokio::signal::ctrl_c().await;
}
