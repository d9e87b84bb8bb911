//! `is_json`: the whole answer is strict JSON.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::diagnostic::EntryDiagnostic;
use super::reason::{kind, pass};
use super::spec::{Built, Files, Spec};
use super::whole::{self, Extract};

/// True, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum IsJson {
    /// Without options.
    True(#[schemars(schema_with = "only_true")] bool),
    /// With options.
    Map(IsJsonMap),
}

/// Rejects `false`, which would disable the check.
fn only_true(_generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": true })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IsJsonMap {
    /// fenced: the JSON is the only fenced code block of the answer. Default: the JSON is the whole answer.
    extract: Option<Extract>,
}

impl Spec for IsJson {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let extract = match self {
            Self::True(true) => None,
            Self::True(false) => return Err(vec![EntryDiagnostic::new("", "must be true, but is false")]),
            Self::Map(map) => map.extract,
        };
        Ok(Built::new(IsJsonCheck { extract }))
    }
}

#[derive(Debug)]
struct IsJsonCheck {
    extract: Option<Extract>,
}

impl Check for IsJsonCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        // That the answer is not JSON is what the check finds, not a reason why it cannot be read.
        Ok(match whole::json(subject, self.extract) {
            Ok(value) => pass(format!("is JSON: {}", kind(&value))),
            Err(finding) => finding,
        })
    }
}
