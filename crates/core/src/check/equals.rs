//! `equals`: the answer equals a text or JSON value.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::port::{Check, Finding, Subject};
use crate::text::json;

use super::comparison::{Comparison, reference, text, text_of};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, pass, quoted, shown};
use super::spec::{Built, Files, Spec, present};

/// A text, number or truth value, or a map; an empty map compares with the case's expected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Equals {
    /// This text.
    Text(String),
    /// This number, as written.
    Number(serde_json::Number),
    /// This truth value.
    Truth(bool),
    /// With options.
    Map(EqualsMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EqualsMap {
    /// The expected answer. A list or map is compared as JSON. Default: the case's expected.
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    /// Whether to ignore case. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether to ignore white space around the answer. Default: false.
    #[serde(default)]
    trim: bool,
}

impl Spec for Equals {
    const READS_EXPECTED: bool = true;

    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (value, comparison) = match self {
            Self::Text(text) => (Some(Value::String(text)), Comparison::default()),
            Self::Number(number) => (Some(Value::Number(number)), Comparison::default()),
            Self::Truth(truth) => (Some(Value::Bool(truth)), Comparison::default()),
            Self::Map(map) => (
                map.value,
                Comparison { ignore_case: map.ignore_case, trim: map.trim, ..Comparison::default() },
            ),
        };
        let needs_expected = value.is_none();
        Ok(Built::new(EqualsCheck { value, comparison }).needing_expected(needs_expected))
    }
}

#[derive(Debug)]
struct EqualsCheck {
    value: Option<Value>,
    comparison: Comparison,
}

impl Check for EqualsCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        let expected = reference(self.value.as_ref(), subject.case)?;
        let equal = if expected.is_array() || expected.is_object() {
            let actual =
                json::parse(answer).map_err(|error| fail(format!("the answer is not JSON: {error}")))?;
            json::equal(&actual, expected)
        } else {
            self.comparison.normalize(answer) == self.comparison.normalize(&text_of(expected))
        };
        Ok(if equal {
            pass("equal")
        } else {
            fail(format!("expected {}, found {}", shown(expected), quoted(answer)))
        })
    }
}
