//! `not`: the negation of any check.
//!
//! An answer that the check cannot read fails the negation too: text without the `answer_field`, a field of an answer
//! that is not JSON, a tool that was not called.

use serde_json::{Map, Value, json};

use crate::port::{Check, Finding, Subject};

use super::diagnostic::{EntryDiagnostic, no_errors};
use super::entry::Found;
use super::reason::{fail, kind, pass};
use super::registry::names;
use super::spec::{Built, Files};

/// The key of a negation.
pub(super) const KEY: &str = "not";

/// Compiles the check of a negation, with the default name `not.CHECK`.
///
/// # Errors
/// All diagnostics; pointers are relative to the value.
pub(super) fn compile(value: &Value, files: &Files<'_>) -> Result<(String, Built), Vec<EntryDiagnostic>> {
    let Value::Object(map) = value else {
        let message = format!("must be a map, but is {}", kind(value));
        return Err(vec![
            EntryDiagnostic::new("", message).help("write, for example, `not: {equals: \"yes\"}`"),
        ]);
    };
    let known: Vec<&str> = names().collect();
    let (mut found, mut diagnostics) = (Found::default(), Vec::new());
    for (key, value) in map {
        match key.as_str() {
            KEY => diagnostics.push(
                EntryDiagnostic::new("/not", "is the negation of a negation").help("remove both `not`"),
            ),
            "name" | "min" | "baseline" | "require" => diagnostics.push(
                EntryDiagnostic::new(
                    format!("/{key}"),
                    format!("`{key}` does not belong to the negated check"),
                )
                .help("write it beside `not`"),
            ),
            _ => found.read(key, value, &known, files, &mut diagnostics),
        }
    }
    if diagnostics.is_empty() {
        found.require_one("`not`", &mut diagnostics);
    }
    no_errors(diagnostics)?;
    // A check that always passes is negated into one that never does, which shows by itself.
    match found.built.pop() {
        Some((name, built)) => {
            let check = Box::new(NegatedCheck { check: built.check });
            Ok((format!("{KEY}.{name}"), Built { check, warnings: Vec::new(), ..built }))
        }
        None => Err(vec![EntryDiagnostic::new("", "has no check")]),
    }
}

/// The schema of a negation of one of the checks.
pub(super) fn schema(checks: Map<String, Value>) -> Value {
    json!({
        "description": "One check that has to fail.",
        "type": "object",
        "properties": checks,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

#[derive(Debug)]
struct NegatedCheck {
    check: Box<dyn Check>,
}

impl Check for NegatedCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        self.check.finding(subject).map(negated)
    }

    fn needs_embeddings(&self) -> bool {
        self.check.needs_embeddings()
    }

    fn embedded_texts(&self, subject: &Subject<'_>) -> Result<[String; 2], Finding> {
        self.check.embedded_texts(subject)
    }

    fn embedded_finding(&self, embeddings: [&[f64]; 2]) -> Result<Finding, String> {
        self.check.embedded_finding(embeddings).map(negated)
    }

    fn needs_sources(&self) -> bool {
        self.check.needs_sources()
    }
}

fn negated(found: Finding) -> Finding {
    let negated = if found.passed {
        fail(format!("expected the check to fail, but: {}", found.reason))
    } else {
        pass(format!("the check fails, as it has to: {}", found.reason))
    };
    Finding { details: found.details, ..negated }
}
