//! Ctrl-C and SIGTERM: the first stops the run in good order, the second at once.

use tokio_util::sync::CancellationToken;

/// Cancels `interrupted` at the first signal; comes back at the second.
pub(super) async fn twice(interrupted: CancellationToken) {
    signal().await;
    interrupted.cancel();
    signal().await;
}

/// The next signal that asks to stop.
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

/// The next signal that asks to stop.
#[cfg(not(unix))]
pub(super) async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
