//! GitHub: events, workflow commands and outputs of a step, and the REST API of the comment.
//!
//! Pure except for [`api`]: events are parsed from text; commands and outputs are returned as text. The caller reads
//! files, queries git and writes to the runner's files.
//!
//! Source of the formats: "Workflow commands" and "Events that trigger workflows" in GitHub's documentation, and the
//! runner's own parsers (`ActionCommand.cs`, `FileCommandManager.cs`).

mod annotation;
pub mod api;
mod event;
mod output;
#[cfg(test)]
mod tests;

pub use annotation::{Annotation, Level, log};
pub use event::{Event, EventKind, Labeled, PullRequest};
pub use output::Outputs;
