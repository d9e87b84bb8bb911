//! Ctrl-C, SIGTERM and SIGHUP: the first signal ends the run with a report, the second at once.

use tokio_util::sync::CancellationToken;

/// Cancels `interrupted` at the first signal; returns at the second.
pub(super) async fn twice(interrupted: CancellationToken) {
    next_signal(HangUp::Counts).await;
    interrupted.cancel();
    // A terminal that is closed may send SIGHUP twice, once by the shell and once by the system.
    next_signal(HangUp::Ignored).await;
}

/// Waits for the next signal to stop.
pub(super) async fn signal() {
    next_signal(HangUp::Counts).await;
}

/// Whether SIGHUP is a signal to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HangUp {
    Counts,
    Ignored,
}

#[cfg(unix)]
async fn next_signal(hang_up: HangUp) {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn next(listener: Option<Signal>) {
        match listener {
            Some(mut listener) => _ = listener.recv().await,
            None => std::future::pending().await,
        }
    }
    let terminate = signal(SignalKind::terminate()).ok();
    let listens = hang_up == HangUp::Counts && !ignores_hang_up();
    let hang_up = if listens { signal(SignalKind::hangup()).ok() } else { None };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = next(terminate) => {}
        () = next(hang_up) => {}
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
