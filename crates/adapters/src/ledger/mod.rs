//! Ledgers: the events of every prompt, in a folder or on a branch of a git repository.
//!
//! Both have the same files (`layout`). The events decide: they are hash-chained lines, and replacing their file, or
//! the branch, is the one step that commits an append. The stored state, and the assignments in `releases.json`, are derived from them.

mod folder;
mod git_branch;
mod layout;
mod observer;
mod releases;
mod retry;
#[cfg(test)]
mod tests;
mod verification;

use promptgate_release::PortError;
use promptgate_release::ports::PortResult;

pub use folder::Folder;
pub use git_branch::{DEFAULT_BRANCH, DEFAULT_REMOTE, GitBranch};
pub use retry::{MAX_ATTEMPTS, pause};

/// Runs blocking work outside the threads that poll futures.
fn blocking<'a, T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> PortResult<'a, T> {
    Box::pin(async move {
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            PortError::Unavailable(format!("the ledger could not be used: internal error: {error}"))
        })?
    })
}
