//! Text that leaves the program: secrets as a type, redaction, neutralising; and the strict reading of JSON.
//!
//! Used by every room that prints, sends or reads what a model wrote. Knows nothing of cases, runs or endpoints.

pub mod json;
pub mod neutral;
mod redact;
mod secret;

pub use redact::Redactor;
pub use secret::Secret;

/// The text at the end of an error's chain of causes, which is the one that says something.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
