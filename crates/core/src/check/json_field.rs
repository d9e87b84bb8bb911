//! `json_field`: a field of a JSON answer meets conditions.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::conditions::{self, Conditions, Near, Written};
use super::diagnostic::EntryDiagnostic;
use super::path::Path;
use super::reason::{fail, finding, pass, quoted, shown};
use super::spec::{Built, Files, Spec, present};
use super::texts::Text;
use super::whole::{self, Extract};

/// A path and at least one condition; all of them have to hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsonField {
    /// Path such as citations[0].source.
    path: String,
    /// The field equals this value; 1 equals 1.0, and the order of keys is ignored.
    #[serde(default, deserialize_with = "present")]
    equals: Option<Value>,
    /// The field is text in which this text occurs, or a list with this text as an item.
    contains: Option<Text>,
    /// The field is text, and this regular expression matches a part of it.
    matches: Option<String>,
    /// The field is one of these values.
    #[schemars(length(min = 1))]
    one_of: Option<Vec<Value>>,
    /// The field is this number, within the tolerance.
    number: Option<Near>,
    /// fenced: the JSON is the only fenced code block of the answer. Default: the JSON is the whole answer.
    extract: Option<Extract>,
}

impl Spec for JsonField {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let Self { path, equals, contains, matches, one_of, number, extract } = self;
        let written = Written { equals, contains, matches, one_of, number };
        let (path, conditions, warning) = conditions::at_path(&path, written, "`required_fields`")?;
        Ok(Built::new(JsonFieldCheck { path, conditions, extract }).warning(warning))
    }
}

#[derive(Debug)]
struct JsonFieldCheck {
    path: Path,
    conditions: Conditions,
    extract: Option<Extract>,
}

impl Check for JsonFieldCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = whole::json(subject, self.extract)?;
        let value = self.path.find(&answer).map_err(fail)?;
        let field = format!("field {}", quoted(&self.path.to_string()));
        Ok(match self.conditions.violation(value) {
            None => pass(format!("{field} is as expected")),
            Some(violation) => {
                finding(false, &format!("{field}: {violation}"), json!({ "found": shown(value) }))
            }
        })
    }
}
