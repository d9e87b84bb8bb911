//! Prompt templates: `{{name}}` and nothing else.
//!
//! A template is text with placeholders. [`Template::parse`] reads it, [`variables`] says what a case offers,
//! [`Template::render`] puts the values in, as they are, in one pass: a value that holds `{{name}}` stays text.
//! [`verify`] finds every placeholder that some case leaves undefined, before anything is asked of a model.
//! There are no conditions, loops, filters, includes or environment variables, and there will be none.
//!
//! Reading prompt files is the load room's work; sending messages is the engine's.

mod parse;
mod variables;
mod verify;

#[cfg(test)]
mod tests;

pub use parse::{Placeholder, Template, TemplateDiagnostic, UndefinedVariable};
pub use variables::{RESERVED, Variables, variables};
pub use verify::{uses, verify, warnings};
