//! GitHub: what an event asks for, what a step may tell the runner, and the REST API of the comment.
//!
//! Pure but for [`api`]: an event comes in as text and the environment as a lookup, commands and outputs go out as text.
//! Reading files, asking git and writing to the runner's files is the command line's; what a report says is the report
//! room's.
//! Source of the formats: "Workflow commands" and "Events that trigger workflows" in GitHub's documentation, and the
//! runner's own parsers (`ActionCommand.cs`, `FileCommandManager.cs`).

mod annotation;
pub mod api;
mod event;
mod output;
#[cfg(test)]
mod tests;

pub use annotation::{Annotation, Level, MAX_ANNOTATIONS, log};
pub use event::{Event, EventKind, PullRequest};
pub use output::Outputs;
