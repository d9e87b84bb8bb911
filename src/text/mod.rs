//! Text that leaves the program: secrets as a type and their redaction.
//!
//! Used by every room that prints or sends. Knows nothing of cases, runs or endpoints.

pub mod neutral;
mod redact;
mod secret;

pub use redact::Redactor;
pub use secret::Secret;
