//! Prompt templates with `{{name}}` placeholders.
//!
//! [`Template::parse`] parses a template, [`variables`] returns the variables of a case, and [`Template::render`] inserts
//! values unchanged in one pass: a value that contains `{{name}}` stays text. [`verify`] reports placeholders that are
//! undefined for some case, before the first call of a model. By design there are no conditions, loops, filters, includes
//! or environment variables.

mod literal;
mod logic;
mod parse;
mod variables;
mod verify;

#[cfg(test)]
mod tests;

pub use literal::names_a_reference;
pub use parse::{Placeholder, Position, Template, TemplateDiagnostic, UndefinedVariable};
pub use variables::{RESERVED, Variables, aliases, variables};
pub use verify::{used_names, uses, verify, warnings};
