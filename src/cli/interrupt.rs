//! Ctrl-C and SIGTERM: the first signal ends the run with a report, the second at once.

use tokio_util::sync::CancellationToken;

/// Cancels `interrupted` at the first signal; returns at the second.
pub(super) async fn twice(interrupted: CancellationToken) {
    signal().await;
    interrupted.cancel();
    signal().await;
}

/// Waits for the next signal to stop.
#[cfg(unix)]
pub(super) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for the next signal to stop.
#[cfg(not(unix))]
pub(super) async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
