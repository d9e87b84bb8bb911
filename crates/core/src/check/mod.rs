//! Deterministic checks of an answer.
//!
//! An entry of the configuration is compiled once ([`compile`]) and then grades every trial. JSON checks parse the whole
//! answer strictly; text checks read the `answer_field` ([`answer::extract`]) or the whole text. A check consists of a
//! file in this module, a row of [`registry::CHECKS`], a fixture and a section in `docs/checks.md`.
//!
//! The engine scores truncated and empty answers 0 without a check, and the gate decides how many trials have to pass.

pub mod answer;
mod calls;
mod comparison;
mod conditions;
mod contains;
mod diagnostic;
mod ends_with;
mod entry;
mod equals;
pub(crate) mod fenced;
mod is_json;
mod json_field;
mod json_schema;
mod length;
mod negated;
mod no_pii;
mod no_tool_called;
mod not_contains;
mod numeric;
mod one_of;
pub mod path;
mod pattern;
mod personal_data;
mod reason;
mod regex;
pub mod registry;
mod required_fields;
mod retrieval;
mod shape;
mod similar;
mod similarity;
mod spec;
mod starts_with;
mod texts;
mod tolerance;
mod tool_arguments;
mod tool_called;
mod typography;
mod unicode;
mod vacuous;
mod whole;

#[cfg(test)]
mod tests;

pub use diagnostic::EntryDiagnostic;
pub use entry::{NamedCheck, compile, entry_schema};
pub use registry::names;
pub use typography::as_written;
