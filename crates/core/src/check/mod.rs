//! Deterministic checks of an answer: each passes or fails, by the text alone.
//!
//! An entry of the configuration is compiled once ([`compile`]) and then grades every trial. JSON checks read the
//! whole answer, strictly; text checks read the `answer_field` ([`answer::extract`]) or the whole text. Every check is
//! a file of this room, a row of [`registry::ROWS`], a fixture and a section in `docs/checks.md`.
//!
//! Left to others: which trials exist, what becomes of answers that were cut or empty (every score of them is 0,
//! whatever a check would say), reading files, and how many trials have to pass.

pub mod answer;
mod comparison;
mod contains;
mod diagnostic;
mod ends_with;
mod entry;
mod equals;
mod is_json;
mod json_field;
mod json_schema;
mod length;
mod not_contains;
mod numeric;
mod one_of;
pub mod path;
mod pattern;
mod reason;
mod regex;
pub mod registry;
mod required_fields;
mod shape;
mod similarity;
mod spec;
mod starts_with;
mod texts;
mod tolerance;
mod whole;

#[cfg(test)]
mod tests;

pub use diagnostic::EntryDiagnostic;
pub use entry::{NamedCheck, compile, entry_schema};
pub use registry::names;
