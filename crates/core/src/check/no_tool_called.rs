//! `no_tool_called`: the answer calls no tool, or none of these.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::json;

use crate::port::{Check, Finding, Subject};

use super::diagnostic::{EntryDiagnostic, no_errors};
use super::reason::{finding, list_of_names, pass, quoted};
use super::spec::{Built, Files, Spec};
use super::texts::{Text, duplicates};

/// True for every tool, or names of tools.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum NoToolCalled {
    /// No tool at all.
    True(#[schemars(schema_with = "only_true")] bool),
    /// Not this tool.
    One(Text),
    /// None of these tools.
    Any(#[schemars(length(min = 1))] Vec<Text>),
}

/// Rejects `false`, which would disable the check.
fn only_true(_generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": true })
}

impl Spec for NoToolCalled {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let names = match self {
            Self::True(true) => None,
            Self::True(false) => return Err(vec![EntryDiagnostic::new("", "must be true, but is false")]),
            Self::One(name) => Some(vec![name]),
            Self::Any(names) => {
                no_errors(duplicates(&names, "", Text::eq, |Text(name)| quoted(name)))?;
                Some(names)
            }
        };
        let forbidden = names.map(|names| names.into_iter().map(|Text(name)| name).collect());
        Ok(Built::new(NoToolCalledCheck { forbidden }))
    }
}

#[derive(Debug)]
struct NoToolCalledCheck {
    /// `None` for every tool.
    forbidden: Option<Vec<String>>,
}

impl Check for NoToolCalledCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let is_forbidden =
            |name: &String| self.forbidden.as_ref().is_none_or(|forbidden| forbidden.contains(name));
        let calls = subject.completion.tool_calls.iter().map(|call| &call.name);
        let called: Vec<&str> = calls.filter(|name| is_forbidden(name)).map(String::as_str).collect();
        if called.is_empty() {
            let reason =
                if self.forbidden.is_none() { "no tool was called" } else { "no forbidden tool was called" };
            return Ok(pass(reason));
        }
        let reason = format!("called: {}", list_of_names(called.iter().copied()));
        Ok(finding(false, &reason, json!({ "called": called })))
    }
}
