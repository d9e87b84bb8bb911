//! Use cases that make calls: with progress on standard error, interruptible.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::{Context, Environment, Failure};
use crate::cli::interrupt;
use crate::cli::progress::Progress;

/// Runs a use case with progress. The first signal interrupts it, the second abandons it: then there is no result.
pub(super) async fn watched<T>(
    quiet: bool,
    environment: Environment,
    use_case: impl AsyncFnOnce(&Context) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let progress = Arc::new(Progress::new(quiet));
    let events = Arc::clone(&progress) as Arc<_>;
    let context = Context { environment, events, interrupted: CancellationToken::new() };
    let result = tokio::select! {
        // First, so that it listens before the use case starts.
        biased;
        () = interrupt::twice(context.interrupted.clone()) => None,
        result = use_case(&context) => Some(result),
        never = progress.tick() => match never {},
    };
    progress.finish();
    result.transpose()
}
