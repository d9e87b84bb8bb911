use thiserror::Error;

/// A failed operation of a port: what happened, and whether a later call may succeed.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PortError {
    /// The registry, ledger or source could not be reached, or failed on its side.
    #[error("{0}")]
    Unavailable(String),
    /// The operation is not allowed: credentials, permissions or a rule of the server.
    #[error("{0}")]
    Refused(String),
    /// The request cannot be expressed in this registry: a name or a label with characters that it does not take.
    #[error("{0}")]
    Invalid(String),
    /// Another writer was faster; the caller reads the new state and decides again.
    #[error("the {0} changed since it was read")]
    Conflict(&'static str),
    /// The content does not match its digest: a version was changed after it was published.
    #[error("{0}")]
    Mutated(String),
    /// Stored data cannot be trusted: a broken chain, an event that cannot follow, an unreadable record.
    #[error("{0}")]
    Damaged(String),
}
