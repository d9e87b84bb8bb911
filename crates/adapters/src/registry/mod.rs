//! Registries, where applications read prompts: the adapters of the port [`Registry`](promptgate_release::ports::Registry).
//!
//! [`Embedded`] reads the ledger, [`Langfuse`] and [`Mlflow`] call a server through the one HTTP client. After each
//! write an adapter reads back what the server stored: the content by its digest, and the holders of a label by a list,
//! because no server offers compare-and-swap and Langfuse does not guarantee that a label has one holder. Labels are
//! only moved, never removed, and nothing is ever deleted.

mod embedded;
mod langfuse;
mod layout;
mod mlflow;
mod read_back;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod tests;

pub use embedded::Embedded;
pub(crate) use langfuse::config as langfuse_config;
pub use langfuse::{Langfuse, LangfuseOptions};
pub use mlflow::{Mlflow, MlflowOptions};

use promptgate_release::{Label, Version};

/// The labels that the lifecycle moves.
const MANAGED: [Label; 3] = [Label::Production, Label::Staging, Label::Canary];

/// A version that a caller passes as a label: `2.4.0` or `v2.4.0`.
fn version_label(label: &str) -> Option<Version> {
    label.strip_prefix('v').unwrap_or(label).parse().ok()
}

/// The number that a registry gave to a version; `None` for a text that it does not write so.
fn version_number(id: &str) -> Option<u32> {
    id.parse::<u32>().ok().filter(|number| *number > 0 && number.to_string() == id)
}
